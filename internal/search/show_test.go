package search_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

func TestShowAndExceptLimitEverythingButTheCredits(t *testing.T) {
	t.Parallel()
	f := testkit.New(t, services.Parts{})
	f.Put(t, companytest.Slice(1, 200)...)
	s, ws := f.Search, id.New[id.Workspace]()
	var owned, except []company.Number
	for n := company.Number(1); n <= 200; n++ {
		if n%4 == 0 {
			owned = append(owned, n)
		}
		if n%10 == 0 {
			except = append(except, n)
		}
	}
	require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
		created, err := f.Workspaces.Create(t.Context(), tx, "Acme")
		if ws = created.ID; err != nil {
			return err
		}
		_, err = s.Unlock.Add(t.Context(), tx, ws, id.New[id.Export](), company.SetOf(owned...))
		return err
	}))
	sort := query.Sort{By: query.ByName}
	explore := func(show search.Show, without company.Set) *search.Result {
		found, err := s.Explore(t.Context(), auth.Caller{Workspace: ws}, search.Exploration{Sort: sort, Show: show, Except: without, Limit: 7})
		require.NoError(t, err)
		return found
	}
	for name, c := range map[string]struct {
		show                 search.Show
		without              company.Set
		total, already, news int
	}{
		"all":              {search.ShowAll, company.Set{}, 200, 50, 150},
		"new":              {search.ShowNew, company.Set{}, 150, 50, 150},
		"owned":            {search.ShowOwned, company.Set{}, 50, 50, 150},
		"all but some":     {search.ShowAll, company.SetOf(except...), 180, 40, 140},
		"new but some":     {search.ShowNew, company.SetOf(except...), 140, 40, 140},
		"owned but some":   {search.ShowOwned, company.SetOf(except...), 40, 40, 140},
		"all but the rest": {search.ShowAll, company.SetOf(owned...), 150, 0, 150},
	} {
		t.Run(name, func(t *testing.T) {
			found := explore(c.show, c.without)
			require.Equal(t, c.total, found.Total)
			require.Equal(t, search.Credits{AlreadyUnlocked: c.already, NewCount: c.news}, found.Credits)
			sum, ownedSum := found.Unknown["employee_count"].Count, found.Unknown["employee_count"].Owned
			for _, b := range found.Facets.Bands["employee_count"] {
				sum, ownedSum = sum+b.Count, ownedSum+b.Owned
			}
			require.Equal(t, c.total, sum, "the bands and the unknown ones are all that is shown")
			require.Equal(t, map[search.Show]int{search.ShowAll: c.already, search.ShowOwned: c.already}[c.show], ownedSum)
			picked, err := s.Pick(t.Context(), auth.Caller{Workspace: ws}, search.PickRequest{Queries: []query.Query{{}}, Show: c.show, Except: c.without})
			require.NoError(t, err)
			require.Equal(t, c.total, picked.Companies.Len())
			seen := 0
			for cursor := found.NextCursor; ; {
				page, err := s.Explore(t.Context(), auth.Caller{Workspace: ws}, search.Exploration{Sort: sort, Show: c.show, Except: c.without, Limit: 50, Cursor: cursor})
				require.NoError(t, err)
				for _, item := range page.Items {
					require.Equal(t, item.Unlocked, item.Number%4 == 0)
					require.False(t, c.without.Has(item.Number))
				}
				if seen += len(page.Items); page.NextCursor == "" {
					break
				}
				cursor = page.NextCursor
			}
			require.Equal(t, c.total-len(found.Items), seen)
		})
	}
}

func TestFacetValuesGoOnWhereAPageEnds(t *testing.T) {
	t.Parallel()
	s, ws := open(t, 300), id.New[id.Workspace]()
	e := search.Exploration{Filters: query.Filters{Cities: []string{"Berlin"}}}
	all, more, err := s.FacetValues(t.Context(), auth.Caller{Workspace: ws}, e, "cities", "", 0, 1000)
	require.NoError(t, err)
	require.False(t, more)
	require.Greater(t, len(all), 5)
	var paged []search.Count
	for {
		page, more, err := s.FacetValues(t.Context(), auth.Caller{Workspace: ws}, e, "cities", "", len(paged), 4)
		require.NoError(t, err)
		paged = append(paged, page...)
		if !more {
			break
		}
	}
	require.Equal(t, all, paged)
	none, more, err := s.FacetValues(t.Context(), auth.Caller{Workspace: ws}, e, "cities", "zzz", 0, 4)
	require.NoError(t, err)
	require.Empty(t, none)
	require.False(t, more)
}
