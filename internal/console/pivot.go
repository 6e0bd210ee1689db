package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// pivotPage shows the matches of a search as a table of two facets.
func (s *server) pivotPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.pivot(r, view.PivotRowsShown, search.PivotColumns)
	if err != nil {
		return err
	}
	if page.Found != nil && page.IsLong() {
		s.warn(r.Context(), "This search is too long for a table, whose cells repeat it. Save it first.")
		return redirect(w, r, page.At(view.ViewerOf(r.Context()).Path("/search")))
	}
	return render(w, r, http.StatusOK, view.PivotPage(page))
}

// pivotCSV sends the table as CSV. A search with errors, without a match or with warnings, such as about a misspelt country, leads to the
// page, which says so: a file could not. From there, the table can be downloaded despite the warnings.
func (s *server) pivotCSV(w http.ResponseWriter, r *http.Request) error {
	page, err := s.pivot(r, func(*view.SearchForm) int { return search.PivotRowsMax }, search.PivotColumnsMax)
	if err != nil {
		return err
	}
	back := page.At(view.ViewerOf(r.Context()).Path("/pivot"), "rows", string(page.Rows), "columns", string(page.Columns))
	switch {
	case page.Found == nil:
		return redirect(w, r, back)
	case page.Found.Total == 0:
		s.warn(r.Context(), "Nothing was downloaded, because no company matches.")
		return redirect(w, r, back)
	case len(page.Found.Warnings) > 0 && r.URL.Query().Get("anyway") == "":
		s.warn(r.Context(), "Nothing was downloaded yet: read the warnings, then correct the search or download the table despite them.")
		return redirect(w, r, back)
	}
	file := httpx.CSV{
		FileName: string(page.Rows) + "-by-" + string(page.Columns) + ".csv", Columns: page.Found.Header(page.Rows), Rows: page.Found.Lines,
	}
	return file.Write(w, http.StatusOK)
}

func (s *server) pivot(r *http.Request, rows func(*view.SearchForm) int, columns int) (*view.Pivot, error) {
	ctx, caller := r.Context(), view.ViewerOf(r.Context()).Caller()
	params, err := paramsOf(r)
	if err != nil {
		return nil, err
	}
	asked := view.ReadSearchForm(params, "rows", "columns", "anyway")
	page := &view.Pivot{SearchForm: &asked}
	if page.Facets, err = s.Search.Facets(ctx, caller); err != nil {
		return nil, err
	}
	wrong := chooseFacets(page, params)
	explored, q, err := s.explored(ctx, &asked)
	if wrong = append(wrong, fault.Fields(err)...); len(wrong) > 0 {
		err = fault.Invalid(wrong...)
	}
	if err == nil {
		page.Found, err = s.Search.Pivot(ctx, caller, search.PivotRequest{
			Query: q, Show: explored.Show, Except: explored.Except,
			Rows:    search.PivotAxis{Facet: page.Rows, Limit: rows(&asked)},
			Columns: search.PivotAxis{Facet: page.Columns, Limit: columns},
		})
	}
	if page.Problems = s.problemsOf(ctx, &asked, err); len(page.Problems) > 0 {
		return page, nil
	}
	return page, err
}

// chooseFacets sets the facets of the page: those of the address or, without any, the first of the usual ones that are not locked. It
// returns what is wrong with the address.
func chooseFacets(page *view.Pivot, params url.Values) (errs []fault.FieldError) {
	choose := func(param string, usual ...search.Facet) search.Facet {
		asked := strings.Join(view.Distinct(params[param]), ", ")
		if f, ok := search.ParseFacet(asked); ok {
			return f
		}
		if asked != "" {
			errs = append(errs, fault.FieldError{Field: param, Message: "cannot be " + text.Short(asked) + "; choose from the menu"})
		}
		for _, f := range append(usual, page.Facets...) {
			if f != page.Rows && slices.Contains(page.Facets, f) {
				return f
			}
		}
		return usual[0]
	}
	page.Rows = choose("rows", "countries")
	page.Columns = choose("columns", "employee_count", "industries")
	return errs
}
