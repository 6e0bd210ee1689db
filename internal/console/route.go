package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// need is who may see a page.
type need uint8

// The needs; member and owner are of the workspace in the path.
const (
	nobody   need = iota + 1 // anyone, signed in or not
	person                   // whoever is signed in
	member                   // a member of {workspace_id}
	owner                    // an owner of {workspace_id}
	operator                 // one who manages the whole installation
)

// handler answers a request, or says why not; fail tells the error.
type handler func(s *server, w http.ResponseWriter, r *http.Request) error

// route is a page, or what a form or a script asks for.
type route struct {
	method, path string // the path below basePath
	needs        need
	handler      handler
}

// routes is everything that the console answers, but for its assets.
func routes() []route { return slices.Concat(accountRoutes(), pageRoutes(), operatorRoutes()) }

// accountRoutes are about who one is, and where one belongs.
func accountRoutes() []route {
	return []route{
		{http.MethodGet, "/{$}", person, (*server).home},
		{http.MethodGet, "/sign-in", nobody, (*server).signInPage},
		{http.MethodPost, "/sign-in", nobody, (*server).signIn},
		{http.MethodGet, "/sign-in/oidc", nobody, (*server).leaveForProvider},
		{http.MethodGet, "/sign-in/oidc/callback", nobody, (*server).returnFromProvider},
		{http.MethodPost, "/sign-out", nobody, (*server).signOut},
		{http.MethodGet, "/join", nobody, (*server).joinPage},
		{http.MethodPost, "/join", nobody, (*server).join},

		{http.MethodGet, "/account", person, (*server).account},
		{http.MethodPost, "/account/password", person, (*server).changePassword},
		{http.MethodPost, "/account/sessions/end-others", person, (*server).endOtherSessions},
		{http.MethodPost, "/account/sessions/{session_id}/end", person, (*server).endSession},

		{http.MethodGet, "/workspaces", person, (*server).workspaces},
		{http.MethodPost, "/workspaces", operator, (*server).createWorkspace},
		{http.MethodPost, "/workspaces/{id}/own", operator, (*server).ownWorkspace},

		{http.MethodGet, "/w/{workspace_id}/members", member, (*server).members},
		{http.MethodPost, "/w/{workspace_id}/leave", member, (*server).leave},
		{http.MethodPost, "/w/{workspace_id}/invitations", owner, (*server).invite},
		{http.MethodPost, "/w/{workspace_id}/invitations/{invitation_id}/withdraw", owner, (*server).withdraw},
		{http.MethodPost, "/w/{workspace_id}/members/{person_id}/role", owner, (*server).setRole},
		{http.MethodPost, "/w/{workspace_id}/members/{person_id}/remove", owner, (*server).removeMember},
	}
}

// serve answers a route's requests from those who may.
func (s *server) serve(rt route) http.Handler {
	return s.handle(func(s *server, w http.ResponseWriter, r *http.Request) error {
		v, err := s.admit(rt.needs, r)
		if err != nil {
			return err
		}
		if rt.needs != nobody && !v.SignedIn() {
			return s.toSignIn(w, r)
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, bodySizeBytesMax)
		}
		return rt.handler(s, w, r.WithContext(view.WithLocale(view.WithViewer(r.Context(), v), r)))
	})
}

// bodySizeBytesMax bounds what a form or an upload sends.
const bodySizeBytesMax = 4 << 20

func (s *server) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(s, w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// admit is the viewer with the workspace of the path. One who is not signed in passes, to be sent to sign in; a
// workspace of others is told like one that does not exist.
func (s *server) admit(needs need, r *http.Request) (view.Viewer, error) {
	v := view.ViewerOf(r.Context())
	if needs == nobody || !v.SignedIn() {
		return v, nil
	}
	if needs == operator && !v.Person.Operator {
		return v, noPage() // as for a path that does not exist
	}
	if needs != member && needs != owner {
		return v, nil
	}
	ws, err := id.Parse[id.Workspace](r.PathValue("workspace_id"))
	if err != nil {
		return v, noPage()
	}
	for _, m := range v.Others {
		if m.ID == ws {
			v.Workspace, v.Role = m.Workspace, m.Role
		}
	}
	switch {
	case v.Workspace.ID.IsZero():
		return v, noPage()
	case needs == owner && !v.Role.Allows(workspace.Owner):
		return v, fault.New(fault.Forbidden, "Only an owner of %s can do this.", v.Workspace.Name)
	}
	return v, nil
}

// toSignIn sends the browser to sign in, and back to the page afterwards. A script is told to.
func (s *server) toSignIn(w http.ResponseWriter, r *http.Request) error {
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

func noPage() error { return fault.New(fault.NotFound, "This page does not exist.") }
