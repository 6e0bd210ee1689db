package workload

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

func TestCompaniesComeInOrderAndAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	w, err := New(2*chunkSize + 5)
	require.NoError(t, err)
	var first []*company.Company
	for c := range w.Companies() {
		first = append(first, c)
		require.Equal(t, len(first), int(c.Number))
	}
	require.Len(t, first, w.Len)
	i := 0
	for batch := range w.Batches(999) {
		require.Equal(t, first[i:i+len(batch)], batch)
		i += len(batch)
	}
	require.Equal(t, w.Len, i)
}

func TestDifferencesThatMatterAreFound(t *testing.T) {
	t.Parallel()
	w, err := New(100)
	require.NoError(t, err)
	facets := func(technology int) [][]index.Count {
		f := make([][]index.Count, len(Facets))
		f[2] = []index.Count{{Value: "Tech a", Count: technology}, {Value: "Tech b", Count: 1}}
		return f
	}
	right := Answer{Total: 9, Rows: []company.Number{1, 2}, Facets: facets(5)}
	for name, c := range map[string]struct {
		op    string
		wrong Answer
		want  string
	}{
		"nothing":              {"Q1", right, ""},
		"total":                {"Q1", Answer{Total: 8, Rows: right.Rows, Facets: right.Facets}, "total 9, but 8"},
		"rows":                 {"Q1", Answer{Total: 9, Rows: []company.Number{1, 3}, Facets: right.Facets}, "row 1 is company 2, but 3"},
		"rows by relevance":    {"Q4", Answer{Total: 9, Rows: []company.Number{7, 3}, Facets: right.Facets}, ""},
		"missing rows":         {"Q4", Answer{Total: 9, Facets: right.Facets}, "2 rows, but 0"},
		"facets":               {"Q1", Answer{Total: 9, Rows: right.Rows, Facets: facets(4)}, "technologies sum up to 6, but 5"},
		"unlocked":             {"E3", Answer{Total: 9, Owned: 1, Rows: right.Rows}, "0 unlocked, but 1"},
		"figures of selection": {"E1", Answer{Total: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, ok := w.Op(c.op)
			require.True(t, ok)
			require.Equal(t, c.want, op.Differ(right, c.wrong))
		})
	}
}

func TestValuesThatShareTheLastCountMayDiffer(t *testing.T) {
	t.Parallel()
	values := func(last string) [][]index.Count {
		f := make([][]index.Count, len(Facets))
		for i := range FacetValues - 1 {
			f[1] = append(f[1], index.Count{Value: string(rune('a' + i)), Count: 90 - i})
		}
		f[1] = append(f[1], index.Count{Value: last, Count: 3})
		return f
	}
	require.Empty(t, differFacets(values("y"), values("z")))
}
