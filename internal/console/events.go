package console

import (
	"bytes"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/opencapi/capi/internal/httpx"
)

// events is a stream of server-sent events.
type events struct {
	*httpx.EventStream
	r *http.Request
}

// stream answers with server-sent events. It calls next at the given interval until next returns false, the browser leaves,
// or the server begins to stop. In the last case the browser reconnects by itself.
func (s *server) stream(
	w http.ResponseWriter, r *http.Request, every time.Duration, next func(*events) (more bool, err error),
) error {
	var out *events
	ended, err := httpx.StreamEvents(w, r, every, s.Stopping, func(e *httpx.EventStream) (bool, error) {
		out = &events{e, r}
		return next(out)
	})
	if ended {
		err = out.Send("end", "", "") // it tells the script not to reconnect; after an error the script reconnects and gets it as an answer
	}
	if err != nil && r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "stream cut off", "path", r.URL.Path, "error", err)
	}
	return nil
}

// send sends the component to the browser as an event of the given name.
func (e *events) send(event string, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(e.r.Context(), &b); err != nil {
		return err
	}
	return e.Send(event, "", b.String())
}
