package indextest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// expectation is what a person who types the query expects among the first results. It is written by people who know the
// companies, never generated from the index's answers.
type expectation struct {
	Query string `json:"query"`
	// Want are names, followed by " | City" if several companies have the name. They must come first, in this order.
	Want  []string `json:"want"`
	Among int      `json:"among"` // if not 0, the names only have to be among the first Among results, in any order
	Why   string   `json:"why"`
}

// testRealRanking checks the expectations on the index of real companies.
func testRealRanking(t *testing.T, ix index.Index, companies []*company.Company) {
	expectations := readJSON[[]expectation](t, "ranking.json")
	require.GreaterOrEqual(t, len(expectations), 40)
	for _, e := range expectations {
		q, err := query.Parse(query.Filters{Query: e.Query})
		require.NoError(t, err, e.Query)
		limit := max(e.Among, len(e.Want))
		found, err := ix.Search(t.Context(), index.Request{
			Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: limit,
		})
		require.NoError(t, err)
		first := make([]*company.Company, len(found.Page))
		for i, n := range found.Page {
			first[i] = companies[n-1]
		}
		if !e.met(first) {
			t.Errorf("%s: want %q, among the first %d: %s; got\n\t%s", e.Query, e.Want, limit, e.Why, strings.Join(spelled(first), "\n\t"))
		}
	}
}

func (e expectation) met(first []*company.Company) bool {
	if len(e.Want) == 0 || len(first) < len(e.Want) {
		return false
	}
	for i, want := range e.Want {
		name, city, _ := strings.Cut(want, " | ")
		is := func(c *company.Company) bool { return c.Name == name && (city == "" || c.City == city) }
		if e.Among == 0 && !is(first[i]) || !slices.ContainsFunc(first, is) {
			return false
		}
	}
	return true
}

func spelled(companies []*company.Company) []string {
	all := make([]string, len(companies))
	for i, c := range companies {
		all[i] = c.Name + " | " + c.City
	}
	return all
}
