package console

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// excludedName is the name of the list that keeps what is excluded, unless another one is chosen.
const excludedName = "Excluded"

// usePicked adds the selected companies to a list, exports them or excludes them. They are the ticked ones, or all matches of
// the search in the address.
func (s *server) usePicked(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if err := r.ParseForm(); err != nil {
		return err
	}
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "cursor")
	back := asked.At(v.Path("/search"), "cursor", params.Get("cursor"))
	do, all := r.PostForm.Get("do"), r.PostForm.Get("all") != ""
	if all && do == "export" {
		return redirect(w, r, asked.At(v.Path("/exports/new"), "saved", ""))
	}
	picked, err := s.picked(ctx, &asked, all, r.PostForm["company"])
	switch {
	case fault.CodeOf(err) == fault.Validation:
		return s.refuseSearch(w, r, &asked)
	case err != nil:
		return err
	case picked.Companies.IsEmpty():
		s.warn(ctx, "Nothing is selected. Tick companies first, or select all matches.")
		return redirect(w, r, back)
	}
	l, err := s.listForPicked(r, asked.NotOn, picked.Companies.Len())
	if fault.CodeOf(err) == fault.Validation {
		s.warn(ctx, "Nothing was added: "+messageOf(err)+" Choose a list, or type the name of a new one.")
		return redirect(w, r, back)
	}
	if err != nil {
		return err
	}
	l, added, err := s.Lists.Add(ctx, v.Workspace.ID, l.ID, picked.Companies)
	if err != nil {
		return err
	}
	said := "Added " + view.Companies(ctx, added) + " to \"" + l.Name + "\", which has " + view.Count(ctx, l.Len) + " now."
	if added == 0 {
		said = "All of them are on \"" + l.Name + "\" already, which has " + view.Companies(ctx, l.Len) + "."
	}
	switch do {
	case "export":
		said, back = "The selection is now the list \""+l.Name+"\", which is exported here.", v.Path("/exports/new?list="+l.ID.String())
	case "exclude":
		said += " This search leaves out what is on it."
		back = asked.At(v.Path("/search"), "not_on", l.ID.String())
	}
	if picked.Capped {
		said += " The search matches more: only the largest " + view.Count(ctx, search.PickMax) + " were added."
	}
	s.notice(ctx, said)
	return redirect(w, r, back)
}

// listForPicked returns the list that the selected companies go on. now is the list that the search leaves out already.
func (s *server) listForPicked(r *http.Request, now id.List, companies int) (list.List, error) {
	ctx := r.Context()
	switch r.PostForm.Get("do") {
	case "export":
		name := cmp.Or(strings.TrimSpace(r.PostForm.Get("name")), "Selection of "+view.Plural(ctx, companies, "company", "companies"))
		return s.Lists.Create(ctx, view.ViewerOf(ctx).Workspace.ID, name)
	case "exclude":
		return s.exclusionList(r, now)
	}
	return s.listOf(r)
}

// picked returns the companies with the ids, or all matches of the search.
func (s *server) picked(ctx context.Context, asked *view.SearchForm, all bool, ids []string) (search.Picked, error) {
	if all {
		explored, q, err := s.explored(ctx, asked)
		if err != nil {
			return search.Picked{}, err
		}
		return s.Search.Pick(ctx, view.ViewerOf(ctx).Caller(), search.PickRequest{
			Queries: []query.Query{q}, Show: explored.Show, Except: explored.Except,
		})
	}
	var known []id.Company
	for _, text := range ids {
		if c, err := id.Parse[id.Company](text); err == nil {
			known = append(known, c)
		}
	}
	return s.Search.Pick(ctx, view.ViewerOf(ctx).Caller(), search.PickRequest{IDs: known})
}

// exclusionList returns the list that the search leaves out already, else the chosen one, else the workspace's list of that name.
func (s *server) exclusionList(r *http.Request, now id.List) (list.List, error) {
	ctx, ws := r.Context(), view.ViewerOf(r.Context()).Workspace.ID
	if !now.IsZero() {
		return s.Lists.Get(ctx, ws, now)
	}
	if r.PostForm.Get("list_id") != "" || strings.TrimSpace(r.PostForm.Get("name")) != "" {
		return s.listOf(r)
	}
	lists, err := s.Lists.List(ctx, ws, id.List{}, list.ListsMax)
	if err != nil {
		return list.List{}, err
	}
	for _, l := range lists {
		if l.Name == excludedName {
			return l, nil
		}
	}
	return s.Lists.Create(ctx, ws, excludedName)
}
