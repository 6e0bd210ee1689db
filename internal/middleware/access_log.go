package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// watched are the paths that monitoring requests all day long.
var watched = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

type noteKey struct{}

// Note collects attributes for the log line of a request from the handlers behind the log.
type Note struct {
	attrs []slog.Attr
	ended func(status int, took time.Duration)
}

// OnEnd calls fn once the request is answered, with the status and the time that it took. A later call replaces an earlier one.
func (n *Note) OnEnd(fn func(status int, took time.Duration)) {
	if n != nil {
		n.ended = fn
	}
}

// Add adds an attribute to the request's log line. A Note must only be used by the goroutine of its request.
func (n *Note) Add(a slog.Attr) {
	if n != nil {
		n.attrs = append(n.attrs, a)
	}
}

// NoteOf returns the note of the request that ctx belongs to. Outside of a request, it is nil, which ignores Add.
func NoteOf(ctx context.Context) *Note {
	n, _ := ctx.Value(noteKey{}).(*Note)
	return n
}

// AccessLog writes one line a request: method, path without its query and without tokens, status, bytes, duration. Successful health checks are
// logged at DEBUG.
func AccessLog(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			note, seen, start := &Note{}, &watcher{ResponseWriter: w}, time.Now()
			defer func() {
				note.Add(slog.String("request_id", RequestIDOf(r.Context())))
				note.Add(slog.String("method", r.Method))
				note.Add(slog.String("path", LoggedPath(r.URL.Path)))
				note.Add(slog.Int("status", seen.statusCode()))
				note.Add(slog.Int64("size_bytes", seen.sizeBytes))
				took := time.Since(start)
				note.Add(slog.Duration("took", took))
				if note.ended != nil {
					note.ended(seen.statusCode(), took)
				}
				level := slog.LevelInfo
				if watched[r.URL.Path] && seen.statusCode() == http.StatusOK {
					level = slog.LevelDebug
				}
				log.LogAttrs(r.Context(), level, "request", note.attrs...)
			}()
			next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), noteKey{}, note)))
		})
	}
}

// watcher records the status and size of a response.
type watcher struct {
	http.ResponseWriter
	status    int
	sizeBytes int64
}

func (w *watcher) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.sizeBytes += int64(n)
	return n, err
}

func (w *watcher) statusCode() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Flush sends what was written so far. A compressing handler inside asks for an http.Flusher, and drops the flush if there is none.
func (w *watcher) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }
