package view

import (
	"context"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// Lists is the page of all lists and saved searches.
type Lists struct {
	Lists    []list.List
	Searches []list.Search
	Next     string
	Later    bool
}

// List is the page of one list.
type List struct {
	list.List
	Items  []search.Item
	Next   string
	Later  bool
	Report *MatchReport
	Faults map[string]string
}

// MatchReport says which of the given domains matched companies.
type MatchReport struct {
	Given, Matched, Added int
	Unmatched             []string
}

// ListPath returns the address of the list's page.
func ListPath(ctx context.Context, l id.List) string {
	return ViewerOf(ctx).Path("/lists/" + l.String())
}

// savedAt returns the address of a page with a saved search.
func savedAt(page string, saved list.Search) string {
	w := SearchForm{Filters: saved.Filters, SortBy: saved.SortBy, SortOrder: saved.SortOrder}
	return w.At(page)
}

// unmatchedShown is how many bytes of unmatched domains a report shows, so that the page stays small.
const unmatchedShown = 20_000

func (m *MatchReport) shown() []string {
	bytes := 0
	for i, d := range m.Unmatched {
		if bytes += len(d) + 1; bytes > unmatchedShown {
			return m.Unmatched[:i]
		}
	}
	return m.Unmatched
}
