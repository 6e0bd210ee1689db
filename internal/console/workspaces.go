package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/workspace"
)

func (s *server) workspaces(w http.ResponseWriter, r *http.Request) error {
	return s.showWorkspaces(w, r, http.StatusOK, view.Workspaces{})
}

func (s *server) showWorkspaces(w http.ResponseWriter, r *http.Request, status int, form view.Workspaces) error {
	v := view.ViewerOf(r.Context())
	if v.Person.Operator {
		all, err := s.Workspaces.List(r.Context())
		if err != nil {
			return err
		}
		form.Rest = slices.DeleteFunc(all, func(w workspace.Workspace) bool {
			return slices.ContainsFunc(v.Memberships, func(m workspace.Membership) bool { return m.ID == w.ID })
		})
	}
	return render(w, r, status, view.WorkspacesPage(form))
}

// ownWorkspace makes an operator an owner of a workspace of others. They can do the same at the command line, and members
// can see it.
func (s *server) ownWorkspace(w http.ResponseWriter, r *http.Request) error {
	ws, err := id.Parse[id.Workspace](r.PathValue("id"))
	if err != nil {
		return notFound()
	}
	if err := s.Memberships.Own(r.Context(), ws, view.ViewerOf(r.Context()).Person.ID); err != nil {
		return err
	}
	return redirect(w, r, view.WorkspacePath(ws, "/members"))
}

func (s *server) createWorkspace(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	form := view.Workspaces{Name: r.PostFormValue("name"), Credits: strings.TrimSpace(r.PostFormValue("credits"))}
	made, err := s.newWorkspace(r, v, form)
	if fault.CodeOf(err) == fault.Validation {
		form.Faults = fieldErrors(err)
		return s.showWorkspaces(w, r, httpx.Status(fault.KindInvalid), form)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, made)
}

// newWorkspace creates the workspace and returns its address.
func (s *server) newWorkspace(r *http.Request, v view.Viewer, form view.Workspaces) (string, error) {
	credits := int64(0)
	if form.Credits != "" {
		var err error
		if credits, err = strconv.ParseInt(form.Credits, 10, 64); err != nil || credits < 0 {
			return "", fault.Invalid(fault.FieldError{Field: "credits", Message: "must be a whole number, 0 or more"})
		}
	}
	ws, err := s.Memberships.CreateWorkspace(r.Context(), membership.NewWorkspace{
		Name: form.Name, Owner: v.Person.ID, Credits: credits, Actor: v.Caller().Actor(),
	})
	return view.WorkspacePath(ws.ID, ""), err
}
