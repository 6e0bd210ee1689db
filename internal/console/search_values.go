package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/search"
)

// facetFromMax bounds how far the pages of a facet's values go, because each page is counted from the first value.
const facetFromMax = 5000

// facetValues shows every value of a facet, to choose from.
func (s *server) facetValues(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	facet, ok := search.FacetOf(r.PathValue("facet"))
	if !ok || facet.HasBands() {
		return notFound()
	}
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "begins", "from")
	explored, _, err := s.explored(ctx, &asked)
	if fault.CodeOf(err) == fault.Validation {
		return redirect(w, r, asked.At(v.Path("/search"))) // which shows the errors beside their fields
	}
	if err != nil {
		return err
	}
	page := &view.FacetValues{
		SearchForm: &asked, Search: v.Path("/search"), Page: v.Path("/search/values/" + r.PathValue("facet")), Prefix: strings.TrimSpace(params.Get("begins")),
	}
	if from, err := strconv.Atoi(params.Get("from")); err == nil {
		page.From = min(max(0, from), facetFromMax)
	}
	counts, more, err := s.Search.FacetValues(ctx, v.Caller(), explored, facet, page.Prefix, page.From, view.FacetPageSize)
	if err != nil {
		return err
	}
	page.Shown, page.More = view.FacetOf(&asked, facet, counts), more && page.From < facetFromMax
	if isFragment(r) {
		return render(w, r, http.StatusOK, view.FacetValuesFragment(page))
	}
	return render(w, r, http.StatusOK, view.FacetValuesPage(page))
}
