package indextest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// benchSets measures the comparison of eight lists, and of the eight searches, and what prices of facets and the exclusion of a tenth of all companies
// add to each search, with and without facets. Both variants of a search run in turn, so that other load affects both.
func benchSets(b *testing.B, ix index.Index, w *Workload, n int, owned company.Set) {
	var queries []query.Query
	for _, s := range w.Searches() {
		q, err := query.Parse(s.Filters)
		require.NoError(b, err)
		queries = append(queries, q)
	}
	excluded := everyNth(n, 10)
	lists := make([]query.Query, index.ComparedMax)
	for i := range lists {
		lists[i].Root = query.InSet{Set: everyNth(n, 5+i)}
	}
	for name, sets := range map[string][]query.Query{"lists": lists, "searches": queries[:index.ComparedMax]} {
		b.Run("compare-8-"+name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := ix.Compare(b.Context(), index.Comparison{Sets: sets, Owned: owned})
				took = append(took, time.Since(start))
				require.NoError(b, err)
			}
			report(b, "", took)
		})
	}
	for i, s := range w.Searches() {
		plain := index.Request{Query: queries[i], Sort: s.Sort, Limit: 25, FacetLimit: 20, Owned: owned}
		priced := plain
		priced.FacetOwned = true
		b.Run(s.Name+"-priced-facets", func(b *testing.B) { benchInTurn(b, ix, plain, priced) })
		without := plain
		without.Excluded = []company.Set{excluded}
		b.Run(s.Name+"-excluded-tenth", func(b *testing.B) { benchInTurn(b, ix, plain, without) })
		plain.FacetLimit, without.FacetLimit = 0, 0
		b.Run(s.Name+"-excluded-tenth-without-facets", func(b *testing.B) { benchInTurn(b, ix, plain, without) })
	}
}

// benchInTurn reports how long both requests take, and how much longer the second one does.
func benchInTurn(b *testing.B, ix index.Index, first, second index.Request) {
	var took, longer []time.Duration
	for b.Loop() {
		start := time.Now()
		_, err := ix.Search(b.Context(), first)
		require.NoError(b, err)
		between := time.Now()
		_, err = ix.Search(b.Context(), second)
		took, longer = append(took, between.Sub(start)), append(longer, time.Since(between))
		require.NoError(b, err)
	}
	report(b, "plain-", took)
	report(b, "", longer)
	b.ReportMetric((longer[len(longer)/2]-took[len(took)/2]).Seconds()*1000, "adds-p50-ms")
	b.ReportMetric((longer[0]-took[0]).Seconds()*1000, "adds-best-ms")
	b.ReportMetric(0, "ns/op")
}

func report(b *testing.B, prefix string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(took[0].Seconds()*1000, prefix+"best-ms")
	b.ReportMetric(took[len(took)/2].Seconds()*1000, prefix+"p50-ms")
}
