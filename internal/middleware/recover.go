package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Recover turns a panic into a response by fail if nothing has been sent yet. Otherwise it aborts the connection, so that a
// truncated response never looks complete. It logs the stack.
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
