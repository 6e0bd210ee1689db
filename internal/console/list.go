package console

import (
	"net/http"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

func (s *server) listLists(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	before, err := id.Parse[id.List](r.URL.Query().Get("cursor"))
	page := &view.Lists{Later: err == nil}
	if page.Lists, err = s.Lists.List(ctx, v.Workspace.ID, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Lists) > pageSize {
		page.Lists = page.Lists[:pageSize]
		page.Next = v.Path("/lists?cursor=" + page.Lists[pageSize-1].ID.String())
	}
	if !page.Later {
		if page.Searches, err = s.Lists.Searches(ctx, v.Workspace.ID); err != nil {
			return err
		}
	}
	return render(w, r, http.StatusOK, view.ListsPage(page))
}

func (s *server) createList(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	l, err := s.Lists.Create(r.Context(), v.Workspace.ID, r.PostFormValue("name"))
	if fault.CodeOf(err) == fault.Validation {
		s.warn(r.Context(), "The list was not created: "+messageOf(err))
		return redirect(w, r, v.Path("/lists"))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// listIn returns the list in the path.
func (s *server) listIn(r *http.Request) (list.List, error) {
	l, err := id.Parse[id.List](r.PathValue("list_id"))
	if err != nil {
		return list.List{}, notFound()
	}
	return s.Lists.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, l)
}

func (s *server) showList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	return s.renderList(w, r, http.StatusOK, &view.List{List: l})
}

func (s *server) renderList(w http.ResponseWriter, r *http.Request, status int, page *view.List) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 32)
	page.Later = err == nil && after > 0
	numbers, more, err := s.Lists.Numbers(ctx, v.Workspace.ID, page.ID, company.Number(after), pageSize)
	if err != nil {
		return err
	}
	if page.Items, err = s.Search.Items(ctx, v.Workspace.ID, numbers); err != nil {
		return err
	}
	if more {
		page.Next = view.ListPath(ctx, page.ID) + "?after=" + strconv.FormatUint(uint64(numbers[len(numbers)-1]), 10)
	}
	return render(w, r, status, view.ListPage(page))
}

func (s *server) renameList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	_, err = s.Lists.Rename(r.Context(), l.Workspace, l.ID, r.PostFormValue("name"))
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "The list was not renamed: "+messageOf(err))
	case err != nil:
		return err
	}
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

func (s *server) deleteList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	if err := s.Lists.Delete(r.Context(), l.Workspace, l.ID); err != nil {
		return err
	}
	s.notice(r.Context(), l.Name+" was deleted.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/lists"))
}

// removeFromList removes the selected companies from the list.
func (s *server) removeFromList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	picked, err := s.Search.Pick(r.Context(), search.PickRequest{IDs: idsIn(r.PostForm["company"])})
	if err != nil {
		return err
	}
	_, removed, err := s.Lists.Remove(r.Context(), l.Workspace, l.ID, picked.Companies)
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Removed "+view.Plural(r.Context(), removed, "company", "companies")+".")
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}
