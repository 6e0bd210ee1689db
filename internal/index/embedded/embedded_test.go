package embedded_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/index/indextest"
	"github.com/opencapi/capi/internal/query"
)

func TestIndexKeepsTheContract(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(testing.TB) index.Index { return embedded.Open(embedded.Options{MergeWidth: 3, Answers: 8}) })
}

// diskIndex is an index on disk that tests can restart.
type diskIndex struct {
	*embedded.Index
	dir string
}

// small produces many segments with few companies.
var small = embedded.Options{MergeWidth: 3, SegmentMax: 1024}

func openKept(t testing.TB, dir string, o embedded.Options) *diskIndex {
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ix := embedded.Open(o)
	require.NoError(t, ix.Attach(t.Context(), dir, embedded.SameCatalog{ID: "catalog", Seq: 1 << 40}))
	return &diskIndex{ix, dir}
}

// Restart simulates a crash by reopening a copy of the directory from before the index was closed.
func (k *diskIndex) Restart(t testing.TB, crash bool) index.Index {
	dir := k.dir
	if crash {
		dir = t.TempDir()
		copyFiles(t, dir, k.dir)
	}
	require.NoError(t, k.Close())
	return openKept(t, dir, small)
}

func copyFiles(t testing.TB, to, from string) {
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, e := range entries {
		p, err := os.ReadFile(filepath.Join(from, e.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // a temporary file that was renamed in the meantime
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, e.Name()), p, 0o600))
	}
}

func TestIndexOnDiskKeepsTheContract(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t testing.TB) index.Index { return openKept(t, t.TempDir(), small) })
}

func TestFacetsStayExactWithMoreValuesThanSixteenBits(t *testing.T) {
	t.Parallel()
	ix := embedded.Open(embedded.Options{})
	defer ix.Close()
	const companies = 36_000 // with two unique values each
	changes := make([]index.Change, companies)
	for i := range changes {
		n := company.Number(i + 1)
		changes[i] = index.Change{Number: n, Company: &company.Company{
			Number: n, Name: fmt.Sprint("Company ", i), City: fmt.Sprint("City ", i%5),
			Industries: []string{fmt.Sprint("Own ", i), fmt.Sprint("Second ", i), fmt.Sprint("Shared ", i%7)},
		}}
	}
	require.NoError(t, ix.Apply(t.Context(), changes, 1))
	ix.MergeAll()
	for _, cities := range [][]string{nil, {"City 1"}, {"City 1", "City 2", "City 3", "City 4"}} {
		q, err := query.Parse(query.Filters{Cities: cities})
		require.NoError(t, err)
		r, err := ix.Search(t.Context(), index.Request{Query: q, Limit: 1, FacetLimit: 8})
		require.NoError(t, err)
		require.Equal(t, wantShared(companies, len(cities)), r.Facets.Values["industries"][:7])
		require.Equal(t, 1, r.Facets.Values["industries"][7].Count)
	}
}

// wantShared returns the counts of the values that companies share by city; 0 cities means all companies.
func wantShared(companies, cities int) []index.Count {
	counts := make([]index.Count, 7)
	for i := range counts {
		counts[i].Value = fmt.Sprint("Shared ", i)
	}
	for i := range companies {
		if city := i % 5; cities == 0 || city >= 1 && city <= cities {
			counts[i%7].Count++
		}
	}
	slices.SortStableFunc(counts, func(a, b index.Count) int { return b.Count - a.Count })
	return counts
}

func TestCursorsOfEvictedSnapshotsContinueInTheNewest(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]embedded.Options{
		"too many": {RememberMax: 1},
		"too old":  {Remember: time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ix := embedded.Open(options)
			defer ix.Close()
			companies := companytest.Slice(1, 10)
			apply := func(seq uint64, c *company.Company) {
				require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: c.Number, Company: c}}, seq))
			}
			for i, c := range companies[:8] {
				apply(uint64(i+1), c)
			}
			byNumber := query.Sort{By: query.ByRelevance}
			first, err := ix.Search(t.Context(), index.Request{Sort: byNumber, Limit: 5})
			require.NoError(t, err)
			apply(9, companies[8])
			_, err = ix.Search(t.Context(), index.Request{Sort: byNumber, Limit: 5})
			require.NoError(t, err)
			apply(10, companies[9])
			rest, err := ix.Search(t.Context(), index.Request{Sort: byNumber, Limit: 9, Cursor: first.Next})
			require.NoError(t, err)
			require.Equal(t, []company.Number{6, 7, 8, 9, 10}, rest.Page)
			require.Equal(t, 10, rest.Total)
		})
	}
}

func TestCloseTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	ix := embedded.Open(embedded.Options{})
	require.NoError(t, ix.Close())
	require.NoError(t, ix.Close())
}

func TestStatsCountSegmentsAndMerges(t *testing.T) {
	t.Parallel()
	ix := embedded.Open(embedded.Options{MergeWidth: 100})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	require.Zero(t, ix.Stats())
	for seq, c := range companytest.Slice(1, 3) {
		require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: c.Number, Company: c}}, uint64(seq)+1))
	}
	require.Equal(t, embedded.RuntimeStats{Companies: 3, Segments: 3, SegmentsInMemory: 3}, ix.Stats())
	ix.MergeAll()
	require.Equal(t, embedded.RuntimeStats{Companies: 3, Segments: 1, SegmentsInMemory: 1, Merges: 1}, ix.Stats())
}
