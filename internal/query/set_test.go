package query_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

const someID = "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f"

// world is what stored sets have, by their keys.
type world map[string]query.SetContent

func (w world) content(u query.SetUse) (query.SetContent, error) { return w[u.Of.Key()], nil }

// has reports what the documentation says of a set, without the query that it becomes.
func (w world) has(t require.TestingT, r query.SetRef, c *company.Company) bool {
	switch {
	case r.Search != nil:
		f := *r.Search
		in, notIn := f.In, f.NotIn
		f.In, f.NotIn = nil, nil
		q, err := query.Parse(f)
		require.NoError(t, err)
		return query.Match(q, c) && w.kept(t, in, notIn, c)
	case r.AnyOf != nil:
		return slices.ContainsFunc(r.AnyOf, func(s query.SetRef) bool { return w.has(t, s, c) })
	case r.AllOf != nil:
		return !slices.ContainsFunc(r.AllOf, func(s query.SetRef) bool { return !w.has(t, s, c) })
	case r.Not != nil:
		return !w.has(t, *r.Not, c)
	}
	q, err := query.ParseSet("set", r)
	require.NoError(t, err)
	var inside bool
	_, err = q.Resolve(func(u query.SetUse) (query.SetContent, error) {
		stored := w[u.Of.Key()]
		inside = stored.Companies.Has(c.Number)
		if stored.Query != nil {
			inside = query.Match(*stored.Query, c)
		}
		return stored, nil
	})
	require.NoError(t, err)
	return inside
}

func (w world) kept(t require.TestingT, in, notIn []query.SetRef, c *company.Company) bool {
	is := func(s query.SetRef) bool { return w.has(t, s, c) }
	return (len(in) == 0 || slices.ContainsFunc(in, is)) && !slices.ContainsFunc(notIn, is)
}

func TestSetsSelectWhatTheyName(t *testing.T) {
	t.Parallel()
	inside, outside := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		companies := querytest.Companies(12).Draw(rt, "companies")
		f := query.Filters{
			In:    rapid.SliceOfN(querytest.SetRef(3), 0, 2).Draw(rt, "in"),
			NotIn: rapid.SliceOfN(querytest.SetRef(3), 0, 2).Draw(rt, "not in"),
		}
		q := parse(rt, f)
		w := world{}
		q, err := q.Resolve(func(u query.SetUse) (query.SetContent, error) {
			key := u.Of.Key()
			if _, known := w[key]; !known {
				var c query.SetContent
				if u.Of.Kind == query.SetOfSavedSearch {
					saved := querytest.Query(companies...).Draw(rt, "saved")
					c.Query = &saved
				} else {
					c.Companies = company.SetOf(rapid.SliceOf(rapid.Map(rapid.IntRange(1, 12), func(n int) company.Number { return company.Number(n) })).Draw(rt, "stored")...)
				}
				w[key] = c
			}
			return w[key], nil
		})
		require.NoError(rt, err)
		require.NoError(rt, q.Unresolved())
		for _, c := range companies {
			want := w.kept(rt, f.In, f.NotIn, c)
			require.Equal(rt, want, query.Match(q, c), "%s in %s", c.ID, f)
			if want {
				inside++
			} else {
				outside++
			}
		}
	})
	require.Positive(t, inside)
	require.Positive(t, outside)
}

func TestEveryWrongSetHasItsOwnError(t *testing.T) {
	t.Parallel()
	deep := query.SetRef{Owned: true}
	for range query.SetDepthMax {
		deep = query.SetRef{Not: &deep}
	}
	many := make([]query.SetRef, query.SetsMax)
	for i := range many {
		many[i] = query.SetRef{Owned: true}
	}
	ids := make([]string, query.SetCompaniesMax+1)
	for i := range ids {
		ids[i] = someID
	}
	for name, c := range map[string]struct {
		set            query.SetRef
		field, message string
	}{
		"empty":         {query.SetRef{}, "in[0]", "must have one of search, list_id,"},
		"two members":   {query.SetRef{Owned: true, ListID: someID}, "in[0]", "must have one member, not list_id and owned; combine sets"},
		"bad list":      {query.SetRef{ListID: "x"}, "in[0].list_id", "must be the id of a list, a UUID"},
		"bad search":    {query.SetRef{SavedSearchID: "x"}, "in[0].saved_search_id", "must be the id of a saved search"},
		"bad export":    {query.SetRef{ExportID: "00000000-0000-0000-0000-000000000000"}, "in[0].export_id", "must be the id of an export"},
		"bad company":   {query.SetRef{Companies: []string{someID, "x"}}, "in[0].companies[1]", "must be a company's id"},
		"no company":    {query.SetRef{Companies: []string{}}, "in[0].companies", "must have at least one id"},
		"too many ids":  {query.SetRef{Companies: ids}, "in[0].companies", "10000 ids"},
		"no part":       {query.SetRef{AnyOf: []query.SetRef{}}, "in[0].any_of", "must have at least one set"},
		"bad part":      {query.SetRef{AllOf: []query.SetRef{{Owned: true}, {}}}, "in[0].all_of[1]", "must have one of"},
		"bad filter":    {query.SetRef{Search: &query.Filters{Has: []string{"nam"}}}, "in[0].search.has[0]", "did you mean name?"},
		"set in filter": {query.SetRef{Search: &query.Filters{NotIn: []query.SetRef{{}}}}, "in[0].search.not_in[0]", "must have one of"},
		"empty filters": {query.SetRef{Search: &query.Filters{Cities: []string{}}}, "in[0].search", "has only empty filters"},
		"too deep":      {deep, "in[0]" + strings.Repeat(".not", query.SetDepthMax), "8 levels"},
		"too many":      {query.SetRef{AnyOf: many}, fmt.Sprintf("in[0].any_of[%d]", query.SetsMax-1), "100 sets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := query.Parse(query.Filters{In: []query.SetRef{c.set}})
			require.Len(t, fault.Fields(err), 1)
			require.Equal(t, c.field, fault.Fields(err)[0].Field)
			require.Contains(t, fault.Fields(err)[0].Message, c.message)
		})
	}
}

func TestAQueryOfStoredSetsNeedsTheirCompanies(t *testing.T) {
	t.Parallel()
	q := parse(t, query.Filters{In: []query.SetRef{{ListID: someID}}})
	require.ErrorContains(t, q.Unresolved(), "in[0].list_id")
	_, err := q.Resolve(func(query.SetUse) (query.SetContent, error) { return query.SetContent{}, errors.New("gone") })
	require.EqualError(t, err, "gone")
	one, err := q.Resolve(world{"list_id:" + someID: {Companies: company.SetOf(1)}}.content)
	require.NoError(t, err)
	other, err := q.Resolve(world{"list_id:" + someID: {Companies: company.SetOf(2)}}.content)
	require.NoError(t, err)
	require.Equal(t, one.Fingerprint(), other.Fingerprint(), "a cursor stays valid while a list changes")
	require.NotEqual(t, one.Fingerprint(), parse(t, query.Filters{In: []query.SetRef{{ExportID: someID}}}).Fingerprint())
}

func TestFiltersWithinSetsAreBoundedByLockedFields(t *testing.T) {
	t.Parallel()
	locked := company.LockedBy([]string{"id"})
	inner := query.SetRef{Not: &query.SetRef{Search: &query.Filters{Countries: []string{"DE"}}}}
	for field, q := range map[string]query.Query{
		"in[0].not.search.countries": parse(t, query.Filters{In: []query.SetRef{inner}}),
		"set.not.search.countries":   parsedSet(t, inner),
	} {
		_, err := q.Bounded(locked)
		require.Len(t, fault.Fields(err), 1)
		require.Equal(t, field, fault.Fields(err)[0].Field)
	}
	wide, err := parsedSet(t, query.SetRef{Search: &query.Filters{EmployeeCountMin: new(int64(60))}}).Bounded(locked)
	require.NoError(t, err)
	require.Equal(t, "set.search.employee_count_min", wide.Widened()[0].Field)
}

func parsedSet(t *testing.T, ref query.SetRef) query.Query {
	q, err := query.ParseSet("set", ref)
	require.NoError(t, err)
	return q
}
