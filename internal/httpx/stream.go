package httpx

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// EventStreamType is the media type of server-sent events.
	EventStreamType = "text/event-stream"

	// After this much silence a comment is sent, so that proxies do not close the stream.
	eventQuietMax = 15 * time.Second
	eventWriteMax = 10 * time.Second
)

// EventStream is a stream of server-sent events.
type EventStream struct {
	w http.ResponseWriter
	c *http.ResponseController

	quietSince time.Time
}

// StreamEvents answers with server-sent events. It calls next at the given interval until next returns false or an error, which it
// returns, or until the client leaves or stopping is closed. Then the client reconnects by itself. It reports whether next has
// returned false.
func StreamEvents(
	w http.ResponseWriter, r *http.Request, every time.Duration, stopping <-chan struct{}, next func(*EventStream) (more bool, err error),
) (ended bool, err error) {
	e := &EventStream{w: w, c: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", EventStreamType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	if err := e.write("retry: 2000\n\n"); err != nil {
		return false, nil //nolint:nilerr // the client has left
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if more, err := next(e); err != nil || !more {
			return err == nil, err
		}
		if time.Since(e.quietSince) > eventQuietMax {
			if err := e.write(": still here\n\n"); err != nil {
				return false, nil //nolint:nilerr // the client has left
			}
		}
		select {
		case <-r.Context().Done():
			return false, nil
		case <-stopping:
			return false, nil
		case <-tick.C:
		}
	}
}

// Send sends an event of the given name. The id is what a client sends as Last-Event-ID when it reconnects; empty for none.
func (e *EventStream) Send(event, id, data string) error {
	if id != "" {
		id = "id: " + id + "\n"
	}
	if data != "" {
		data = " " + strings.ReplaceAll(strings.ReplaceAll(data, "\r", ""), "\n", "\ndata: ")
	}
	return e.write(fmt.Sprintf("event: %s\n%sdata:%s\n\n", event, id, data))
}

func (e *EventStream) write(text string) error {
	if err := e.c.SetWriteDeadline(time.Now().Add(eventWriteMax)); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	e.quietSince = time.Now()
	return e.c.Flush()
}
