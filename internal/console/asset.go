package console

import (
	"bytes"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/console/view"
)

func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	content, ok := view.AssetContent(name)
	if !ok {
		return notFound()
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return nil
}
