package embedded

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// repeated are searches that differ in one thing each, so that an answer for the wrong one is noticed.
func repeated(t testing.TB, sets []company.Set) (all []index.Request) {
	us, err := query.Parse(query.Filters{Countries: []string{"US"}})
	require.NoError(t, err)
	de, err := query.Parse(query.Filters{Countries: []string{"DE"}})
	require.NoError(t, err)
	inSet := query.Query{Root: query.Within{Node: query.InSet{Key: "list", Set: sets[1]}}}
	otherSet := query.Query{Root: query.Within{Node: query.InSet{Key: "list", Set: sets[2]}}}
	base := index.Request{Sort: query.Sort{By: query.ByEmployeeCount, Desc: true}, Limit: 5, FacetLimit: 10}
	with := func(change func(*index.Request)) {
		r := base
		change(&r)
		all = append(all, r)
	}
	for _, q := range []query.Query{{}, us, de, inSet, otherSet} {
		with(func(r *index.Request) { r.Query = q })
		with(func(r *index.Request) { r.Query, r.Head = q, 20 })
	}
	with(func(r *index.Request) { r.Sort.Desc = false })
	with(func(r *index.Request) { r.Sort = query.Sort{By: query.ByName} })
	with(func(r *index.Request) { r.Limit = 6 })
	with(func(r *index.Request) { r.FacetLimit = 2 })
	with(func(r *index.Request) { r.FacetLimit = 0 })
	with(func(r *index.Request) { r.Facets = []index.Facet{} })
	with(func(r *index.Request) { r.Facets = index.AllFacets()[:2] })
	with(func(r *index.Request) { r.FacetPrefix = index.FacetPrefix{Facet: index.AllFacets()[0], Text: "u"} })
	empty := company.Set{}
	for i := range sets {
		with(func(r *index.Request) { r.Owned = sets[i] })
		with(func(r *index.Request) { r.Owned, r.FacetOwned = sets[i], true })
		with(func(r *index.Request) { r.Within = &sets[i] })
		with(func(r *index.Request) { r.Without = &sets[i] })
		with(func(r *index.Request) { r.Excluded = sets[i : i+1] })
		with(func(r *index.Request) { r.Excluded = []company.Set{sets[i], sets[0]} })
	}
	with(func(r *index.Request) { r.Within = &empty })
	with(func(r *index.Request) { r.Without = &empty })
	return all
}

// TestRepeatedSearchesFindWhatFirstOnesDo asks an index that keeps answers, and one that does not, the same in any order, while
// companies change.
func TestRepeatedSearchesFindWhatFirstOnesDo(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(3, 400)
	effort.Check(t, 10, func(rt *rapid.T) {
		keeping, plain := Open(Options{Answers: rapid.SampledFrom([]int{1, 7, 500}).Draw(rt, "answers")}), Open(Options{})
		keeping.answers.room = rapid.SampledFrom([]int{0, 300, 1 << 20}).Draw(rt, "room")
		defer func() { require.NoError(rt, keeping.Close()) }()
		defer func() { require.NoError(rt, plain.Close()) }()
		sets := []company.Set{company.Span(1, 100), company.Span(50, 300), company.Span(200, 390)}
		asked := repeated(t, sets)
		for seq := range uint64(4) {
			var changes []index.Change
			for _, c := range companies {
				if seq == 0 || (uint64(c.Number)+seq)%9 == 0 {
					moved := *c
					moved.Country = companies[(uint64(c.Number)*7+seq)%400].Country
					changes = append(changes, index.Change{Number: c.Number, Company: &moved})
				}
			}
			require.NoError(rt, keeping.Apply(t.Context(), changes, seq+1))
			require.NoError(rt, plain.Apply(t.Context(), changes, seq+1))
			var cursors []index.Request
			for range 60 {
				r := rapid.SampledFrom(asked).Draw(rt, "search")
				if len(cursors) > 0 && rapid.IntRange(0, 4).Draw(rt, "next page") == 0 {
					r = rapid.SampledFrom(cursors).Draw(rt, "page")
				}
				got, err := keeping.Search(t.Context(), r)
				require.NoError(rt, err)
				want, err := plain.Search(t.Context(), r)
				require.NoError(rt, err)
				if got.Next != nil {
					next := r
					next.Cursor = slices.Clone(got.Next)
					cursors = append(cursors, next)
				}
				require.Equal(rt, want.Next == nil, got.Next == nil)
				want.Next = got.Next // it names the index
				require.Empty(rt, cmp.Diff(want, got), "%+v", r)
				spoil(got)
				require.LessOrEqual(rt, keeping.answers.used, keeping.answers.room)
			}
		}
	})
}

// spoil changes everything in a result that a caller may change.
func spoil(r *index.Result) {
	clear(r.Page)
	clear(r.Head)
	clear(r.Next)
	clear(r.Facets.Values)
	clear(r.Facets.Bands)
}

// TestKeptAnswersAreFew asks for more than is kept.
func TestKeptAnswersAreFew(t *testing.T) {
	t.Parallel()
	ix := Open(Options{Answers: 10})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 50)), 1))
	for limit := range 100 {
		_, err := ix.Search(t.Context(), index.Request{Limit: limit + 1, FacetLimit: 3})
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(ix.answers.younger)+len(ix.answers.older), 20)
	require.Equal(t, 1, countFacets(ix), "pages of one search share their facets")
	require.NoError(t, ix.Apply(t.Context(), nil, 2))
	_, err := ix.Search(t.Context(), index.Request{Limit: 1})
	require.NoError(t, err)
	require.Len(t, ix.answers.younger, 1)
	require.Empty(t, ix.answers.older)
}

func countFacets(ix *Index) (n int) {
	for _, generation := range []map[answerKey]*answer{ix.answers.younger, ix.answers.older} {
		for a := range maps.Values(generation) {
			if a.found.Facets.Values != nil {
				n++
			}
		}
	}
	return n
}

// TestASearchWaitsForACore occupies all cores. It is not parallel: it would stop the other tests.
func TestASearchWaitsForACore(t *testing.T) {
	ix := Open(Options{})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 50)), 1))
	for range cap(cores) {
		release, err := awaitCore(t.Context())
		require.NoError(t, err)
		defer release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	var asked sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		asked.Go(func() { _, errs[i] = ix.Search(ctx, index.Request{Limit: 1, FacetLimit: 3}) })
	}
	cancel()
	asked.Wait()
	for _, err := range errs {
		require.ErrorIs(t, err, context.Canceled, fmt.Sprint(errs))
	}
}
