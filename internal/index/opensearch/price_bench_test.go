package opensearch_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/indextest"
	"github.com/opencapi/capi/internal/index/opensearch"
	"github.com/opencapi/capi/internal/query"
)

// BenchmarkPrice compares a search with its exact price with two counts of OpenSearch: of all matches, and of the owned ones. A tenth of
// the companies is owned, another tenth each time, so that OpenSearch has no answer in its cache.
func BenchmarkPrice(b *testing.B) {
	n := indextest.BenchCompanies(b, 20_000)
	// The name that the other benchmarks use, so that the index is filled once.
	ix, err := opensearch.Open(b.Context(), opensearch.Options{
		Addresses: []string{address(b)}, Name: "bench-" + strconv.Itoa(n), Timeout: 10 * time.Minute,
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, ix.Close()) })
	w := indextest.NewWorkload(n)
	if ix.Len() != n {
		require.NoError(b, ix.Rebuild(b.Context(), func(ctx context.Context, fresh index.Index) error {
			for changes := range w.Changes(n) {
				if err := fresh.Apply(ctx, changes, 0); err != nil {
					return err
				}
			}
			return fresh.Apply(ctx, nil, uint64(n))
		}))
	}
	sets := make([]company.Set, 20)
	for round := range sets {
		numbers := []company.Number{company.Number(round + 1)}
		for i := 1 + round%10; i <= n; i += 10 {
			numbers = append(numbers, company.Number(i))
		}
		sets[round] = company.SetOf(numbers...)
	}
	round := 0
	owned := func() company.Set {
		round++
		return sets[round%len(sets)]
	}
	for _, s := range w.Searches() {
		q, err := query.Parse(s.Filters)
		require.NoError(b, err)
		mine := owned()
		total, in, err := ix.CountOwned(b.Context(), q, mine)
		require.NoError(b, err)
		priced, err := ix.Search(b.Context(), index.Request{Query: q, Sort: s.Sort, Limit: 1, Owned: mine})
		require.NoError(b, err)
		require.Equal(b, []int{total, in}, []int{priced.Total, priced.Owned})
		b.Run(s.Name[:2]+"/counts", func(b *testing.B) {
			for b.Loop() {
				_, _, err := ix.CountOwned(b.Context(), q, owned())
				require.NoError(b, err)
			}
		})
		b.Run(s.Name[:2]+"/price", func(b *testing.B) {
			for b.Loop() {
				_, err := ix.Search(b.Context(), index.Request{Query: q, Sort: s.Sort, Limit: 1, Owned: owned()})
				require.NoError(b, err)
			}
		})
	}
}
