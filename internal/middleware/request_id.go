package middleware

import (
	"context"
	"crypto/rand"
	"net/http"
)

// RequestIDHeader is the header of the id, in requests and responses.
const RequestIDHeader = "X-Request-Id"

const requestIDLengthMax = 128

type requestIDKey struct{}

// RequestID gives each request an id: the client's own if it is valid, else a new one. The response has it in a header.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(RequestIDHeader)
		if !validRequestID(id) {
			id = rand.Text()
		}
		w.Header().Set(RequestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// RequestIDOf returns the id of the request that ctx belongs to; empty outside of a request.
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// validRequestID keeps line breaks, quotes and long texts out of logs and responses.
func validRequestID(id string) bool {
	if id == "" || len(id) > requestIDLengthMax {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}
