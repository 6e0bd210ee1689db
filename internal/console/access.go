package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// serve wraps the route's handler in its access check and a limit on the size of the body.
func (s *server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.authorize(rt.access, r)
		// From here on errors are shown in the frame, too.
		r = s.framed(r.WithContext(view.WithLocale(view.WithViewer(r.Context(), v), r)))
		by := auditlog.By{Address: s.clientAddress(r)}
		if v.SignedIn() {
			by.Actor = "person:" + v.Person.ID.String()
		}
		r = r.WithContext(auditlog.With(r.Context(), by))
		switch {
		case err != nil:
		case rt.access != anyone && !v.SignedIn():
			err = s.redirectToSignIn(w, r)
		default:
			if rt.path != uploadPath {
				err = readForm(w, r)
			}
			if err == nil {
				err = rt.handler(s, w, r)
			}
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// framed adds to the viewer what the frame of a page shows: the navigation of the workspace of the path, or else of the one
// that the person opened last, and its balance.
func (s *server) framed(r *http.Request) *http.Request {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if !v.SignedIn() || !v.Home.ID.IsZero() {
		return r
	}
	ctx = view.WithOperators(ctx, func() []account.Person {
		all, err := s.People.Operators(ctx)
		if err != nil {
			s.Log.ErrorContext(ctx, "operators not named", "error", err)
		}
		return all
	})
	last := s.sessions.GetString(ctx, homeKey)
	for i, m := range v.Memberships {
		opened := m.ID == v.Workspace.ID || v.Workspace.ID.IsZero() && m.ID.String() == last
		if i == 0 || opened {
			v.Home = m
		}
		if opened {
			break
		}
	}
	if v.Home.ID.IsZero() {
		return r.WithContext(ctx)
	}
	if isFragment(r) {
		return r.WithContext(view.WithViewer(ctx, v))
	}
	if v.Home.ID == v.Workspace.ID && v.Home.ID.String() != last {
		s.sessions.Put(ctx, homeKey, v.Home.ID.String())
	}
	v.Home.Welcomed = s.welcomed(ctx, v)
	if balance, err := s.Credits.Balance(ctx, v.Home.ID); err == nil { // a page must not fail because its frame does
		v.Balance = &balance
	}
	return r.WithContext(view.WithViewer(ctx, v))
}

// readForm reads the form of a POST, except for files in it. Without it, a form that is too large would look empty.
func readForm(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodySizeBytesMax)
	err := r.ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		return fault.Invalid(fault.FieldError{Message: "The form could not be read. Reload the page and send it again."})
	}
	return err
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
		return v, s.noMember(r.Context(), ws, v.Person.ID)
	case required == owner && !v.Role.Allows(workspace.Owner):
		return v, fault.New(fault.Forbidden, "Only an owner of %s can do this.", v.Workspace.Name)
	}
	return v, nil
}

// noMember returns the error for a workspace that the person is not in. Only a person who was in it learns that it exists.
func (s *server) noMember(ctx context.Context, ws id.Workspace, person id.Person) error {
	left, ok, err := s.Workspaces.Left(ctx, ws, person)
	switch {
	case err != nil:
		return err
	case ok:
		return fault.New(fault.Forbidden, "You are no longer in %s. Ask one of its owners for an invitation to return.", left.Name)
	}
	return notFound()
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
