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
)

// testCursors changes the index between any two pages: they yield the first page's moment all the same.
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

// wide queries match much.
func wide() *rapid.Generator[query.Query] {
	return rapid.OneOf(rapid.Just(query.Query{}), querytest.Query())
}

func testForeignCursors(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	require.NoError(t, ix.Apply(t.Context(), changesOf(companytest.Slice(1, 20)...), 1))
	byName := query.Sort{By: query.ByName}
	r, err := ix.Search(t.Context(), index.Request{Sort: byName, Limit: 5})
	require.NoError(t, err)
	require.NotNil(t, r.Next)
	for i := range r.Next {
		damaged := slices.Clone(r.Next)
		damaged[i] ^= 0x55
		_, err := ix.Search(t.Context(), index.Request{Sort: byName, Limit: 5, Cursor: damaged})
		require.ErrorIs(t, err, index.ErrCursor, "byte %d damaged", i)
		_, err = ix.Search(t.Context(), index.Request{Sort: byName, Limit: 5, Cursor: r.Next[:i+1][:i]})
		if i > 0 {
			require.ErrorIs(t, err, index.ErrCursor, "cut at %d", i)
		}
	}
	_, err = ix.Search(t.Context(), index.Request{Sort: query.Sort{By: query.ByName, Desc: true}, Limit: 5, Cursor: r.Next})
	require.ErrorIs(t, err, index.ErrCursor, "a cursor of the other direction")
}

// testForgottenCursors follows a cursor on another index, which cannot know its moment, as after a restart.
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

// testReaders searches while companies come, change and go: each answer is of one moment.
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
				if err != nil || r.Total%8 != 0 || len(r.Page) != r.Total {
					t.Errorf("total %d, page of %d: %v", r.Total, len(r.Page), err)
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
