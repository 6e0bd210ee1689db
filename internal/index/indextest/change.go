package indextest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/testkit/effort"
)

// testCursors changes the index between pages. They must still yield the matches of the first page's snapshot.
func testCursors(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		ix, tr := open(t), truth{}
		defer ix.Close()
		numbers := spread().Draw(rt, "numbers")
		apply := func(seq uint64) {
			changes := rapid.SliceOfN(change(numbers), 0, 25).Draw(rt, "changes")
			require.NoError(rt, ix.Apply(t.Context(), changes, seq))
			tr.apply(changes)
		}
		apply(1)
		s := search{query: wide().Draw(rt, "query"), sort: querytest.Sort().Draw(rt, "sort"), limit: 3}
		want := numbersOf(tr.matches(s.query, s.sort, nil))
		var got []company.Number
		var cursor []byte
		for seq := uint64(2); ; seq++ {
			r, err := ix.Search(t.Context(), s.request(cursor))
			require.NoError(rt, err)
			require.Equal(rt, len(want), r.Total)
			got = append(got, r.Page...)
			if cursor = r.Next; cursor == nil {
				break
			}
			apply(seq)
			if m, ok := ix.(Merger); ok && rapid.Bool().Draw(rt, "merge") {
				m.MergeAll()
			}
		}
		require.True(rt, slices.Equal(want, got), "want %v, got %v", want, got)
	})
}

// wide queries match many companies.
func wide() *rapid.Generator[query.Query] {
	return rapid.OneOf(rapid.Just(query.Query{}), querytest.Query())
}

func testForeignCursors(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 20)...), 1))
	requireForeign(t, ix, search{sort: query.Sort{By: query.ByName}, limit: 5})
	requireForeign(t, ix, search{sort: query.Sort{By: query.ByRelevance, Desc: true}, limit: 5, query: excluding(t, "nothing")})
}

// excluding returns a query that matches all companies without the word.
func excluding(t *testing.T, word string) query.Query {
	q, err := query.Parse(query.Filters{ExcludeKeywords: []string{word}})
	require.NoError(t, err)
	return q
}

// requireForeign damages the cursor of the search's first page, and uses it with another sort direction.
func requireForeign(t *testing.T, ix index.Index, s search) {
	t.Helper()
	r, err := ix.Search(t.Context(), s.request(nil))
	require.NoError(t, err)
	require.NotNil(t, r.Next)
	for i := range r.Next {
		damaged := slices.Clone(r.Next)
		damaged[i] ^= 0x55
		_, err := ix.Search(t.Context(), s.request(damaged))
		require.ErrorIs(t, err, index.ErrCursor, "byte %d damaged", i)
		_, err = ix.Search(t.Context(), s.request(r.Next[:i+1][:i]))
		if i > 0 {
			require.ErrorIs(t, err, index.ErrCursor, "truncated to %d bytes", i)
		}
	}
	s.sort.Desc = !s.sort.Desc
	_, err = ix.Search(t.Context(), s.request(r.Next))
	require.ErrorIs(t, err, index.ErrCursor, "a cursor with the other direction")
}

// testForgottenCursors continues a cursor on another index, which does not have its snapshot, as after a restart.
func testForgottenCursors(t *testing.T, open Open) {
	companies := companytest.Slice(3, 500)
	before, after := open(t), open(t)
	defer before.Close()
	defer after.Close()
	require.NoError(t, before.Apply(t.Context(), changesOf(companies...), 1))
	require.NoError(t, after.Apply(t.Context(), changesOf(companies...), 1))
	rapid.Check(t, func(rt *rapid.T) {
		s := search{sort: querytest.Sort().Draw(rt, "sort"), limit: rapid.IntRange(1, 499).Draw(rt, "limit")}
		first, err := before.Search(t.Context(), s.request(nil))
		require.NoError(rt, err)
		var rest []company.Number
		for cursor := first.Next; cursor != nil; {
			r, err := after.Search(t.Context(), s.request(cursor))
			require.NoError(rt, err)
			rest, cursor = append(rest, r.Page...), r.Next
		}
		tr := truth{}
		tr.apply(changesOf(companies...))
		require.Equal(rt, numbersOf(tr.matches(s.query, s.sort, nil)), append(first.Page, rest...))
	})
}

// testForgottenRelevance changes other companies and restarts between pages by relevance, so that the text statistics differ
// on each page. Matches that do not change must still be returned exactly once.
func testForgottenRelevance(t *testing.T, open Open) {
	byRelevance := query.Sort{By: query.ByRelevance, Desc: true}
	numbers := make([]company.Number, 60)
	for i := range numbers {
		numbers[i] = company.Number(i + 1)
	}
	others := numbers[40:]
	effort.Check(t, 30, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		for chunk := range slices.Chunk(numbers, 25) {
			var changes []index.Change
			for _, n := range chunk {
				changes = append(changes, index.Change{Number: n, Company: querytest.Company(n).Draw(rt, "company")})
			}
			h.apply(rt, changes)
		}
		q, err := query.Parse(query.Filters{Keywords: rapid.SliceOfN(querytest.Words(2), 1, 4).Draw(rt, "keywords")})
		require.NoError(rt, err)
		s := search{query: q, sort: byRelevance, limit: rapid.IntRange(1, 9).Draw(rt, "limit")}
		s.sort.Desc = rapid.Bool().Draw(rt, "descending")
		var got []company.Number
		for cursor := []byte(nil); ; {
			r, err := h.ix.Search(t.Context(), s.request(cursor))
			require.NoError(rt, err)
			got = append(got, r.Page...)
			require.LessOrEqual(rt, len(got), 10*len(numbers), "pages do not end")
			if cursor = r.Next; cursor == nil {
				break
			}
			h.apply(rt, rapid.SliceOfN(change(others), 0, 25).Draw(rt, "changes"))
			h.forget(rt)
		}
		isOther := func(n company.Number) bool { return slices.Contains(others, n) }
		want := slices.DeleteFunc(numbersOf(h.truth.matches(q, byRelevance, nil)), isOther)
		got = slices.DeleteFunc(got, isOther)
		slices.Sort(got)
		require.True(rt, slices.Equal(want, got), "want %v, got %v", want, got)
	})
}

// testReaders searches while companies are added, changed and removed. Each answer must belong to a single snapshot.
func testReaders(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	companies := companytest.Slice(5, 64)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				r, err := ix.Search(t.Context(), index.Request{
					Sort: query.Sort{By: query.ByName}, Limit: 100, FacetLimit: 5, Owned: company.SetOf(1, 2, 3),
				})
				if err != nil {
					t.Errorf("search: %v", err)
					return
				}
				if r.Total%8 != 0 || len(r.Page) != r.Total {
					t.Errorf("total %d, page of %d", r.Total, len(r.Page))
					return
				}
			}
		})
	}
	for seq := range uint64(300) {
		at := int(seq*8) % len(companies)
		changes := changesOf(companies[at : at+8]...)
		if seq/8%3 == 2 {
			for i := range changes {
				changes[i].Company = nil
			}
		}
		if err := ix.Apply(t.Context(), changes, seq+1); err != nil {
			t.Errorf("apply: %v", err)
			break
		}
		if m, ok := ix.(Merger); ok && seq%7 == 0 {
			m.MergeAll()
		}
	}
	stop()
	readers.Wait()
}
