package packed

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"

	"github.com/opencapi/capi/bench/workload"
)

func TestCountedRowsAreTheFacetsOfTheirCompanies(t *testing.T) {
	t.Parallel()
	w, err := workload.New(500)
	require.NoError(t, err)
	d, side := NewDictionary(), &Side{}
	counts := map[string]int{}
	var rows [][]byte
	for r := range Records(w, d, side) {
		rows = append(rows, Append(nil, r.Row))
	}
	for c := range w.Companies() {
		for _, v := range c.Technologies {
			counts[v]++
		}
	}
	dir := t.TempDir()
	require.NoError(t, d.Save(dir))
	d, err = Load(dir)
	require.NoError(t, err)
	counter := NewCounter(d)
	for _, row := range rows {
		counter.Add(row)
	}
	var want []index.Count
	for v, n := range counts {
		want = append(want, index.Count{Value: v, Count: n})
	}
	require.Equal(t, w.Len, counter.Rows())
	require.Equal(t, workload.SortFacet(want), counter.Facets()[Technology])
}

func TestTopKeepsTheHighestKeysThenTheLowestNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	all, top := []keyed{}, NewTop(25)
	for n := range 1000 {
		k := keyed{float64(r.IntN(40)), company.Number(n)}
		all = append(all, k)
		top.Add(k.number, k.key)
	}
	slices.SortFunc(all, compare)
	for i, n := range top.Numbers() {
		require.Equal(t, all[i].number, n)
	}
}
