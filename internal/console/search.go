package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// pageSize is the number of rows of a page.
const pageSize = 25

// searchView is the page of a search.
type searchView struct {
	*wish
	Page     string // its address without parameters
	Faults   map[string]string
	Price    priceView
	Found    *search.Result // nil with faults
	Facets   []facetView
	Bands    []bandView
	Next     string // the address of the next page; empty at the end
	Later    bool   // not the first page
	Lists    []list.List
	Searches []list.Search
	Curl     string
}

// addressHeader tells a script the page's address in its shortest form.
const addressHeader = "X-Address"

// searchPage shows a search. A script that asks gets the parts that a change of the filters changes.
func (s *server) searchPage(w http.ResponseWriter, r *http.Request) error {
	asked := readWish(r.URL.Query())
	view, err := s.search(r, &asked)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		w.Header().Set(addressHeader, asked.at(view.Page))
		return render(w, r, http.StatusOK, searchFragment(view))
	}
	return render(w, r, http.StatusOK, searchTempl(view))
}

func (s *server) search(r *http.Request, asked *wish) (*searchView, error) {
	ctx, v := r.Context(), viewerOf(r.Context())
	view := &searchView{wish: asked, Page: v.path("/search"), Curl: s.curl(r, asked), Later: r.URL.Query().Get("cursor") != ""}
	var err error
	if view.Price.Balance, err = s.Credits.Balance(ctx, v.Workspace.ID); err != nil {
		return nil, err
	}
	q, sort, err := asked.parse()
	if err != nil {
		view.Faults = fieldErrors(err)
		view.Facets, view.Bands = facetViews(asked, search.Facets{}), bandViews(ctx, asked, search.Facets{})
		return view, nil
	}
	view.Found, err = s.Search.Search(ctx, v.Workspace.ID, search.Request{
		Query: q, Sort: sort, Limit: pageSize, Cursor: r.URL.Query().Get("cursor"), Facets: asked.openFacets(),
	})
	if err != nil {
		return nil, err
	}
	if err := s.widen(ctx, v, asked, &view.Found.Facets); err != nil {
		return nil, err
	}
	view.Facets = facetViews(asked, view.Found.Facets)
	view.Bands = bandViews(ctx, asked, view.Found.Facets)
	if view.Found.NextCursor != "" {
		view.Next = asked.at("", "cursor", view.Found.NextCursor)
	}
	if view.Price, err = s.priceOfAll(ctx, v.caller(), view, q, sort); err != nil {
		return nil, err
	}
	view.Lists, err = s.Lists.List(ctx, v.Workspace.ID, id.List{}, pageSize)
	return view, err
}

// priceOfAll is what an export of every match would cost, or of the first of them that a file holds.
func (s *server) priceOfAll(
	ctx context.Context, caller auth.Caller, view *searchView, q query.Query, sort query.Sort,
) (priceView, error) {
	found, balance := view.Found, view.Price.Balance
	if found.Total > export.RowsMax {
		f, err := s.Exports.Estimate(ctx, caller, export.Request{Query: q, Sort: sort})
		return priceOf(found.Total, f), err
	}
	return priceView{
		Matches: found.Total, Rows: found.Total, Owned: found.Credits.AlreadyUnlocked, New: found.Credits.NewCount,
		Cost: int64(found.Credits.NewCount), Balance: balance,
	}, nil
}

// facetParams are the facets of the page, by the filters that they are clicked into.
var facetParams = func() []string {
	params := []string{"employee_count", "founded_year"}
	for _, f := range textFacets {
		params = append(params, f.Param)
	}
	return params
}()

// narrows tells whether the wish has a filter of the facet.
func (w *wish) narrows(param string) bool {
	switch param {
	case "employee_count":
		return w.EmployeeCountMin != nil || w.EmployeeCountMax != nil
	case "founded_year":
		return w.FoundedYearMin != nil || w.FoundedYearMax != nil
	}
	return len(*w.texts(param)) > 0 || param == "industries" && len(w.ExcludeIndustries) > 0
}

// openFacets are those that no filter narrows; the others are counted by widen.
func (w *wish) openFacets() []search.Facet {
	open := []search.Facet{}
	for _, param := range facetParams {
		if f, ok := search.ParseFacet(param); ok && !w.narrows(param) {
			open = append(open, f)
		}
	}
	return open
}

// widen counts each facet that is narrowed by itself as if it were not: a country more is an alternative to choose.
func (s *server) widen(ctx context.Context, v Viewer, asked *wish, facets *search.Facets) error {
	for _, param := range facetParams {
		if !asked.narrows(param) {
			continue
		}
		wider := asked.values()
		for _, p := range []string{param, param + "_min", param + "_max", "exclude_" + param} {
			wider.Del(p)
		}
		found, err := s.facet(ctx, v, wider, param, "")
		if err != nil {
			return err
		}
		setCounts(facets, found.Facets, param)
	}
	return nil
}

// facet counts one facet of the companies that the parameters select, narrowed to the values that begin with prefix.
func (s *server) facet(ctx context.Context, v Viewer, params url.Values, param, prefix string) (*search.Result, error) {
	asked := readWish(params)
	q, _, err := asked.parse()
	if err != nil {
		return nil, err
	}
	f, ok := search.ParseFacet(param)
	if !ok {
		return nil, fault.Invalid(fault.FieldError{Field: "facet", Message: "is none"})
	}
	return s.Search.Search(ctx, v.Workspace.ID, search.Request{
		Query: q, Sort: query.Sort{By: query.ByEmployeeCount, Desc: true}, Limit: 1,
		Facets: []search.Facet{f}, FacetPrefix: search.FacetPrefix{Facet: f, Text: prefix},
	})
}

// option is a value that completes what is typed into a filter.
type option struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
	Count string `json:"count"`
}

// complete gives the commonest values that begin with what is typed, among the companies of the other filters.
func (s *server) complete(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	param, prefix := params.Get("facet"), strings.TrimSpace(params.Get("prefix"))
	if param == "exclude_industries" {
		param = "industries"
	}
	params.Del(param)
	asked := readWish(params)
	if _, _, err := asked.parse(); err != nil || prefix == "" {
		return renderJSON(w, []option{})
	}
	found, err := s.facet(r.Context(), viewerOf(r.Context()), asked.values(), param, prefix)
	if err != nil {
		return err
	}
	options := []option{}
	for _, c := range countsOf(found.Facets, param)[:min(12, len(countsOf(found.Facets, param)))] {
		o := option{Value: c.Value, Count: count(r.Context(), c.Count)}
		if label := labelOf(param, c.Value); label != c.Value {
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

// curl is the search as a line for a shell.
func (s *server) curl(r *http.Request, asked *wish) string {
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
	return "curl -sS " + s.address(r) + "/api/v1/companies/search \\\n  -H \"Authorization: Bearer $CAPI_TOKEN\" \\\n" +
		"  -H 'Content-Type: application/json' \\\n  -d " + shellQuote(body)
}

// shellQuote is a text as one word of a shell, whatever is in it.
func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// address is where the reader reaches this server.
func (s *server) address(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
