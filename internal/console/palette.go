package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// paletteCompanies is the most companies that the palette finds.
const paletteCompanies = 6

// palette finds pages, workspaces, companies and actions by what is typed. The script shows it on any page with Ctrl-K; without
// the script it is a page.
func (s *server) palette(w http.ResponseWriter, r *http.Request) error {
	ctx, v, typed := r.Context(), view.ViewerOf(r.Context()), strings.TrimSpace(r.URL.Query().Get("q"))
	page := &view.Palette{Typed: typed, Groups: view.Places(v, typed)}
	if typed != "" && !v.Home.ID.IsZero() {
		found, err := s.companiesNamed(ctx, v, typed)
		if err != nil {
			return err
		}
		page.Groups = append(page.Groups, view.CompaniesFound(v, typed, found))
	}
	if isFragment(r) {
		return render(w, r, http.StatusOK, view.PaletteItems(page))
	}
	return render(w, r, http.StatusOK, view.PalettePage(page))
}

// companiesNamed returns the first companies whose names or descriptions have the words.
func (s *server) companiesNamed(ctx context.Context, v view.Viewer, words string) ([]search.Item, error) {
	q, err := query.Parse(query.Filters{Query: words, Prefix: true})
	if err != nil {
		return nil, nil //nolint:nilerr // what cannot be searched for finds no company
	}
	order, err := query.ParseSort("", "", q.HasText())
	if err != nil {
		return nil, err
	}
	found, err := s.Search.Search(ctx, v.HomeCaller(), search.Request{Query: q, Sort: order, Limit: paletteCompanies, Facets: []search.Facet{}})
	if fault.CodeOf(err) == fault.IndexUnavailable {
		return nil, nil // the pages can be found without it
	}
	if err != nil {
		return nil, err
	}
	return found.Items, nil
}
