package api

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// router serves mux, and replaces the mux's own error pages by the API's error body.
func (s *server) router(mux *http.ServeMux) http.Handler {
	fixed := fixedPaths()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !clean(r.URL.Path) { // the mux would redirect with an HTML page
			s.fail(w, r, noSuchPath(r))
			return
		}
		h, pattern := mux.Handler(r)
		if allow, ok := fixed[r.URL.EscapedPath()]; ok && !slices.Contains(allow, r.Method) {
			s.notAllowed(w, r, strings.Join(allow, ", "))
			return
		}
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &refusal{header: http.Header{}}
		h.ServeHTTP(refusal, r)
		if allow := refusal.header.Get("Allow"); refusal.status == http.StatusMethodNotAllowed && allow != "" {
			s.notAllowed(w, r, allow)
			return
		}
		s.fail(w, r, noSuchPath(r))
	})
}

// fixedPaths returns the methods of each path without parameters. Without them, the mux would serve GET /companies/search as
// the company with the id search.
func fixedPaths() map[string][]string {
	methods := map[string][]string{}
	for _, rt := range routes() {
		if strings.Contains(rt.path, "{") {
			continue
		}
		allowed := methods[basePath+rt.path]
		allowed = append(allowed, rt.method)
		if rt.method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
		slices.Sort(allowed)
		methods[basePath+rt.path] = allowed
	}
	return methods
}

func (s *server) notAllowed(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	s.fail(w, r, fault.New(fault.MethodNotAllowed, "%s does not support %s; use %s.",
		text.Short(r.URL.Path), text.Short(r.Method), allow))
}

func noSuchPath(r *http.Request) error {
	return fault.New(fault.NotFound, "The path %s does not exist. The API's paths start with %s; /openapi.json lists them.",
		text.Short(r.URL.Path), basePath)
}

func clean(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	cleaned := path.Clean(p)
	return p == cleaned || p == cleaned+"/"
}

// refusal is a ResponseWriter that keeps the status and headers of the mux's error page.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }
func (r *refusal) WriteHeader(status int)      { r.status = status }
