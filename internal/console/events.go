package console

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
)

const (
	eventStreamType = "text/event-stream"

	// After this much silence a comment is sent, so that proxies do not close the stream.
	eventQuietMax = 15 * time.Second
	eventWriteMax = 10 * time.Second
)

// events is a stream of server-sent events.
type events struct {
	w http.ResponseWriter
	r *http.Request
	c *http.ResponseController
}

// stream answers with server-sent events. It calls next at the given interval until next returns false, the browser leaves,
// or the server begins to stop. In the last case the browser reconnects by itself.
func (s *server) stream(
	w http.ResponseWriter, r *http.Request, every time.Duration, next func(*events) (more bool, err error),
) error {
	e := &events{w, r, http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", eventStreamType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	if err := e.write("retry: 2000\n\n"); err != nil {
		return nil //nolint:nilerr // the browser has left
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for quiet := time.Now(); ; {
		more, err := next(e)
		if err != nil || !more {
			s.end(e, err)
			return nil
		}
		if time.Since(quiet) > eventQuietMax {
			if err := e.write(": still here\n\n"); err != nil {
				return nil //nolint:nilerr // the browser has left
			}
			quiet = time.Now()
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.Stopping:
			return nil
		case <-tick.C:
		}
	}
}

// send sends the component to the browser as an event of the given name.
func (e *events) send(event string, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(e.r.Context(), &b); err != nil {
		return err
	}
	data := strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r", ""), "\n", "\ndata: ")
	return e.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, data))
}

// end sends the event that tells the script not to reconnect. After an error it sends nothing: the script reconnects and
// gets the error as an answer.
func (s *server) end(e *events, err error) {
	if err == nil {
		err = e.write("event: end\ndata:\n\n")
	}
	if err != nil && e.r.Context().Err() == nil {
		s.Log.WarnContext(e.r.Context(), "stream cut off", "path", e.r.URL.Path, "error", err)
	}
}

func (e *events) write(text string) error {
	if err := e.c.SetWriteDeadline(time.Now().Add(eventWriteMax)); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.c.Flush()
}
