package console

import (
	"net/http"
	"slices"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

func (s *server) settings(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, view.Settings{Name: view.ViewerOf(r.Context()).Workspace.Name})
}

func (s *server) showSettings(w http.ResponseWriter, r *http.Request, status int, page view.Settings) error {
	v := view.ViewerOf(r.Context())
	exports, _, err := s.Exports.List(r.Context(), v.Caller(), "", 1)
	if err != nil {
		return err
	}
	balance, err := s.Credits.Balance(r.Context(), v.Workspace.ID)
	if err != nil {
		return err
	}
	page.Empty = len(exports) == 0 && balance == 0
	if page.Today, err = s.Wall.LimitOf(r.Context(), v.Workspace.ID, id.Token{}); err != nil {
		return err
	}
	page.Locked = s.Wall.LockedBy(v.Workspace.VisibleFields)
	return render(w, r, status, view.SettingsPage(page))
}

func (s *server) renameWorkspace(w http.ResponseWriter, r *http.Request) error {
	v, name := view.ViewerOf(r.Context()), r.PostFormValue("name")
	err := s.Workspaces.Rename(r.Context(), v.Workspace.ID, name)
	if fault.CodeOf(err) == fault.Validation {
		return s.showSettings(w, r, httpx.Status(fault.KindInvalid), view.Settings{Name: name, Faults: fieldErrors(err)})
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Workspace renamed.")
	return redirect(w, r, v.Path("/settings"))
}

// setExportColumns sets the columns with which the form of a new export begins.
func (s *server) setExportColumns(w http.ResponseWriter, r *http.Request) error {
	v, columns := view.ViewerOf(r.Context()), view.ReadColumns(r.PostForm["column"])
	if slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(format.AllColumns(), c) }) {
		s.warn(r.Context(), "Nothing was changed: choose the columns on this page.")
		return redirect(w, r, v.Path("/settings"))
	}
	if err := s.Workspaces.SetExportColumns(r.Context(), v.Workspace.ID, columns); err != nil {
		return err
	}
	s.notice(r.Context(), "New exports begin with these columns.")
	return redirect(w, r, v.Path("/settings"))
}

// setUnbudgetedTokens sets who may create tokens without a budget.
func (s *server) setUnbudgetedTokens(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	choice, err := token.ParseUnbudgeted(r.PostFormValue("without_budget"))
	if err != nil {
		s.warn(r.Context(), "Nothing was changed: choose who may create tokens without a budget.")
		return redirect(w, r, v.Path("/settings"))
	}
	if err := s.Workspaces.SetUnbudgetedTokens(r.Context(), v.Workspace.ID, string(choice)); err != nil {
		return err
	}
	s.notice(r.Context(), "Saved. New tokens follow this.")
	return redirect(w, r, v.Path("/settings"))
}

// deleteWorkspace deletes a workspace that owns nothing.
func (s *server) deleteWorkspace(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	err := s.Memberships.DeleteWorkspace(r.Context(), v.Workspace.ID)
	if fault.CodeOf(err) == fault.Validation {
		s.warn(r.Context(), "The workspace was not deleted: "+messageOf(err))
		return redirect(w, r, v.Path("/settings"))
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), v.Workspace.Name+" was deleted.")
	return redirect(w, r, basePath+"/workspaces")
}

// usualColumns returns the columns of a new export whose address names none: those of the workspace.
func usualColumns(v view.Viewer, o *view.ExportForm, named []string) {
	if len(named) == 0 {
		o.Columns = slices.Clone(v.Workspace.ExportColumns)
	}
}
