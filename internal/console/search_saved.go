package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

// The most searches that the search page lists.
const (
	savedShown = 10
	recentsMax = 6
)

// recentBytesMax is the length of an address above which a search is not remembered, because a session is read on every request.
const recentBytesMax = 1000

// recentKey is the key of a workspace's recent searches in a session: their addresses, the newest first, in lines.
func recentKey(ws id.Workspace) string { return "recent " + ws.String() }

// remember makes the search the newest of the person's recent ones, in whatever order it is. They last as long as the session.
func (s *server) remember(ctx context.Context, asked view.SearchForm) {
	if !asked.HasFilters() {
		return
	}
	asked.Saved, asked.SortBy, asked.SortOrder = id.Search{}, "", ""
	key, at := recentKey(view.ViewerOf(ctx).Workspace.ID), asked.At("")
	kept := strings.Fields(s.sessions.GetString(ctx, key))
	if len(at) > recentBytesMax || len(kept) > 0 && kept[0] == at {
		return
	}
	kept = slices.DeleteFunc(kept, func(known string) bool { return known == at })
	kept = append([]string{at}, kept...)
	s.sessions.Put(ctx, key, strings.Join(kept[:min(len(kept), recentsMax)], "\n"))
}

// savedSearches adds the saved and the recent searches to the page, and the saved one that was opened.
func (s *server) savedSearches(ctx context.Context, page *view.Search) error {
	ws := view.ViewerOf(ctx).Workspace.ID
	all, err := s.Lists.Searches(ctx, ws)
	if err != nil {
		return err
	}
	for _, saved := range all {
		if saved.ID == page.Saved {
			page.Opened = saved
		}
	}
	if page.Opened.ID.IsZero() {
		page.Saved = id.Search{} // it was deleted
	}
	page.Saves = all[:min(len(all), savedShown)]
	for _, at := range strings.Fields(s.sessions.GetString(ctx, recentKey(ws))) {
		if params, err := url.ParseQuery(strings.TrimPrefix(at, "?")); err == nil {
			recent := view.ReadSearchForm(params)
			if _, err := s.nameSets(ctx, &recent); err != nil {
				return err
			}
			page.Recents = append(page.Recents, recent)
		}
	}
	return nil
}

// saveSearch saves the search in the address under a name.
func (s *server) saveSearch(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params)
	if _, _, err := asked.Parse(); err != nil {
		return s.refuseSearch(w, r, &asked)
	}
	saved, err := s.Lists.SaveSearch(ctx, v.Workspace.ID, asked.ToSave(r.PostFormValue("name")))
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, "The search was not saved: "+messageOf(err))
	case err != nil:
		return err
	default:
		if asked.Saved = saved.ID; asked.IsLong() {
			asked = view.SavedAsSet(saved)
		}
		s.notice(ctx, "Saved \""+saved.Name+"\". Open it under Searches.")
	}
	return redirect(w, r, asked.At(v.Path("/search")))
}

// refuseSearch returns to a search with errors, which the page lists.
func (s *server) refuseSearch(w http.ResponseWriter, r *http.Request, asked *view.SearchForm) error {
	s.warn(r.Context(), "Nothing was saved, because the search is not valid.")
	return redirect(w, r, asked.At(view.ViewerOf(r.Context()).Path("/search")))
}

// changeSearch renames a saved search, gives it the filters in the address, or deletes it.
func (s *server) changeSearch(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params)
	known, err := id.Parse[id.Search](r.PathValue("search_id"))
	if err != nil {
		return notFound()
	}
	saved, err := s.Lists.GetSearch(ctx, v.Workspace.ID, known)
	if err != nil {
		return err
	}
	if r.PostFormValue("do") == "delete" {
		asked.Saved = id.Search{}
		return s.dropSearch(w, r, saved, asked.At(v.Path("/search")))
	}
	saved.Name = r.PostFormValue("name")
	var did string
	switch r.PostFormValue("do") {
	case "update":
		if _, _, err := asked.Parse(); err != nil {
			return s.refuseSearch(w, r, &asked)
		}
		itself := query.SetRef{SavedSearchID: known.String()}
		if slices.ContainsFunc(asked.StoredSets(), func(ref query.SetRef) bool { return view.SetText(ref) == view.SetText(itself) }) {
			s.warn(ctx, "The search was not changed: it cannot be a search within itself.")
			return redirect(w, r, asked.At(v.Path("/search")))
		}
		did, asked.Saved = "Updated", known
		_, err = s.Lists.UpdateSearch(ctx, v.Workspace.ID, asked.ToSave(saved.Name))
	default:
		did = "Renamed to"
		_, err = s.Lists.UpdateSearch(ctx, v.Workspace.ID, saved)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, "The search was not changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(ctx, did+" \""+strings.TrimSpace(saved.Name)+"\".")
	}
	return redirect(w, r, asked.At(v.Path("/search")))
}

func (s *server) deleteSearch(w http.ResponseWriter, r *http.Request) error {
	known, err := id.Parse[id.Search](r.PathValue("search_id"))
	if err != nil {
		return notFound()
	}
	v := view.ViewerOf(r.Context())
	saved, err := s.Lists.GetSearch(r.Context(), v.Workspace.ID, known)
	if err != nil {
		return err
	}
	return s.dropSearch(w, r, saved, v.Path("/lists"))
}

// dropSearch deletes a saved search and redirects. Undo saves it again.
func (s *server) dropSearch(w http.ResponseWriter, r *http.Request, saved list.Search, then string) error {
	v := view.ViewerOf(r.Context())
	if err := s.Lists.DeleteSearch(r.Context(), v.Workspace.ID, saved.ID); err != nil {
		return err
	}
	again := view.SavedForm(saved)
	again.Saved = id.Search{}
	s.undoable(r.Context(), "Deleted the saved search \""+saved.Name+"\".",
		view.Undo{Action: again.At(v.Path("/searches")), Name: "name", Values: []string{saved.Name}})
	return redirect(w, r, then)
}
