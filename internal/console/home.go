package console

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
)

// Path is the pattern by which the console is mounted.
const Path = basePath + "/"

// Front redirects a browser that opens the root of the server to the console. Other clients get an error from fail.
func Front(fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Redirect(w, r, Path, http.StatusFound)
			return
		}
		fail(w, r, fault.New(fault.NotFound, "Nothing is served at /. API paths start with /api/v1; /openapi.json lists them."))
	})
}

// Icon redirects browsers that look for the icon where it was before pages named it.
func Icon() http.Handler { return http.RedirectHandler(view.Asset("icon.svg"), http.StatusFound) }

// Robots answers /robots.txt: search engines may read the documentation only.
func Robots() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "User-agent: *\nDisallow: %s\nDisallow: /api/\nDisallow: /files/\n", Path)
	})
}

// home redirects to the only workspace of the person, or to their list of workspaces.
func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	if v := view.ViewerOf(r.Context()); len(v.Memberships) == 1 {
		return redirect(w, r, view.WorkspacePath(v.Memberships[0].ID, ""))
	}
	return redirect(w, r, basePath+"/workspaces")
}

// tokens redirects to the tokens of the workspace that the person opened last. The documentation links to it, because it knows no
// workspace.
func (s *server) tokens(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	if v.Home.ID.IsZero() {
		return redirect(w, r, basePath+"/workspaces")
	}
	return redirect(w, r, view.WorkspacePath(v.Home.ID, "/tokens"))
}
