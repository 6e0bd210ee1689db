package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// pageSize is the number of rows on a page.
const pageSize = 25

// addressHeader carries the shortest address of the page to a script.
const addressHeader = "X-Address"

// matchesHeader carries the number of matches to a script, which keeps the results of half-typed words that match nothing.
const matchesHeader = "X-Matches"

// searchPage shows a search. A script gets only the parts that depend on the filters.
func (s *server) searchPage(w http.ResponseWriter, r *http.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "cursor", "company", "begins", "contains")
	if params.Has(view.ExcludeButton) && !asked.Values().Has(view.ExcludeButton) && !isFragment(r) {
		return redirect(w, r, asked.At(view.ViewerOf(r.Context()).Path("/search"))) // that states the exclusion
	}
	asked.Prefix = asked.Prefix || isTyping(r) && asked.Query != ""
	page, err := s.search(r, &asked)
	if err != nil {
		return err
	}
	if !isTyping(r) && page.Found != nil && page.Cursor == "" {
		s.remember(r.Context(), asked)
	}
	switch {
	case !isFragment(r) && asked.IsLong():
		return render(w, r, http.StatusOK, view.LongSearchPage(page))
	case !isFragment(r):
		return render(w, r, http.StatusOK, view.SearchPage(page))
	}
	w.Header().Set(addressHeader, page.Address(isTyping(r)))
	if page.Found != nil {
		w.Header().Set(matchesHeader, strconv.Itoa(page.Found.Total))
	}
	return render(w, r, http.StatusOK, view.SearchFragment(page))
}

func (s *server) search(r *http.Request, asked *view.SearchForm) (*view.Search, error) {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page := &view.Search{SearchForm: asked, Page: v.Path("/search"), Curl: s.curl(asked), Cursor: r.URL.Query().Get("cursor")}
	page.Columns = chosenColumns(r)
	if err := s.savedSearches(ctx, page); err != nil {
		return nil, err
	}
	explored, q, err := s.explored(ctx, asked)
	if err == nil {
		explored.Cursor, explored.Limit, explored.Head = page.Cursor, pageSize, export.RowsMax
		page.Found, err = s.Search.Explore(ctx, v.Caller(), explored)
	}
	if page.Problems = s.problemsOf(ctx, asked, err); len(page.Problems) > 0 {
		page.Found = nil
		page.Facets, page.Bands = view.Facets(asked, nil, valuesAt(page)), view.Ranges(ctx, asked, nil)
		page.Price.Balance, err = s.Credits.Balance(ctx, v.Workspace.ID)
		return page, err
	}
	if err != nil {
		return nil, err
	}
	page.Facets, page.Bands = view.Facets(asked, page.Found, valuesAt(page)), view.Ranges(ctx, asked, page.Found)
	if page.Found.NextCursor != "" {
		page.Next = asked.At("", "cursor", page.Found.NextCursor)
	}
	if page.Price, err = s.priceOf(ctx, asked, export.Request{Query: q, Sort: explored.Sort}, page.Found); err != nil {
		return nil, err
	}
	if err := s.preview(r, page); err != nil {
		return nil, err
	}
	page.Lists, err = s.Lists.List(ctx, v.Workspace.ID, id.List{}, pageSize)
	return page, err
}

// valuesAt returns the address below which the pages with all values of a facet are.
func valuesAt(page *view.Search) string { return page.Page + "/values" }

// explored returns the search of a form. Validation lists every error of the form.
func (s *server) explored(ctx context.Context, asked *view.SearchForm) (search.Exploration, query.Query, error) {
	var err error
	if asked.Locked, err = s.Wall.Locked(ctx, view.ViewerOf(ctx).Caller()); err != nil {
		return search.Exploration{}, query.Query{}, err
	}
	q, sort, err := asked.Parse()
	e := search.Exploration{Filters: asked.Filters, Sort: sort, Show: asked.Show}
	deleted, failed := s.nameSets(ctx, asked)
	if failed != nil {
		return e, q, failed
	}
	if len(deleted) > 0 {
		err = fault.Invalid(append(fault.Fields(err), deleted...)...)
	}
	if asked.NotOn.IsZero() {
		return e, q, err
	}
	ws := view.ViewerOf(ctx).Workspace.ID
	l, missing := s.Lists.Get(ctx, ws, asked.NotOn)
	if missing == nil {
		asked.NotOnName = l.Name
		e.Except, missing = s.Lists.Companies(ctx, ws, asked.NotOn)
	}
	if fault.CodeOf(missing) == fault.NotFound {
		gone := fault.FieldError{Field: "not_on", Message: "was deleted; remove this filter"}
		return e, q, fault.Invalid(append(fault.Fields(err), gone)...)
	}
	return e, q, errors.Join(err, missing)
}

// priceOf returns the price of all matches, and of the file with what is shown of them.
func (s *server) priceOf(ctx context.Context, asked *view.SearchForm, r export.Request, found *search.Result) (view.Price, error) {
	all := view.Split{
		Rows:  found.Credits.AlreadyUnlocked + found.Credits.NewCount,
		Owned: found.Credits.AlreadyUnlocked, New: found.Credits.NewCount,
	}
	shown := export.Matches{Total: found.Total, AlreadyUnlocked: all.Owned, First: found.Head}
	switch asked.Show {
	case search.ShowNew:
		shown.AlreadyUnlocked = 0
	case search.ShowOwned:
		shown.AlreadyUnlocked = found.Total
	case search.ShowAll:
	}
	r.Terms = asked.Terms()
	estimate, err := s.Exports.EstimateMatches(ctx, view.ViewerOf(ctx).Caller(), r, shown)
	return view.PriceOf(all, estimate.Figures, estimate.BudgetLeft), err
}

// preview adds the company that the address opens beside the list.
func (s *server) preview(r *http.Request, page *view.Search) error {
	opened, asked := view.OpenedIn(r.URL.Query().Get("company"), page.Found.Items)
	if !asked {
		return nil
	}
	item, err := s.Search.Company(r.Context(), view.ViewerOf(r.Context()).Caller(), opened)
	if err != nil {
		return err
	}
	page.Company = page.PreviewOf(item)
	return nil
}

// option is one suggestion for what is typed into a filter.
type option struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
	Count string `json:"count"`
}

// complete answers with the most common values that begin with what is typed, among the companies of the other filters.
func (s *server) complete(w http.ResponseWriter, r *http.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	param, prefix := params.Get("facet"), strings.TrimSpace(params.Get("begins"))
	asked := view.ReadSearchForm(params, "facet", "begins")
	explored, _, err := s.explored(r.Context(), &asked)
	if fault.CodeOf(err) == fault.Validation || prefix == "" {
		return renderJSON(w, []option{})
	}
	if err != nil {
		return err
	}
	facet, ok := search.FacetOf(param)
	if !ok {
		return fault.Invalid(fault.FieldError{Field: "facet", Message: "is not a facet"})
	}
	counts, err := s.Search.Complete(r.Context(), view.ViewerOf(r.Context()).Caller(), explored, facet, prefix)
	if fault.CodeOf(err) == fault.Validation { // its field is locked
		return renderJSON(w, []option{})
	}
	if err != nil {
		return err
	}
	options := []option{}
	for _, c := range counts[:min(12, len(counts))] {
		o := option{Value: c.Value, Count: view.Count(r.Context(), c.Count)}
		if label := view.LabelOf(param, c.Value); label != c.Value {
			o.Label = label
		}
		options = append(options, o)
	}
	return renderJSON(w, options)
}

func renderJSON(w http.ResponseWriter, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(p)
	return err
}

// curl returns the search as a shell command.
func (s *server) curl(asked *view.SearchForm) string {
	body := asked.Filters.String()
	if asked.SortBy != "" || asked.SortOrder != "" {
		more, err := json.Marshal(struct {
			By    string `json:"sort_by,omitempty"`
			Order string `json:"sort_order,omitempty"`
		}{asked.SortBy, asked.SortOrder})
		if err == nil && body == "{}" {
			body = string(more)
		} else if err == nil {
			body = strings.TrimSuffix(body, "}") + "," + strings.TrimPrefix(string(more), "{")
		}
	}
	return "curl -sS " + s.PublicURL + "/api/v1/companies/search \\\n  -H \"Authorization: Bearer $CAPI_TOKEN\" \\\n" +
		"  -H 'Content-Type: application/json' \\\n  -d " + shellQuote(body)
}

// shellQuote quotes any text as one word of a shell.
func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
