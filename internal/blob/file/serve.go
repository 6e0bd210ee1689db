package file

import (
	"errors"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/fault"
)

// Handler serves signed links below Path, also in ranges. It passes every error to refuse, which writes the response.
func (s *Store) Handler(refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.serve(w, r); err != nil {
			refuse(w, r, err)
		}
	})
}

func (s *Store) serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return fault.New(fault.MethodNotAllowed, "Use GET for a download link.")
	}
	key := strings.TrimPrefix(r.URL.Path, Path)
	link, err := s.verify(key, r.URL.Query())
	if err != nil {
		return err
	}
	f, err := s.open(key)
	if errors.Is(err, blob.ErrNotFound) {
		return fault.New(fault.NotFound, "The file no longer exists.").Because(err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", link.ContentType)
	h.Set("Content-Disposition", blob.Disposition(link.FileName))
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	out := &rangeGuard{ResponseWriter: w}
	http.ServeContent(out, r, "", info.ModTime(), f)
	if out.refused {
		h.Del("Content-Disposition")
		return fault.New(fault.RangeNotSatisfiable, "The file has %d bytes; the range is outside of it.", info.Size()).
			With("size_bytes", info.Size())
	}
	return nil
}

// rangeGuard suppresses ServeContent's own response to an unsatisfiable range, except its Content-Range header.
type rangeGuard struct {
	http.ResponseWriter
	refused bool
}

func (w *rangeGuard) WriteHeader(status int) {
	if status == http.StatusRequestedRangeNotSatisfiable {
		w.refused = true
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *rangeGuard) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *rangeGuard) Unwrap() http.ResponseWriter { return w.ResponseWriter }
