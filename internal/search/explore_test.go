package search_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

// open returns a Searcher over n generated companies.
func open(t *testing.T, n int) *search.Searcher {
	t.Helper()
	f := testkit.New(t, services.Parts{})
	f.Put(t, companytest.Slice(1, n)...)
	return f.Search
}

func TestExploreCountsANarrowedFacetWithoutItsOwnFilter(t *testing.T) {
	t.Parallel()
	s, ws := open(t, 500), id.New[id.Workspace]()
	sort := query.Sort{By: query.ByEmployeeCount, Desc: true}
	find := func(f query.Filters) *search.Result {
		q, err := query.Parse(f)
		require.NoError(t, err)
		found, err := s.Search(t.Context(), auth.Caller{Workspace: ws}, search.Request{Query: q, Sort: sort, Limit: 10})
		require.NoError(t, err)
		return found
	}
	germany, few, many := []string{"Germany"}, int64(11), int64(50)
	both := query.Filters{Countries: germany, EmployeeCountMin: &few, EmployeeCountMax: &many}
	found, err := s.Explore(t.Context(), auth.Caller{Workspace: ws}, search.Exploration{Filters: both, Sort: sort, Limit: 10})
	require.NoError(t, err)
	narrow := find(both)
	require.NotZero(t, found.Total)
	require.Equal(t, narrow.Total, found.Total)
	require.Equal(t, narrow.Items, found.Items)
	require.Equal(t, narrow.Facets.Values["industries"], found.Facets.Values["industries"])
	require.Equal(t, find(query.Filters{EmployeeCountMin: &few, EmployeeCountMax: &many}).Facets.Values["countries"], found.Facets.Values["countries"])
	require.Greater(t, len(found.Facets.Values["countries"]), 1, "other countries to choose from")
	require.Equal(t, find(query.Filters{Countries: germany}).Facets.Bands["employee_count"], found.Facets.Bands["employee_count"])

	industry := narrow.Facets.Values["industries"][0].Value
	found, err = s.Explore(t.Context(), auth.Caller{Workspace: ws}, search.Exploration{
		Filters: query.Filters{ExcludeIndustries: []string{industry}}, Sort: sort, Limit: 10,
	})
	require.NoError(t, err)
	require.Equal(t, find(query.Filters{}).Facets.Values["industries"], found.Facets.Values["industries"], "an excluded value can be chosen again")
	require.Less(t, found.Total, 500)
}

func TestCompleteIgnoresTheFacetsOwnFilter(t *testing.T) {
	t.Parallel()
	s := open(t, 300)
	complete := func(f query.Filters, facet search.Facet, prefix string) []search.Count {
		counts, err := s.Complete(t.Context(), auth.Caller{Workspace: id.New[id.Workspace]()}, search.Exploration{Filters: f}, facet, prefix)
		require.NoError(t, err)
		return counts
	}
	all := complete(query.Filters{}, "countries", "united")
	require.NotEmpty(t, all)
	for _, c := range all {
		require.True(t, strings.HasPrefix(c.Value, "United "), c.Value)
	}
	require.Equal(t, all, complete(query.Filters{Countries: []string{"Germany"}}, "countries", "UNITED"))
	few := int64(10)
	require.NotEqual(t, all, complete(query.Filters{EmployeeCountMax: &few}, "countries", "united"))

	industry := complete(query.Filters{}, "industries", "s")[0].Value
	for _, c := range complete(query.Filters{ExcludeIndustries: []string{industry}}, "industries", "s") {
		require.NotEqual(t, industry, c.Value, "it is excluded already")
	}
	require.Empty(t, complete(query.Filters{}, "employee_count", "1"), "numbers are not completed")
}
