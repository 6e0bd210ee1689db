package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Recover turns a panic into an answer by fail, if nothing of the answer is out yet, else into a broken connection,
// so that half an answer never looks like a whole one. The stack goes to the log.
func Recover(log *slog.Logger, fail func(http.ResponseWriter, *http.Request, error)) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := &watcher{ResponseWriter: w}
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				log.ErrorContext(r.Context(), "panic", "request_id", RequestIDOf(r.Context()), "cause", cause,
					"stack", string(debug.Stack()))
				if seen.status != 0 {
					panic(http.ErrAbortHandler)
				}
				fail(w, r, fmt.Errorf("panic: %v", cause))
			}()
			next.ServeHTTP(seen, r)
		})
	}
}
