package search

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

func TestEveryFacetCanBeCountedWithoutItsOwnFilter(t *testing.T) {
	t.Parallel()
	one, some := new(int64(1)), []string{"x"}
	all := query.Filters{
		Query: "x", Countries: some, States: some, Cities: some, Industries: some, ExcludeIndustries: some, NAICSCodes: some,
		Technologies: some, TechnologyCategories: some, EmployeeCountMin: one, EmployeeCountMax: one, FoundedYearMin: one,
		FoundedYearMax: one, Keywords: some, ExcludeKeywords: some,
	}
	for _, facet := range index.AllFacets() {
		others, narrowed := withoutFacet(all, facet)
		require.True(t, narrowed, facet)
		for param := range paramsOf(t, all) {
			kept := paramsOf(t, others)[param]
			base := strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(param, "_min"), "_max"), "exclude_")
			require.Equal(t, base != facet.String(), kept, "%s without %s", param, facet)
		}
		_, narrowed = withoutFacet(query.Filters{}, facet)
		require.False(t, narrowed, facet)
	}
}

// paramsOf returns the parameters that the filters set.
func paramsOf(t *testing.T, f query.Filters) map[string]bool {
	t.Helper()
	p, err := json.Marshal(f)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(p, &fields))
	params := map[string]bool{}
	for name := range fields {
		params[name] = true
	}
	return params
}
