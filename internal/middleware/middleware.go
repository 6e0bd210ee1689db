// Package middleware wraps HTTP handlers with what every request gets: an id, a log line, metrics and recovery from panics.
// It knows no routes and no rules.
package middleware

import "net/http"

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Chain wraps h; the first middleware sees the request first.
func Chain(h http.Handler, through ...Middleware) http.Handler {
	for i := len(through) - 1; i >= 0; i-- {
		h = through[i](h)
	}
	return h
}
