package console

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
)

// pageSize is the number of rows on a page.
const pageSize = 25

// addressHeader carries the shortest address of the page to a script.
const addressHeader = "X-Address"

// searchPage shows a search. A script gets only the parts that depend on the filters.
func (s *server) searchPage(w http.ResponseWriter, r *http.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "cursor")
	address := asked.At(view.ViewerOf(r.Context()).Path("/search"))
	if params.Has(view.ExcludeButton) && !isFragment(r) {
		return redirect(w, r, address) // that states the exclusion
	}
	page, err := s.search(r, &asked)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		w.Header().Set(addressHeader, address)
		return render(w, r, http.StatusOK, view.SearchFragment(page))
	}
	return render(w, r, http.StatusOK, view.SearchPage(page))
}

func (s *server) search(r *http.Request, asked *view.SearchForm) (*view.Search, error) {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page := &view.Search{SearchForm: asked, Page: v.Path("/search"), Curl: s.curl(r, asked), Later: r.URL.Query().Get("cursor") != ""}
	q, sort, err := asked.Parse()
	if err != nil {
		page.Problems = asked.Problems(err)
		page.Facets, page.Bands = view.Facets(asked, search.Facets{}), view.Ranges(ctx, asked, search.Facets{})
		page.Price.Balance, err = s.Credits.Balance(ctx, v.Workspace.ID)
		return page, err
	}
	page.Found, err = s.Search.Explore(ctx, v.Workspace.ID, asked.Filters, sort, r.URL.Query().Get("cursor"), pageSize)
	if err != nil {
		return nil, err
	}
	page.Facets = view.Facets(asked, page.Found.Facets)
	page.Bands = view.Ranges(ctx, asked, page.Found.Facets)
	if page.Found.NextCursor != "" {
		page.Next = asked.At("", "cursor", page.Found.NextCursor)
	}
	figures, err := s.Exports.EstimateMatches(ctx, v.Caller(), export.Request{Query: q, Sort: sort}, export.Matches{
		Total: page.Found.Total, AlreadyUnlocked: page.Found.Credits.AlreadyUnlocked,
	})
	if err != nil {
		return nil, err
	}
	page.Price = view.PriceOf(page.Found.Total, figures)
	page.Lists, err = s.Lists.List(ctx, v.Workspace.ID, id.List{}, pageSize)
	return page, err
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
	param, prefix := params.Get("facet"), strings.TrimSpace(params.Get("prefix"))
	asked := view.ReadSearchForm(params, "facet", "prefix")
	if _, _, err := asked.Parse(); err != nil || prefix == "" {
		return renderJSON(w, []option{})
	}
	facet, ok := search.FacetOf(param)
	if !ok {
		return fault.Invalid(fault.FieldError{Field: "facet", Message: "is not a facet"})
	}
	counts, err := s.Search.Complete(r.Context(), asked.Filters, facet, prefix)
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
func (s *server) curl(r *http.Request, asked *view.SearchForm) string {
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
