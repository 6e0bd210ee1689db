package console

import (
	"net/http"
	"net/url"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// serve wraps the route's handler in its access check and a limit on the size of the body.
func (s *server) serve(rt route) http.Handler {
	return s.handle(func(s *server, w http.ResponseWriter, r *http.Request) error {
		v, err := s.authorize(rt.access, r)
		if err != nil {
			return err
		}
		if rt.access != anyone && !v.SignedIn() {
			return s.redirectToSignIn(w, r)
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, bodySizeBytesMax)
		}
		return rt.handler(s, w, r.WithContext(view.WithLocale(view.WithViewer(r.Context(), v), r)))
	})
}

// bodySizeBytesMax is the most that a form or an upload may send.
const bodySizeBytesMax = 4 << 20

// handle converts a handler to an http.Handler that shows its error.
func (s *server) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(s, w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// authorize returns the viewer together with the workspace of the path. A request without a session passes: serve redirects
// it to the sign-in page. The workspace of others answers as if it did not exist.
func (s *server) authorize(required access, r *http.Request) (view.Viewer, error) {
	v := view.ViewerOf(r.Context())
	if required == anyone || !v.SignedIn() {
		return v, nil
	}
	if required == operator && !v.Person.Operator {
		return v, notFound() // the same answer as for an unknown path
	}
	if required != member && required != owner {
		return v, nil
	}
	ws, err := id.Parse[id.Workspace](r.PathValue("workspace_id"))
	if err != nil {
		return v, notFound()
	}
	for _, m := range v.Memberships {
		if m.ID == ws {
			v.Workspace, v.Role = m.Workspace, m.Role
		}
	}
	switch {
	case v.Workspace.ID.IsZero():
		return v, notFound()
	case required == owner && !v.Role.Allows(workspace.Owner):
		return v, fault.New(fault.Forbidden, "Only an owner of %s can do this.", v.Workspace.Name)
	}
	return v, nil
}

// redirectToSignIn sends the browser to the sign-in page, and from there back to this page. Scripts and forms get an error
// instead.
func (s *server) redirectToSignIn(w http.ResponseWriter, r *http.Request) error {
	if isFragment(r) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return fault.New(fault.SignInNeeded, "Your session has ended. Sign in again.")
	}
	target := basePath + "/sign-in"
	if r.URL.Path != basePath+"/" {
		target += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// notFound returns the error for a path that does not exist.
func notFound() error { return fault.New(fault.NotFound, "This page does not exist.") }
