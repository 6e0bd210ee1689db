package opensearch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/opensearch"
	"github.com/opencapi/capi/internal/query"
)

func all(t *testing.T, ix index.Index) []company.Number {
	t.Helper()
	s, err := ix.Select(t.Context(), index.Selection{Sort: query.Sort{By: query.ByName}, Limit: 1000})
	require.NoError(t, err)
	require.Len(t, s.Numbers, s.Total)
	return s.Numbers
}

func TestReplaysBringNothingBack(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern")}, 5))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 1}, named(2, "Better Bravo", "Basel")}, 9))
	late, err := opensearch.Open(t.Context(), o) // another server that does not know yet that it may not apply any more
	require.NoError(t, err)
	defer late.Close()
	require.NoError(t, late.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern")}, 5))
	require.Equal(t, []company.Number{2}, all(t, late))
	known, err := late.Lookup(t.Context(), []query.Given{{Field: query.FieldCity, Value: "basel"}, {Field: query.FieldCity, Value: "bern"}})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false}, []bool{known[0].Found, known[1].Found})
	require.NoError(t, late.Apply(t.Context(), []index.Change{named(1, "Acme again", "Bern")}, 10))
	require.Equal(t, []company.Number{1, 2}, all(t, late))
}

func TestNumbersThatNoBitmapFindsAreRefused(t *testing.T) {
	t.Parallel()
	ix := open(t, options(t))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(1<<31-1, "Zulu", "Bern")}, 1))
	require.ErrorContains(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern"), named(1<<31, "Over", "Bern")}, 2), "2147483648 is above 2147483647")
	require.Equal(t, []company.Number{1, 1<<31 - 1}, all(t, ix), "nothing was written")
	for _, set := range []company.Set{company.SetOf(1<<31-1, 1<<31, 1<<32-1), company.Span(2, 1<<32-1)} {
		found, err := ix.Search(t.Context(), index.Request{Limit: 5, Within: &set, Owned: set})
		require.NoError(t, err)
		require.Equal(t, []company.Number{1<<31 - 1}, found.Page)
		require.Equal(t, 1, found.Owned)
		found, err = ix.Search(t.Context(), index.Request{Limit: 5, Without: &set})
		require.NoError(t, err)
		require.Equal(t, []company.Number{1}, found.Page)
	}
}

func TestOtherServersFollow(t *testing.T) {
	t.Parallel()
	o := options(t)
	applies := open(t, o)
	o.Poll = 20 * time.Millisecond
	follows := open(t, o)
	require.Zero(t, follows.Seq())
	by := query.Sort{By: query.ByName}
	var changes []index.Change
	for n := range company.Number(9) {
		changes = append(changes, named(n+1, fmt.Sprint("Acme ", n), "Bern"))
	}
	for seq := range uint64(5) {
		require.NoError(t, applies.Apply(t.Context(), changes, seq+1))
		require.Eventually(t, func() bool { return follows.Seq() == seq+1 }, time.Minute, 5*time.Millisecond)
		require.Equal(t, 9, follows.Len())
	}
	first, err := applies.Search(t.Context(), index.Request{Sort: by, Limit: 4})
	require.NoError(t, err)
	require.NoError(t, applies.Apply(t.Context(), []index.Change{{Number: 5}, {Number: 6}, named(10, "Acme 3b", "Bern")}, 9))
	require.Eventually(t, func() bool { return follows.Seq() == 9 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, applies.Close())
	second, err := follows.Search(t.Context(), index.Request{Sort: by, Limit: 9, Cursor: first.Next})
	require.NoError(t, err)
	require.Equal(t, []company.Number{5, 6, 7, 8, 9}, second.Page, "the snapshot of the first page, also after its server has stopped")
	require.Equal(t, 9, second.Total)
	require.Equal(t, []company.Number{1, 2, 3, 4, 10, 7, 8, 9}, all(t, follows))
}

func TestRebuildReplacesTheIndexInOneStep(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	o.Poll = 20 * time.Millisecond
	follows := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern"), named(3, "Charlie", "Bern")}, 5))
	before, err := ix.Stats(t.Context())
	require.NoError(t, err)
	by := query.Sort{By: query.ByName}
	page, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 1})
	require.NoError(t, err)

	require.ErrorContains(t, ix.Rebuild(t.Context(), func(ctx context.Context, fresh index.Index) error {
		return errors.Join(fresh.Apply(ctx, []index.Change{named(9, "Wrong", "Bern")}, 0), errors.New("no catalog"))
	}), "no catalog")
	after, err := ix.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Index, after.Index)
	require.Empty(t, after.Others, "what was not finished is deleted")

	for seq := uint64(7); seq < 9; seq++ {
		require.NoError(t, ix.Rebuild(t.Context(), func(ctx context.Context, fresh index.Index) error {
			require.Zero(t, fresh.Seq())
			require.Zero(t, fresh.Len())
			require.NoError(t, fresh.Apply(ctx, []index.Change{named(4, "Delta", "Bern")}, 0))
			require.Equal(t, uint64(0), fresh.Seq())
			require.Equal(t, []company.Number{4}, all(t, fresh))
			require.NotContains(t, all(t, ix), company.Number(5), "searches use the old one")
			return fresh.Apply(ctx, []index.Change{named(5, "Echo", "Bern")}, seq)
		}))
		require.Equal(t, seq, ix.Seq())
		require.Equal(t, []company.Number{4, 5}, all(t, ix))
		require.Eventually(t, func() bool { return follows.Seq() == seq }, time.Minute, 5*time.Millisecond)
		require.Equal(t, []company.Number{4, 5}, all(t, follows))
		require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 5}}, seq))
		require.Equal(t, []company.Number{4}, all(t, ix))
		after, err = ix.Stats(t.Context())
		require.NoError(t, err)
		require.Len(t, after.Others, 1, "the one before is kept for cursors, those before that are not")
		if seq == 7 {
			rest, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 5, Cursor: page.Next})
			require.NoError(t, err)
			require.Equal(t, []company.Number{2, 3}, rest.Page)
		}
	}
	rest, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 5, Cursor: page.Next})
	require.NoError(t, err)
	require.Equal(t, []company.Number{4}, rest.Page, "continues after the same key")
	require.Equal(t, 1, after.Companies)
	require.Positive(t, after.Bytes)
	require.Equal(t, "green", after.Health)
	require.NoError(t, ix.Drop(t.Context()))
	require.Empty(t, all(t, ix))
	require.Zero(t, ix.Seq())
	require.Eventually(t, func() bool { return follows.Seq() == 0 }, time.Minute, 5*time.Millisecond)
}

// The server that applies changes may have applied some to the old index that the new one was not built from.
func TestChangesThatANewIndexDoesNotContinueAreRefused(t *testing.T) {
	t.Parallel()
	for name, notice := range map[string]func(*testing.T, *opensearch.Index){
		"by Apply": func(*testing.T, *opensearch.Index) {},
		"before Apply": func(t *testing.T, ix *opensearch.Index) {
			_, err := ix.Stats(t.Context()) // takes the newest snapshot, as polling does
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			ix := open(t, o)
			require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
			rebuilds, err := opensearch.Open(t.Context(), o)
			require.NoError(t, err)
			defer rebuilds.Close()
			require.NoError(t, rebuilds.Rebuild(t.Context(), func(ctx context.Context, fresh index.Index) error {
				if err := fresh.Apply(ctx, []index.Change{named(1, "Acme", "Bern")}, 1); err != nil {
					return err
				}
				return ix.Apply(ctx, []index.Change{named(2, "Bravo", "Bern")}, 2)
			}))
			require.Equal(t, uint64(2), ix.Seq())
			notice(t, ix)
			require.ErrorIs(t, ix.Apply(t.Context(), []index.Change{named(3, "Charlie", "Bern")}, 3), index.ErrReplaced)
			require.Equal(t, uint64(1), ix.Seq())
			require.NoError(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern"), named(3, "Charlie", "Bern")}, 3))
			require.Equal(t, []company.Number{1, 2, 3}, all(t, ix))
		})
	}
}

func TestAnIndexThatWasDeletedIsNotContinued(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
	stats, err := ix.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), ix.Seq())
	remove(t, o.Addresses[0], "/"+stats.Index)
	require.ErrorIs(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2), index.ErrReplaced)
	require.Eventually(t, func() bool {
		if seq := ix.Seq(); seq > 0 {
			require.ErrorIs(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2), index.ErrReplaced)
			return false
		}
		return true
	}, time.Minute, time.Millisecond, "the whole catalog is asked for")
	require.NoError(t, ix.Apply(t.Context(), nil, 0))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern")}, 2))
	require.Equal(t, []company.Number{1, 2}, all(t, ix))
}

// A scan of the catalog that its process did not finish starts over in a new index, because companies may have been removed.
func TestARebuiltIndexHasWhatWasAppliedMeanwhile(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	other, err := opensearch.Open(t.Context(), o)
	require.NoError(t, err)
	defer other.Close()
	acme, bravo := []index.Change{named(1, "Acme", "Bern")}, []index.Change{named(2, "Bravo", "Bern")}
	require.NoError(t, ix.Apply(t.Context(), acme, 1))
	fills := 0
	require.NoError(t, ix.Rebuild(t.Context(), func(ctx context.Context, fresh index.Index) error {
		fills++
		if fills > 1 {
			return fresh.Apply(ctx, bravo, 2)
		}
		return errors.Join(fresh.Apply(ctx, acme, 1), other.Apply(ctx, bravo, 2))
	}))
	require.Equal(t, 2, fills)
	r, err := ix.Search(t.Context(), index.Request{Limit: 9})
	require.NoError(t, err)
	require.Equal(t, 2, r.Total)
}

func TestAnUnfinishedScanIsForgotten(t *testing.T) {
	t.Parallel()
	o := options(t)
	first := open(t, o)
	require.NoError(t, first.Apply(t.Context(), []index.Change{named(1, "Removed later", "Bern"), named(2, "Bravo", "Bern")}, 0))
	require.NoError(t, first.Close())
	again, err := opensearch.Open(t.Context(), o)
	require.NoError(t, err)
	defer again.Close()
	require.Zero(t, again.Seq())
	require.NoError(t, again.Apply(t.Context(), nil, 0))
	require.NoError(t, again.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 0))
	require.NoError(t, again.Apply(t.Context(), nil, 4))
	require.Equal(t, []company.Number{2}, all(t, again))
	stats, err := again.Stats(t.Context())
	require.NoError(t, err)
	require.Empty(t, stats.Others)
}

// Also by a process that has applied changes to another index before.
func TestAnUnfinishedScanOfAnotherServerIsForgotten(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
	stats, err := ix.Stats(t.Context())
	require.NoError(t, err)
	remove(t, o.Addresses[0], "/"+stats.Index)
	other, err := opensearch.Open(t.Context(), o)
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, other.Apply(t.Context(), []index.Change{named(9, "Removed later", "Bern")}, 0))
	for range 2 {
		require.NoError(t, ix.Apply(t.Context(), nil, 0))
	}
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 0))
	require.NoError(t, ix.Apply(t.Context(), nil, 2))
	require.Equal(t, []company.Number{1}, all(t, ix))
}

// Shards return only their own most frequent values. Here the most frequent values of all are not among those of any shard.
func TestFacetsOfManyValuesAreExactOverShards(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Shards = 3
	ix := open(t, o)
	counts := map[string]int{}
	var changes []index.Change
	for n := 1; n <= 6000; n++ {
		city := fmt.Sprint("City ", n%2500*(n%7)%2400)
		counts[city]++
		changes = append(changes, named(company.Number(n), "", city))
	}
	require.NoError(t, ix.Apply(t.Context(), changes, 1))
	cities := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	require.Greater(t, len(cities), 1100)
	owned := company.Span(1, 3000)
	for _, limit := range []int{1, 300, 999, 5000, 1 << 30} {
		r, err := ix.Search(t.Context(), index.Request{Limit: 1, FacetLimit: limit, Facets: []index.Facet{"cities"}, Owned: owned, FacetOwned: true})
		require.NoError(t, err)
		got := r.Facets.Values["cities"]
		require.Len(t, got, min(limit, len(cities)))
		sum := 0
		for i, c := range got {
			require.Equal(t, cities[i], c.Value)
			require.Equal(t, counts[c.Value], c.Count)
			sum += c.Owned
		}
		if limit > len(cities) {
			require.Equal(t, 3000, sum)
		}
	}
}

// long returns filters with as many values as query.Parse accepts.
func long(words int) (many []string) {
	for i := range 500 {
		many = append(many, strings.Repeat(fmt.Sprintf("alpha%d ", i), words))
	}
	return many
}

func TestLongQueriesAreAnswered(t *testing.T) {
	t.Parallel()
	ix := open(t, options(t))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Alpha7 alpha7 alpha7", "Bern"), named(2, "Acme alpha499", "Bern"), named(3, "Acme-Labs beta", "Bern")}, 1))
	for name, row := range map[string]struct {
		filters query.Filters
		want    []company.Number
	}{
		"words":            {query.Filters{Keywords: long(1)}, []company.Number{1, 2}},
		"phrases":          {query.Filters{Keywords: long(3)}, []company.Number{1}},
		"excluded words":   {query.Filters{Keywords: []string{"acme"}, ExcludeKeywords: long(1)}, []company.Number{3}},
		"both":             {query.Filters{Keywords: long(3), ExcludeKeywords: long(2)}, []company.Number{}},
		"many in a phrase": {query.Filters{Query: strings.Repeat("alpha7 ", 100)}, []company.Number{1}},
	} {
		q, err := query.Parse(row.filters)
		require.NoError(t, err)
		r, err := ix.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 9})
		if err != nil {
			require.Equal(t, fault.Validation, fault.CodeOf(err), "%s: %v", name, err)
			require.NotEqual(t, "words", name)
			t.Logf("%s: %v", name, err)
			continue
		}
		require.ElementsMatch(t, row.want, r.Page, name)
	}
}

func TestDeepSetsAreAnswered(t *testing.T) {
	t.Parallel()
	ix := open(t, options(t))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Basel")}, 1))
	set := query.SetRef{Search: &query.Filters{Cities: []string{"bern"}}}
	for i := range query.SetDepthMax - 3 {
		other := query.SetRef{Search: &query.Filters{Query: fmt.Sprint("bravo ", i)}}
		if i%2 == 0 {
			set = query.SetRef{AnyOf: []query.SetRef{set, other}}
		} else {
			set = query.SetRef{Search: &query.Filters{In: []query.SetRef{set, other}, NotIn: []query.SetRef{other}}}
		}
	}
	q, err := query.ParseSet("in", set)
	require.NoError(t, err)
	r, err := ix.Search(t.Context(), index.Request{Query: q, Limit: 9})
	require.NoError(t, err)
	require.Equal(t, []company.Number{1}, r.Page)
}

func TestSnapshotsForCursorsAreBounded(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.RememberMax = 2
	ix := open(t, o)
	by := query.Sort{By: query.ByName}
	var cursors [][]byte
	for seq := range company.Number(5) {
		require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(10+seq, fmt.Sprint("Bravo ", seq), "Bern")}, uint64(seq)+1))
		r, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 1})
		require.NoError(t, err)
		if seq > 0 {
			require.NotNil(t, r.Next)
		}
		cursors = append(cursors, r.Next)
	}
	stats, err := ix.Stats(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, stats.Snapshots, 3, "the current one and two for cursors")
	for seq, want := range map[int]int{1: 5, 3: 4, 4: 5} { // that of 1 was closed, so it continues in the newest
		r, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 9, Cursor: cursors[seq]})
		require.NoError(t, err)
		require.Len(t, r.Page, want, seq)
		require.Equal(t, want+1, r.Total)
	}
}

func TestCursorsContinueAfterLongNames(t *testing.T) {
	t.Parallel()
	o := options(t)
	ix := open(t, o)
	begin := strings.Repeat("Ångström ", 40)
	var changes []index.Change
	for n := range company.Number(7) {
		changes = append(changes, named(n+1, fmt.Sprint(begin, (n*3)%7), "Bern"))
	}
	require.NoError(t, ix.Apply(t.Context(), changes, 1))
	for _, by := range []query.Sort{{By: query.ByName}, {By: query.ByName, Desc: true}} {
		want, err := ix.Select(t.Context(), index.Selection{Sort: by, Limit: 10})
		require.NoError(t, err)
		require.Len(t, want.Numbers, 7)
		var got []company.Number
		var cursor []byte
		for first := true; first || cursor != nil; first = false {
			r, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 2, Cursor: cursor})
			require.NoError(t, err)
			require.Less(t, len(r.Next), 700)
			got, cursor = append(got, r.Page...), r.Next
		}
		require.Equal(t, want.Numbers, got)
	}
}

func TestSelectionsMayNeedSeveralRequests(t *testing.T) {
	t.Parallel()
	ix := open(t, options(t))
	const n = 10_500
	changes := make([]index.Change, n)
	for i := range changes {
		changes[i] = named(company.Number(n-i), "", "")
	}
	require.NoError(t, ix.Apply(t.Context(), changes, 1))
	for _, limit := range []int{9_999, 10_000, 10_001, n, 2 * n} {
		s, err := ix.Select(t.Context(), index.Selection{Sort: query.Sort{By: query.ByEmployeeCount}, Limit: limit})
		require.NoError(t, err)
		require.Equal(t, n, s.Total)
		require.Len(t, s.Numbers, min(limit, n))
		require.True(t, slices.IsSorted(s.Numbers))
		require.Len(t, slices.Compact(s.Numbers), min(limit, n))
	}
}
