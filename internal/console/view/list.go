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
	Typed  string // the domains that were typed, if they were refused
}

// MatchReport says what matching domains for a list gave.
type MatchReport struct {
	list.Match
	Doubles []Double // of the first domains that several companies have
}

// Double is a domain that several companies have.
type Double struct {
	Domain    string
	Companies []Choice // the one that the domain most likely means first
	More      int      // the number that is not shown
}

// Choice is a company that can be put on the list.
type Choice struct {
	search.Item
	On bool // it is on the list
}

// The most domains with several companies that a page shows, and the most companies of each.
const (
	DoublesMax         = 40
	DoubleCompaniesMax = 6
)

// MatchPath returns the address of the page of a match.
func MatchPath(ctx context.Context, m list.Match) string {
	return ListPath(ctx, m.List) + "/matches/" + m.ID.String()
}

// ListPath returns the address of the list's page.
func ListPath(ctx context.Context, l id.List) string {
	return ViewerOf(ctx).Path("/lists/" + l.String())
}

// savedAt returns the address of a page with a saved search: with its filters, or as a set if they are long.
func savedAt(page string, saved list.Search) string {
	w := SavedForm(saved)
	if w.IsLong() {
		w = SavedAsSet(saved)
	}
	return w.At(page)
}

// unmatchedShown is how many bytes of unmatched domains a report shows, so that the page stays small.
const unmatchedShown = 20_000

func (m *MatchReport) shown() []string {
	bytes := 0
	var texts []string
	for _, d := range m.Unmatched {
		if bytes += len(d.Text) + 1; bytes > unmatchedShown {
			break
		}
		texts = append(texts, d.Text)
	}
	return texts
}
