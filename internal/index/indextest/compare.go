package indextest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

// testCompare compares random sets with what Match says of each company.
func testCompare(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		numbers := spread().Draw(rt, "numbers")
		for range rapid.IntRange(1, 3).Draw(rt, "applies") {
			h.apply(rt, rapid.SliceOfN(change(numbers), 0, 25).Draw(rt, "changes"))
			h.disturb(rt)
		}
		sets := rapid.OneOf(querytest.Query(), querytest.SetQuery(subset(numbers)), rapid.Just(query.Query{}))
		c := index.Comparison{
			Sets:     rapid.SliceOfN(sets, 1, index.ComparedMax).Draw(rt, "sets"),
			Owned:    subset(numbers).Draw(rt, "owned"),
			Excluded: rapid.SliceOfN(subset(numbers), 0, 2).Draw(rt, "excluded"),
		}
		want := index.Compared{Regions: make([]index.Region, 1<<len(c.Sets))}
		for _, one := range h.truth {
			in := 0
			for i, q := range c.Sets {
				if query.Match(q, one) {
					in |= 1 << i
				}
			}
			switch {
			case in == 0:
			case slices.ContainsFunc(c.Excluded, func(s company.Set) bool { return s.Has(one.Number) }):
				want.Excluded++
			default:
				want.Regions[in].Count++
				if c.Owned.Has(one.Number) {
					want.Regions[in].Owned++
				}
			}
		}
		got, err := h.ix.Compare(t.Context(), c)
		require.NoError(rt, err)
		require.Equal(rt, &want, got)
	})
}
