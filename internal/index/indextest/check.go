package indextest

import (
	"context"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// search is a search with everything that Search and Select take.
type search struct {
	query  query.Query
	sort   query.Sort
	limit  int
	head   int
	owned  company.Set
	within *company.Set
	// without is excluded from Search; Select is checked without owned as well.
	without  *company.Set
	excluded []company.Set
	facets   int
	of       []index.Facet
	prefix   index.FacetPrefix
	split    bool // count the owned matches of each facet value
}

func (s search) request(cursor []byte) index.Request {
	return index.Request{
		Query: s.query, Sort: s.sort, Limit: s.limit, Head: s.head, Cursor: cursor, Owned: s.owned, Within: s.within, Without: s.without,
		Excluded: s.excluded, FacetLimit: s.facets, Facets: s.of, FacetPrefix: s.prefix, FacetOwned: s.split,
	}
}

// kept returns what Select must search to find what Search does: within less without; nil for everything.
func (s search) kept(tr truth) *company.Set {
	if s.without == nil {
		return s.within
	}
	all := company.SetOf(slices.Collect(maps.Keys(tr))...)
	if s.within != nil {
		all = *s.within
	}
	rest := all.Minus(*s.without)
	return &rest
}

// check compares all pages of a search, its counts and Select with the truth.
func check(ctx context.Context, t fataler, ix index.Index, tr truth, s search) {
	t.Helper()
	want := slices.DeleteFunc(tr.matches(s.query, s.sort, s.within), func(c *company.Company) bool {
		return s.without != nil && s.without.Has(c.Number)
	})
	all := len(want)
	want = slices.DeleteFunc(want, func(c *company.Company) bool {
		return slices.ContainsFunc(s.excluded, func(e company.Set) bool { return e.Has(c.Number) })
	})
	numbers := numbersOf(want)
	require.Equal(t, len(tr), ix.Len())
	first, pages := drain(ctx, t, ix, s, len(want))
	require.Equal(t, len(want), first.Total, "total")
	require.Equal(t, all-len(want), first.Excluded, "excluded")
	require.Equal(t, company.SetOf(numbers...).AndLen(s.owned), first.Owned, "owned")
	if diff := cmp.Diff(s.facetsOf(want), folded(first.Facets), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("facets (-want +got):\n%s", diff)
	}
	if s.sort.By == query.ByRelevance {
		requireSame(t, slices.Sorted(slices.Values(numbers)), slices.Sorted(slices.Values(pages)), "pages by relevance")
	} else {
		requireSame(t, numbers, pages, "pages by "+s.sort.String())
	}
	requireSame(t, pages[:min(s.head, len(pages))], first.Head, "head")
	chosen := s
	chosen.within = s.kept(tr) // Select excludes one set only, which is owned below
	for range settlingMax {    // limited: after that, the checks below report the difference
		if s.sort.By != query.ByRelevance || selects(ctx, t, ix, chosen, nil, pages) &&
			selects(ctx, t, ix, chosen, &s.owned, withoutAll(pages, s.owned)) {
			break
		}
		_, pages = drain(ctx, t, ix, s, len(want))
	}
	checkSelect(ctx, t, ix, chosen, nil, pages)
	checkSelect(ctx, t, ix, chosen, &s.owned, withoutAll(pages, s.owned))
}

// settlingMax is how often pages by relevance are requested again because the index may have merged in between. A merge
// drops deleted companies from the word statistics, which may reorder companies of about equal relevance.
const settlingMax = 20

func withoutAll(all []company.Number, of company.Set) []company.Number {
	return slices.DeleteFunc(slices.Clone(all), of.Has)
}

// selects reports whether Select returns exactly these companies in this order.
func selects(ctx context.Context, t fataler, ix index.Index, s search, without *company.Set, all []company.Number) bool {
	selected, err := ix.Select(ctx, index.Selection{
		Query: s.query, Sort: s.sort, Limit: len(all) + 1, Within: s.within, Without: without, Excluded: s.excluded,
	})
	require.NoError(t, err)
	return slices.Equal(all, selected.Numbers)
}

func checkSelect(
	ctx context.Context, t fataler, ix index.Index, s search, without *company.Set, all []company.Number,
) {
	t.Helper()
	limit := s.limit*2 + 1
	selected, err := ix.Select(ctx, index.Selection{
		Query: s.query, Sort: s.sort, Limit: limit, Within: s.within, Without: without, Excluded: s.excluded,
	})
	require.NoError(t, err)
	require.Equal(t, len(all), selected.Total)
	requireSame(t, all[:min(limit, len(all))], selected.Numbers, "selected by "+s.sort.String())
}

// requireSame looks for what differs only where something does: that takes long with many.
func requireSame(t fataler, want, got []company.Number, what string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Fatalf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// drain follows the cursors to the end; atMost is the maximum number of matches.
func drain(
	ctx context.Context, t fataler, ix index.Index, s search, atMost int,
) (first *index.Result, all []company.Number) {
	t.Helper()
	var cursor []byte
	for {
		r, err := ix.Search(ctx, s.request(cursor))
		require.NoError(t, err)
		if first == nil {
			first = r
		}
		all = append(all, r.Page...)
		if r.Next == nil {
			return first, all
		}
		require.Len(t, r.Page, s.limit, "a full page, unless it is the last")
		require.LessOrEqual(t, len(all), atMost, "pages must not return more than all matches")
		cursor = r.Next
	}
}

func changesOf(companies ...*company.Company) []index.Change {
	changes := make([]index.Change, len(companies))
	for i, c := range companies {
		changes[i] = index.Change{Number: c.Number, Company: c}
	}
	return changes
}
