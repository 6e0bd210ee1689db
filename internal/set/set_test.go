package set_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/set"
	"github.com/opencapi/capi/internal/testkit"
)

// sets returns the use case over a fixture with nine companies and a workspace with credits.
func sets(t *testing.T, d *db.DB) (*set.Sets, *testkit.Fixture, auth.Caller) {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d})
	f.Put(t, companytest.Slice(1, 9)...)
	return set.New(set.Deps{DB: d, Catalog: f.Catalog, Lists: f.Lists, Matches: f.Matches, Unlock: f.Unlocks}), f, caller(t, f)
}

func caller(t *testing.T, f *testkit.Fixture) (c auth.Caller) {
	t.Helper()
	c.Token = id.New[id.Token]()
	require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
		ws, err := f.Workspaces.Create(t.Context(), tx, "Acme")
		if err != nil {
			return err
		}
		c.Workspace = ws.ID
		if err := f.Credits.Open(t.Context(), tx, ws.ID); err != nil {
			return err
		}
		_, err = f.Credits.Grant(t.Context(), tx, ws.ID, credit.Grant{Amount: 100, Reason: credit.ReasonGrant, Actor: credit.ActorSystem})
		return err
	}))
	return c
}

func parse(t *testing.T, refs ...query.SetRef) query.Query {
	t.Helper()
	q, err := query.Parse(query.Filters{In: refs})
	require.NoError(t, err)
	return q
}

func TestStoredSetsHaveTheCompaniesOfTheMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, f, c := sets(t, d)
		numbers := func(r query.SetRef) (found []company.Number) {
			q, err := s.Resolve(t.Context(), c, 0, parse(t, r))
			require.NoError(t, err)
			for n := company.Number(1); n <= 9; n++ {
				if query.Match(q, &company.Company{Number: n}) {
					found = append(found, n)
				}
			}
			return found
		}
		l, err := f.Lists.Create(t.Context(), c.Workspace, "x")
		require.NoError(t, err)
		listed := query.SetRef{ListID: l.ID.String()}
		require.Empty(t, numbers(listed))
		_, _, err = f.Lists.Add(t.Context(), c.Workspace, l.ID, company.SetOf(2, 3))
		require.NoError(t, err)
		require.Equal(t, []company.Number{2, 3}, numbers(listed))

		bought, _, err := f.Exports.Create(t.Context(), c, export.Request{Name: "x", Source: export.SourceList, List: l.ID})
		require.NoError(t, err)
		_, _, err = f.Lists.Add(t.Context(), c.Workspace, l.ID, company.SetOf(5))
		require.NoError(t, err)
		delivered := query.SetRef{ExportID: bought.ID.String()}
		require.Equal(t, []company.Number{2, 3}, numbers(delivered), "an export keeps its companies")
		require.Equal(t, []company.Number{2, 3}, numbers(query.SetRef{Owned: true}))
		require.Equal(t, []company.Number{5}, numbers(query.SetRef{AllOf: []query.SetRef{listed, {Not: &delivered}}}))
		_, err = f.Exports.Cancel(t.Context(), c, bought.ID)
		require.NoError(t, err)
		require.Empty(t, numbers(delivered), "a cancelled export delivers nothing")
		require.Empty(t, numbers(query.SetRef{Owned: true}))

		_, err = s.Resolve(t.Context(), caller(t, f), 0, parse(t, delivered))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = s.Resolve(t.Context(), caller(t, f), 0, parse(t, listed))
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

// Each saved search names the next one ten times: written out, the last one would have ten thousand million sets.
func TestSavedSearchesThatNameEachOtherAreBounded(t *testing.T) {
	t.Parallel()
	s, f, c := sets(t, dbtest.SQLite(t))
	next := query.SetRef{Owned: true}
	var err error
	for range 7 {
		refs := []query.SetRef{}
		for range 10 {
			refs = append(refs, next)
		}
		saved, saveErr := f.Lists.SaveSearch(t.Context(), c.Workspace, list.Search{Name: "x", Filters: query.Filters{In: refs}})
		require.NoError(t, saveErr)
		next = query.SetRef{SavedSearchID: saved.ID.String()}
		if _, err = s.Resolve(t.Context(), c, 0, parse(t, next)); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "too many sets")
	require.Equal(t, "in[0].saved_search_id", fault.Fields(err)[0].Field)
}

// What is wrong in a saved search within another is said once, with the saved search that must be changed.
func TestWhatIsWrongWithinSavedSearchesIsSaidOnce(t *testing.T) {
	t.Parallel()
	s, f, c := sets(t, dbtest.SQLite(t))
	save := func(name string, filters query.Filters) query.SetRef {
		saved, err := f.Lists.SaveSearch(t.Context(), c.Workspace, list.Search{Name: name, Filters: filters})
		require.NoError(t, err)
		return query.SetRef{SavedSearchID: saved.ID.String()}
	}
	around := func(refs ...query.SetRef) query.SetRef { return save("around", query.Filters{In: refs}) }

	noticed := save("noticed", query.Filters{Query: "(acme OR beta)"})
	one, err := s.Resolve(t.Context(), c, 0, parse(t, noticed))
	require.NoError(t, err)
	require.NotEmpty(t, one.Notices())
	many, err := s.Resolve(t.Context(), c, 0, parse(t, around(around(noticed), around(noticed), noticed)))
	require.NoError(t, err)
	require.Equal(t, one.Notices(), many.Notices())

	gone := save("gone", query.Filters{In: []query.SetRef{{ListID: id.New[id.List]().String()}}})
	locked := save("locked", query.Filters{Industries: []string{"Software"}})
	for name, x := range map[string]struct{ inner, outer query.SetRef }{
		"a list that is gone": {gone, around(around(around(gone)))}, "a locked field": {locked, around(around(around(locked)))},
	} {
		_, err := s.Resolve(t.Context(), c, company.LockedBy([]string{"name"}), parse(t, x.outer))
		require.Error(t, err, name)
		message := err.Error()
		require.Equal(t, 1, strings.Count(message, "cannot be used"), message)
		require.Contains(t, message, x.inner.SavedSearchID, "the one to change")
		require.Contains(t, message, "in[0].saved_search_id")
	}
}
