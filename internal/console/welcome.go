package console

import (
	"context"
	"net/http"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/workspace"
)

// workspaceHome shows the first steps of a workspace until they are finished or closed. From then on it leads to the search.
func (s *server) workspaceHome(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if v.Home.Welcomed {
		return redirect(w, r, v.Path("/search"))
	}
	page, err := s.firstSteps(ctx, v)
	if err != nil {
		return err
	}
	found, err := s.Search.Search(ctx, auth.Caller{Person: v.Person.ID, Workspace: v.Home.ID}, search.Request{Limit: 1, Facets: []search.Facet{}})
	// The steps are of use while the index does not answer, too.
	page.Empty = err == nil && found.Total+found.Excluded == 0
	return render(w, r, http.StatusOK, view.WelcomePage(page))
}

// firstSteps returns the first steps of the workspace in the navigation, and which of them are done.
func (s *server) firstSteps(ctx context.Context, v view.Viewer) (page view.Welcome, err error) {
	if page.Balance, err = s.Credits.Balance(ctx, v.Home.ID); err != nil {
		return page, err
	}
	exports, _, err := s.Exports.List(ctx, auth.Caller{Person: v.Person.ID, Workspace: v.Home.ID}, "", 1)
	if err != nil {
		return page, err
	}
	tokens, err := s.Tokens.List(ctx, v.Home.ID)
	if err != nil {
		return page, err
	}
	members, err := s.Workspaces.Members(ctx, v.Home.ID)
	if err != nil {
		return page, err
	}
	page.Token, page.Searched, page.Exported = len(tokens) > 0, v.Home.Searched, len(exports) > 0
	page.Invited = len(members) > 1 || !v.Home.Role.Allows(workspace.Owner)
	if !page.Invited {
		invited, err := s.People.Invited(ctx, v.Home.ID)
		if err != nil {
			return page, err
		}
		page.Invited = len(invited) > 0
	}
	return page, nil
}

// welcomed reports whether the first steps are finished or closed. It closes them as soon as all are done.
func (s *server) welcomed(ctx context.Context, v view.Viewer) bool {
	if v.Home.Welcomed {
		return true
	}
	page, err := s.firstSteps(ctx, v)
	if err != nil || !page.Finished() {
		return false
	}
	return s.Workspaces.EndWelcome(ctx, v.Home.ID) == nil
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
