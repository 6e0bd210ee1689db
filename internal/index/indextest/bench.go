package indextest

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// Bench measures an index of 1,000,000 companies of the workload, or of the number in CAPI_BENCH_COMPANIES. It runs each
// search with total, 25 rows and 20 values of every facet, then the selections of an export with the exact price.
func Bench(b *testing.B, open Open) {
	n := BenchCompanies(b, 1_000_000)
	ix := open(b)
	defer func() { ix.Close() }()
	w := NewWorkload(n)
	load(b, ix, w, n)
	ix = restart(b, ix, w)
	owned := everyNth(n, 7)
	benchSets(b, ix, w, n, owned)
	for _, s := range w.Searches() {
		q, err := query.Parse(s.Filters)
		require.NoError(b, err)
		request := index.Request{Query: q, Sort: s.Sort, Limit: 25, FacetLimit: 20, Owned: owned}
		b.Run(s.Name, func(b *testing.B) { benchSearch(b, ix, request) })
		request.FacetLimit = 0
		b.Run(s.Name+"-without-facets", func(b *testing.B) { benchSearch(b, ix, request) })
		b.Run(s.Name+"-select", func(b *testing.B) {
			for b.Loop() {
				_, err := ix.Select(b.Context(), index.Selection{Query: q, Sort: s.Sort, Limit: 10_000})
				require.NoError(b, err)
			}
		})
	}
	benchPivots(b, ix, owned)
	benchTyping(b, ix, w)
	benchUpdates(b, ix, w, n)
}

// BenchCompanies returns the number in CAPI_BENCH_COMPANIES, by default the one given.
func BenchCompanies(b *testing.B, byDefault int) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("CAPI_BENCH_COMPANIES"), strconv.Itoa(byDefault)))
	require.NoError(b, err)
	return n
}

// benchPivots measures tables of 20 rows and 10 columns over everything, a quarter, a few, and what is not owned.
func benchPivots(b *testing.B, ix index.Index, owned company.Set) {
	for _, facets := range [][2]index.Facet{{"countries", "employee_count"}, {"industries", "technologies"}, {"cities", "founded_year"}} {
		for name, f := range map[string]query.Filters{"all": {}, "quarter": {Countries: []string{"Country 0"}}, "few": {Cities: []string{"City 700"}}} {
			q, err := query.Parse(f)
			require.NoError(b, err)
			r := index.PivotRequest{Query: q, Rows: index.PivotAxis{Facet: facets[0], Limit: 20}, Columns: index.PivotAxis{Facet: facets[1], Limit: 10}}
			for of, without := range map[string]*company.Set{"count": nil, "new": &owned} {
				r.Without = without
				b.Run(fmt.Sprintf("pivot-%s-%s-%s-%s", facets[0], facets[1], name, of), func(b *testing.B) {
					measure(b, func() int {
						p, err := ix.Pivot(b.Context(), r)
						require.NoError(b, err)
						return p.Total
					})
				})
			}
		}
	}
}

// benchTyping measures searches while a word is typed, a word that no company has, and a domain.
func benchTyping(b *testing.B, ix index.Index, w *Workload) {
	for name, f := range map[string]query.Filters{
		"letter": {Query: "s", Prefix: true}, "syllable": {Query: w.words[7] + " so", Prefix: true}, "domain": {Query: workloadDomain(77)},
	} {
		q, err := query.Parse(f)
		require.NoError(b, err)
		b.Run("typed-"+name, func(b *testing.B) {
			benchSearch(b, ix, index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 25, FacetLimit: 20})
		})
	}
	q, err := query.Parse(query.Filters{Query: "misspeltt"})
	require.NoError(b, err)
	b.Run("unknown-word", func(b *testing.B) {
		for b.Loop() {
			_, err := ix.Lookup(b.Context(), q.Given())
			require.NoError(b, err)
		}
	})
}

func benchSearch(b *testing.B, ix index.Index, r index.Request) {
	measure(b, func() int {
		result, err := ix.Search(b.Context(), r)
		require.NoError(b, err)
		return result.Total
	})
}

// measure reports the number of matches that ask returns. It also reports the median and the 95th percentile, because the mean says
// little on a busy machine.
func measure(b *testing.B, ask func() int) {
	total := 0
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		total = ask()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(total), "matches")
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*95/100].Seconds()*1000, "p95-ms")
	b.ReportMetric(took[0].Seconds()*1000, "best-ms")
}

// load builds the index as if from a catalog. It reports companies per second, excluding the generation of the companies.
func load(b *testing.B, ix index.Index, w *Workload, n int) {
	var took time.Duration
	for changes := range w.Changes(n) {
		start := time.Now()
		require.NoError(b, ix.Apply(b.Context(), changes, 0))
		took += time.Since(start)
	}
	start := time.Now()
	if m, ok := ix.(Merger); ok {
		m.MergeAll()
	}
	require.NoError(b, ix.Apply(b.Context(), nil, uint64(n)))
	if k, ok := ix.(Keeper); ok {
		require.NoError(b, k.Save(b.Context()))
	}
	merged := time.Since(start)
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(os.Stderr, "%d companies: applied in %.1fs, last merge %.1fs, %.0f a second in all, %.0f bytes of heap a company\n",
		n, took.Seconds(), merged.Seconds(), float64(n)/(took+merged).Seconds(), float64(memory.HeapAlloc)/float64(n))
}

// restart reports how long a persistent index takes until its first answers.
func restart(b *testing.B, ix index.Index, w *Workload) index.Index {
	k, ok := ix.(Keeper)
	if !ok {
		return ix
	}
	start := time.Now()
	ix = k.Restart(b, false)
	fmt.Fprintf(os.Stderr, "restarted in %s; first answers", time.Since(start).Round(time.Millisecond))
	for _, s := range w.Searches() {
		q, err := query.Parse(s.Filters)
		require.NoError(b, err)
		start := time.Now()
		_, err = ix.Search(b.Context(), index.Request{Query: q, Sort: s.Sort, Limit: 25, FacetLimit: 20})
		require.NoError(b, err)
		fmt.Fprintf(os.Stderr, " %s %s", s.Name, time.Since(start).Round(time.Microsecond))
	}
	fmt.Fprintln(os.Stderr)
	return ix
}

// benchUpdates measures small changes to the large index.
func benchUpdates(b *testing.B, ix index.Index, w *Workload, n int) {
	changes := make([]index.Change, 200)
	seq := uint64(n)
	b.Run("apply-200", func(b *testing.B) {
		for b.Loop() {
			for i := range changes {
				number := 1 + (int(seq)*200+i*7919)%n
				changes[i] = index.Change{Number: company.Number(number), Company: w.Company(number)}
			}
			seq++
			require.NoError(b, ix.Apply(b.Context(), changes, seq))
		}
	})
	for name, f := range map[string]query.Filters{"Q1": {}, "Q2": {Countries: []string{"Country 0"}}} {
		b.Run(name+"-after-updates", func(b *testing.B) {
			q, err := query.Parse(f)
			require.NoError(b, err)
			benchSearch(b, ix, index.Request{
				Query: q, Sort: query.Sort{By: query.ByEmployeeCount, Desc: true}, Limit: 25, FacetLimit: 20, Owned: everyNth(n, 7),
			})
		})
	}
}

func everyNth(n, step int) company.Set {
	var numbers []company.Number
	for i := 1; i <= n; i += step {
		numbers = append(numbers, company.Number(i))
	}
	return company.SetOf(numbers...)
}
