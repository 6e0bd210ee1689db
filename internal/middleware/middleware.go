// Package middleware wraps HTTP handlers with what every answer has: a request id, a log line, a net under panics.
// It knows no route and no rule.
package middleware

import "net/http"

// Middleware makes a handler out of the one behind it.
type Middleware func(http.Handler) http.Handler

// Chain wraps h; the first middleware sees the request first.
func Chain(h http.Handler, through ...Middleware) http.Handler {
	for i := len(through) - 1; i >= 0; i-- {
		h = through[i](h)
	}
	return h
}
