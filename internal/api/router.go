package api

import (
	"net/http"
	"path"

	"github.com/opencapi/capi/internal/fault"
)

// router gives the mux's own refusals the error body that all others have.
func (s *server) router(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !clean(r.URL.Path) { // the mux would redirect, with a page of HTML
			s.fail(w, r, noSuchPath(r))
			return
		}
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &refusal{header: http.Header{}}
		h.ServeHTTP(refusal, r)
		if allow := refusal.header.Get("Allow"); refusal.status == http.StatusMethodNotAllowed && allow != "" {
			w.Header().Set("Allow", allow)
			s.fail(w, r, fault.New(fault.MethodNotAllowed, "%s does not take %s; it takes %s.", r.URL.Path, r.Method, allow))
			return
		}
		s.fail(w, r, noSuchPath(r))
	})
}

func noSuchPath(r *http.Request) error {
	return fault.New(fault.NotFound, "There is no %s. The API's paths start with %s; /openapi.json lists them.",
		r.URL.Path, basePath)
}

func clean(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	cleaned := path.Clean(p)
	return p == cleaned || p == cleaned+"/"
}

// refusal takes what the mux says instead of an answer.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }
func (r *refusal) WriteHeader(status int)      { r.status = status }
