package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/membership"
)

// workspacesForm is the state of the page of workspaces.
type workspacesForm struct {
	Name, Credits string // of the one to create
	Faults        map[string]string
}

func (s *server) workspaces(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, http.StatusOK, workspacesView(workspacesForm{}))
}

func (s *server) createWorkspace(w http.ResponseWriter, r *http.Request) error {
	v := viewerOf(r.Context())
	form := workspacesForm{Name: r.PostFormValue("name"), Credits: strings.TrimSpace(r.PostFormValue("credits"))}
	made, err := s.newWorkspace(r, v, form)
	if fault.CodeOf(err) == fault.Validation {
		form.Faults = fieldErrors(err)
		return render(w, r, api.Status(fault.KindInvalid), workspacesView(form))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, made)
}

// newWorkspace gives the address of the workspace that it makes.
func (s *server) newWorkspace(r *http.Request, v Viewer, form workspacesForm) (string, error) {
	credits := int64(0)
	if form.Credits != "" {
		var err error
		if credits, err = strconv.ParseInt(form.Credits, 10, 64); err != nil || credits < 0 {
			return "", fault.Invalid(fault.FieldError{Field: "credits", Message: "is a whole number, 0 or more"})
		}
	}
	ws, err := s.Memberships.CreateWorkspace(r.Context(), membership.NewWorkspace{
		Name: form.Name, Owner: v.Person.ID, Credits: credits, Actor: v.caller().Actor(),
	})
	return workspacePath(ws.ID, ""), err
}
