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
	if page.Items, err = s.Search.Items(ctx, v.Caller(), numbers); err != nil {
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

// excludeList leaves the companies of the list out of everything, or ends that.
func (s *server) excludeList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	excluded := r.PostFormValue("excluded") == "1"
	if _, err := s.Lists.Update(r.Context(), l.Workspace, l.ID, list.Update{Excluded: &excluded}); err != nil {
		return err
	}
	if !excluded { // while it is left out, its page says so
		s.notice(r.Context(), "The companies on \""+l.Name+"\" are no longer left out.")
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
	s.undoable(r.Context(), "Deleted the list \""+l.Name+"\".", view.Undo{Action: view.ListPath(r.Context(), l.ID) + "/restore"})
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/lists"))
}

// restoreList brings back a list that was deleted.
func (s *server) restoreList(w http.ResponseWriter, r *http.Request) error {
	deleted, err := id.Parse[id.List](r.PathValue("list_id"))
	if err != nil {
		return notFound()
	}
	l, err := s.Lists.Restore(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, deleted)
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Restored the list \""+l.Name+"\".")
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// removeFromList removes the selected companies from the list.
func (s *server) removeFromList(w http.ResponseWriter, r *http.Request) error {
	l, picked, err := s.pickedForList(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	on, err := s.Lists.Companies(ctx, l.Workspace, l.ID)
	if err != nil {
		return err
	}
	var numbers []company.Number
	for number := range picked.And(on).All() {
		numbers = append(numbers, number)
	}
	items, err := s.Search.Items(ctx, view.ViewerOf(ctx).Caller(), numbers)
	if err != nil {
		return err
	}
	if _, _, err := s.Lists.Remove(ctx, l.Workspace, l.ID, picked); err != nil {
		return err
	}
	undo := view.Undo{Action: view.ListPath(ctx, l.ID) + "/companies", Name: "company"}
	for _, item := range items {
		undo.Values = append(undo.Values, item.ID.String())
	}
	if len(items) == 0 {
		s.warn(ctx, "Nothing was removed. Tick companies first.")
	} else {
		s.undoable(ctx, "Removed "+view.Plural(ctx, len(items), "company", "companies")+".", undo)
	}
	return redirect(w, r, view.ListPath(ctx, l.ID))
}

// addToList adds companies to the list, as undoing their removal does.
func (s *server) addToList(w http.ResponseWriter, r *http.Request) error {
	l, picked, err := s.pickedForList(r)
	if err != nil {
		return err
	}
	_, added, err := s.Lists.Add(r.Context(), l.Workspace, l.ID, picked)
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Added "+view.Companies(r.Context(), added)+".")
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// pickedForList returns the list in the path, and the companies in the form, which are at most those of a page.
func (s *server) pickedForList(r *http.Request) (list.List, company.Set, error) {
	l, err := s.listIn(r)
	if err != nil {
		return l, company.Set{}, err
	}
	if err := r.ParseForm(); err != nil {
		return l, company.Set{}, err
	}
	ids := idsIn(r.PostForm["company"])
	picked, err := s.Search.Pick(r.Context(), view.ViewerOf(r.Context()).Caller(), search.PickRequest{IDs: ids[:min(len(ids), pageSize)]})
	return l, picked.Companies, err
}
