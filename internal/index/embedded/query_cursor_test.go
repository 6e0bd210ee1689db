package embedded

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// openNumbered returns an index of companies that share the words one to three, and differ in how often they have "four".
func openNumbered(t *testing.T) *Index {
	ix := Open(Options{})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	for n := range company.Number(10) {
		c := &company.Company{Number: n + 1, Name: "one two three", Description: strings.Repeat("four ", int(n))}
		require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: n + 1, Company: c}}, uint64(n)+1))
	}
	return ix
}

func byRelevance(t *testing.T, words ...string) index.Request {
	q, err := query.Parse(query.Filters{Keywords: words})
	require.NoError(t, err)
	return index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 3}
}

func TestACursorByRelevanceHasAWeightForEachWord(t *testing.T) {
	t.Parallel()
	ix := openNumbered(t)
	first, err := ix.Search(t.Context(), byRelevance(t, "one", "four"))
	require.NoError(t, err)
	require.Len(t, first.Next, cursorSize+3*8+2*4+cursorChecksum)
	for _, words := range [][]string{{"one"}, {"one", "two", "four"}} {
		r := byRelevance(t, words...)
		r.Cursor = first.Next
		_, err := ix.Search(t.Context(), r)
		require.ErrorIs(t, err, index.ErrCursor, "%q", words)
	}
	again := byRelevance(t, "four", "one")
	again.Cursor = first.Next
	_, err = ix.Search(t.Context(), again)
	require.NoError(t, err)
}

func TestCursorsWithInvalidNumbersAreRefused(t *testing.T) {
	t.Parallel()
	ix := openNumbered(t)
	r := byRelevance(t, "one", "four")
	first, err := ix.Search(t.Context(), r)
	require.NoError(t, err)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		for i := range 3 {
			p := slices.Clone(first.Next)
			binary.BigEndian.PutUint64(p[cursorSize+8*i:], math.Float64bits(v))
			requireRefused(t, ix, r, p)
		}
		for i := range 2 {
			p := slices.Clone(first.Next)
			binary.BigEndian.PutUint32(p[cursorSize+3*8+4*i:], math.Float32bits(float32(v)))
			requireRefused(t, ix, r, p)
		}
	}
}

func requireRefused(t *testing.T, ix *Index, r index.Request, cursor []byte) {
	t.Helper()
	body := len(cursor) - cursorChecksum
	r.Cursor = binary.BigEndian.AppendUint32(cursor[:body], crc32.Checksum(cursor[:body], castagnoli))
	_, err := ix.Search(t.Context(), r)
	require.ErrorIs(t, err, index.ErrCursor)
}

func TestACursorStaysShortHoweverManyWordsAQueryHas(t *testing.T) {
	t.Parallel()
	ix := openNumbered(t)
	words := []string{"one"}
	for i := range rankedWordsMax {
		words = append(words, fmt.Sprint("word", i))
	}
	r := byRelevance(t, words...)
	var got []company.Number
	for {
		page, err := ix.Search(t.Context(), r)
		require.NoError(t, err)
		got = append(got, page.Page...)
		if r.Cursor = page.Next; r.Cursor == nil {
			break
		}
		require.LessOrEqual(t, len(r.Cursor), 1<<10)
	}
	slices.Sort(got)
	require.Equal(t, []company.Number{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, got)
}
