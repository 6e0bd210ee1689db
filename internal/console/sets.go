package console

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// The sets of each kind that the page for choosing sets lists, the exports that are read at a time, and those that are found by name.
const (
	setsShown      = 40
	exportsPage    = 500
	exportsByName  = 10_000
	setIDEndLength = 6 // of an id, to tell sets of one name, size and day apart
)

// chooseSets offers lists, saved searches and exports by name, to search in them or to leave them out.
func (s *server) chooseSets(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "contains")
	if _, err := s.nameSets(ctx, &asked); err != nil {
		return err
	}
	page := &view.Sets{SearchForm: &asked, Contains: strings.TrimSpace(params.Get("contains"))}
	if page.Groups, err = s.setGroups(ctx, page.Contains, setsShown); err != nil {
		return err
	}
	page.AddChosen()
	return render(w, r, http.StatusOK, view.SetsPage(page))
}

// setGroups returns what a person can choose by name: of each kind the newest whose names contain the text, at most this many.
func (s *server) setGroups(ctx context.Context, contains string, most int) ([]view.SetGroup, error) {
	groups, err := s.storedSets(ctx)
	contains = text.Fold(contains)
	for i := range groups {
		g := &groups[i]
		g.Sets = slices.DeleteFunc(g.Sets, func(c view.SetChoice) bool { return !strings.Contains(text.Fold(c.Name), contains) })
		if len(g.Sets) > most {
			g.Sets, g.More = g.Sets[:most], true
		}
	}
	return groups, err
}

// storedSets returns every set that has a name, the newest of each kind first; of very many exports the newest exportsByName.
func (s *server) storedSets(ctx context.Context) ([]view.SetGroup, error) {
	v := view.ViewerOf(ctx)
	lists, err := s.Lists.List(ctx, v.Workspace.ID, id.List{}, list.ListsMax)
	if err != nil {
		return nil, err
	}
	searches, err := s.Lists.Searches(ctx, v.Workspace.ID)
	if err != nil {
		return nil, err
	}
	groups := []view.SetGroup{{Title: "Yours"}, {Title: "Lists"}, {Title: "Saved searches"}, {Title: "Exports"}}
	add := func(group int, ref query.SetRef, name string, about ...string) {
		groups[group].Sets = append(groups[group].Sets, view.SetChoice{Text: view.SetText(ref), Name: name, About: strings.Join(about, ", ")})
	}
	add(0, query.SetRef{Owned: true}, "Companies that you own")
	for _, l := range lists {
		add(1, query.SetRef{ListID: l.ID.String()}, l.Name, "list", view.PlainCompanies(l.Len), l.CreatedAt.UTC().Format(time.DateOnly))
	}
	for _, saved := range searches {
		add(2, query.SetRef{SavedSearchID: saved.ID.String()}, saved.Name, "saved search", saved.CreatedAt.UTC().Format(time.DateOnly))
	}
	for after := ""; len(groups[3].Sets) < exportsByName; {
		exports, next, err := s.Exports.List(ctx, v.Caller(), after, exportsPage)
		if err != nil {
			return nil, err
		}
		for _, e := range exports {
			add(3, query.SetRef{ExportID: e.ID.String()}, e.Name, "export", view.PlainCompanies(e.Figures.Rows()), e.CreatedAt.UTC().Format(time.DateOnly))
		}
		if after = next; next == "" {
			break
		}
	}
	tellApart(groups)
	return groups, nil
}

// tellApart adds the end of the id to what is said about sets of one label.
func tellApart(groups []view.SetGroup) {
	seen := map[string]int{}
	for _, g := range groups {
		for _, c := range g.Sets {
			seen[c.Label()]++
		}
	}
	for _, g := range groups {
		for i := range g.Sets {
			if c := &g.Sets[i]; seen[c.Label()] > 1 {
				c.About += ", …" + c.Text[len(c.Text)-setIDEndLength:]
			}
		}
	}
}

// nameSets sets the names of the sets that the form has. It returns an error of the form for each one that was deleted.
func (s *server) nameSets(ctx context.Context, asked *view.SearchForm) (deleted []fault.FieldError, err error) {
	names, missing, err := s.setNames(ctx, asked.StoredSets())
	if err != nil {
		return nil, err
	}
	asked.SetNames = names
	for _, ref := range missing {
		param := "not_in"
		within := view.SearchForm{Filters: query.Filters{In: asked.In}}
		if slices.ContainsFunc(within.StoredSets(), func(in query.SetRef) bool { return view.SetText(in) == view.SetText(ref) }) {
			param = "in"
		}
		deleted = append(deleted, fault.FieldError{Field: param, Message: view.SetName(ref, nil) + " was deleted; remove this filter"})
		names[view.SetText(ref)] = view.DeletedName(ref)
	}
	return deleted, nil
}

// setNames returns the names of stored sets by their text in an address, and those that do not exist.
func (s *server) setNames(ctx context.Context, refs []query.SetRef) (names map[string]string, missing []query.SetRef, err error) {
	v := view.ViewerOf(ctx)
	names = map[string]string{}
	for _, ref := range refs {
		var name string
		var invalid, err error
		switch {
		case ref.ListID != "":
			var of id.List
			var l list.List
			if of, invalid = id.Parse[id.List](ref.ListID); invalid == nil {
				l, err = s.Lists.Get(ctx, v.Workspace.ID, of)
				name = l.Name
			}
		case ref.SavedSearchID != "":
			var of id.Search
			var saved list.Search
			if of, invalid = id.Parse[id.Search](ref.SavedSearchID); invalid == nil {
				saved, err = s.Lists.GetSearch(ctx, v.Workspace.ID, of)
				name = saved.Name
			}
		case ref.ExportID != "":
			var of id.Export
			if of, invalid = id.Parse[id.Export](ref.ExportID); invalid == nil {
				e, failed := s.Exports.Get(ctx, v.Caller(), of)
				name, err = e.Name, failed
			}
		}
		switch {
		case invalid != nil: // the form has an error
		case fault.CodeOf(err) == fault.NotFound:
			missing = append(missing, ref)
		case err != nil:
			return nil, nil, err
		default:
			names[view.SetText(ref)] = name
		}
	}
	return names, missing, nil
}

// problemsOf returns the errors that a person can correct in a search: those of the form, and a set within its sets that is gone.
func (s *server) problemsOf(ctx context.Context, asked *view.SearchForm, err error) (problems []view.Problem) {
	problems = asked.Problems(err)
	if e, ok := asFault(err); ok && e.Code == fault.NotFound {
		switch {
		case len(asked.In)+len(asked.NotIn) > 0:
			problems = []view.Problem{{Field: "in", Label: "Sets", Message: e.Message}}
		case asked.AddedSince != "":
			problems = []view.Problem{{Field: "added_since", Label: "Added since", Message: e.Message}}
		case asked.ChangedSince != "":
			problems = []view.Problem{{Field: "changed_since", Label: "Changed since", Message: e.Message}}
		}
	}
	for i := range problems {
		problems[i].Message = s.withNames(ctx, problems[i].Message)
	}
	return problems
}

var (
	missingSet  = regexp.MustCompile(`There is no (list|saved search|export|match) [0-9a-f-]{36} in this workspace\.`)
	savedNamed  = regexp.MustCompile(`saved search ([0-9a-f-]{36})(, named by [^ ]+,)?`)
	missingSays = map[string]string{
		"list": "A list was deleted.", "saved search": "A saved search was deleted.", "export": "There is no such export.", "match": "The match has ended.",
	}
)

// withNames returns a message with the names of saved searches in place of their ids and of where a request names them, and without the
// ids of what is gone.
func (s *server) withNames(ctx context.Context, message string) string {
	message = missingSet.ReplaceAllStringFunc(message, func(found string) string { return missingSays[missingSet.FindStringSubmatch(found)[1]] })
	return savedNamed.ReplaceAllStringFunc(message, func(found string) string {
		of, err := id.Parse[id.Search](savedNamed.FindStringSubmatch(found)[1])
		if err != nil {
			return found
		}
		saved, err := s.Lists.GetSearch(ctx, view.ViewerOf(ctx).Workspace.ID, of)
		if err != nil {
			return "saved search" // the message says the rest
		}
		return "saved search “" + text.Short(saved.Name) + "”"
	})
}
