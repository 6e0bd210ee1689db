package search

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// TestAFacetIsWidenedByItsOwnFiltersAlone sets every parameter of the table.
func TestAFacetIsWidenedByItsOwnFiltersAlone(t *testing.T) {
	t.Parallel()
	all := query.Filters{Connections: []query.ConnectionFilter{{Category: "x"}}}
	for _, p := range query.Params {
		switch {
		case p.Text != nil:
			*p.Text(&all) = "x"
		case p.Texts != nil:
			*p.Texts(&all) = []string{"x"}
		case p.Int != nil:
			*p.Int(&all) = new(int64(1))
		case p.Flag != nil:
			*p.Flag(&all) = true
		case p.Sets != nil:
			*p.Sets(&all) = []query.SetRef{{Owned: true}}
		}
		require.True(t, p.IsSet(&all), p.Name)
	}
	for _, facet := range index.AllFacets() {
		others, narrowed := withoutFacet(all, facet)
		if facet.Param().All {
			require.False(t, narrowed, "another value is no alternative")
			continue
		}
		require.True(t, narrowed, facet)
		for _, p := range query.Params {
			require.True(t, p.IsSet(&all), "the given filters stay as they are")
			require.Equal(t, p.Field != facet.Field(), p.IsSet(&others), "%s without %s", p.Name, facet)
		}
		_, narrowed = withoutFacet(query.Filters{}, facet)
		require.False(t, narrowed, facet)
	}
}
