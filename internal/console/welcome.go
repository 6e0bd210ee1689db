package console

import (
	"context"
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/workspace"
)

// workspaceHome shows the first steps of a workspace until they are finished or closed. From then on it leads to the search.
func (s *server) workspaceHome(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if v.Workspace.Welcomed {
		return redirect(w, r, v.Path("/search"))
	}
	page, err := s.firstSteps(ctx, v)
	if err != nil {
		return err
	}
	if page.Finished() {
		return s.endWelcome(w, r)
	}
	return render(w, r, http.StatusOK, view.WelcomePage(page))
}

// firstSteps returns the first steps of a workspace, and which of them are done.
func (s *server) firstSteps(ctx context.Context, v view.Viewer) (page view.Welcome, err error) {
	if page.Balance, err = s.Credits.Balance(ctx, v.Workspace.ID); err != nil {
		return page, err
	}
	exports, _, err := s.Exports.List(ctx, v.Caller(), "", 1)
	if err != nil {
		return page, err
	}
	tokens, err := s.Tokens.List(ctx, v.Workspace.ID)
	if err != nil {
		return page, err
	}
	members, err := s.Workspaces.Members(ctx, v.Workspace.ID)
	if err != nil {
		return page, err
	}
	page.Token, page.Searched, page.Exported = len(tokens) > 0, v.Workspace.Searched, len(exports) > 0
	page.Invited = len(members) > 1 || !v.Role.Allows(workspace.Owner)
	if !page.Invited {
		invited, err := s.People.Invited(ctx, v.Workspace.ID)
		if err != nil {
			return page, err
		}
		page.Invited = len(invited) > 0
	}
	return page, nil
}

// endWelcome closes the first steps for good.
func (s *server) endWelcome(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	if err := s.Workspaces.EndWelcome(r.Context(), v.Workspace.ID); err != nil {
		return err
	}
	return redirect(w, r, v.Path("/search"))
}

// notingSearch records the first search of a workspace with a filter, for the first steps.
func notingSearch(next handler) handler {
	return func(s *server, w http.ResponseWriter, r *http.Request) error {
		v := view.ViewerOf(r.Context())
		form := view.ReadSearchForm(r.URL.Query())
		form.SortBy, form.SortOrder = "", ""
		if !v.Workspace.Searched && len(form.Values()) > 0 {
			if err := s.Workspaces.NoteSearch(r.Context(), v.Workspace.ID); err != nil {
				return err
			}
		}
		return next(s, w, r)
	}
}
