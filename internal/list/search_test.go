package list_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

func fintechs() list.Search {
	return list.Search{
		Name: " Fintechs ", SortBy: "name", SortOrder: "desc",
		Filters: query.Filters{Query: `"pay <now>"`, Countries: []string{"US"}, EmployeeCountMin: new(int64(50))},
	}
}

func TestSavedSearchIsKeptUnchanged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws, stranger := list.New(d), newWorkspace(t, d), newWorkspace(t, d)
		first, err := b.SaveSearch(t.Context(), ws, fintechs())
		require.NoError(t, err)
		require.Equal(t, "Fintechs", first.Name)
		second, err := b.SaveSearch(t.Context(), ws, list.Search{Name: "Everything", Show: "new", NotOn: id.New[id.List]()})
		require.NoError(t, err)

		got, err := b.GetSearch(t.Context(), ws, first.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(first, got))
		all, err := b.Searches(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]list.Search{second, first}, all))

		_, err = b.GetSearch(t.Context(), stranger, first.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.DeleteSearch(t.Context(), stranger, first.ID)))
		all, err = b.Searches(t.Context(), stranger)
		require.NoError(t, err)
		require.Empty(t, all)

		first.Name, first.Filters, first.SortOrder, first.Show = "Banks", query.Filters{Query: "bank"}, "asc", "owned"
		updated, err := b.UpdateSearch(t.Context(), ws, first)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(first, updated))
		_, err = b.UpdateSearch(t.Context(), stranger, first)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		invalid := first
		invalid.Name = " "
		_, err = b.UpdateSearch(t.Context(), ws, invalid)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		all, err = b.Searches(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]list.Search{second, first}, all))

		require.NoError(t, b.DeleteSearch(t.Context(), ws, first.ID))
		require.Equal(t, fault.NotFound, fault.CodeOf(b.DeleteSearch(t.Context(), ws, first.ID)))
	})
}

func TestInvalidSearchIsNotSaved(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b, ws := list.New(d), newWorkspace(t, d)
	for name, spoil := range map[string]func(*list.Search){
		"name":    func(s *list.Search) { s.Name = " " },
		"filters": func(s *list.Search) { s.Filters.NAICSCodes = []string{"five"} },
		"range":   func(s *list.Search) { s.Filters.EmployeeCountMax = new(int64(1)) },
		"sort":    func(s *list.Search) { s.SortBy = "colour" },
		"order":   func(s *list.Search) { s.SortOrder = "up" },
	} {
		t.Run(name, func(t *testing.T) {
			s := fintechs()
			spoil(&s)
			_, err := b.SaveSearch(t.Context(), ws, s)
			require.Equal(t, fault.Validation, fault.CodeOf(err), name)
		})
	}
}

func TestWorkspaceSavesNoMoreSearchesThanTheBound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			for n := range list.SearchesMax - 3 {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO saved_search
					(id, workspace_id, name, filters, sort_by, sort_order, created_at)
					VALUES ($1, $2, 'x', '{}', '', '', 0)`, strconv.Itoa(n), ws); err != nil {
					return err
				}
			}
			return nil
		}))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { _, _ = b.SaveSearch(t.Context(), ws, list.Search{Name: "more"}) })
		}
		wg.Wait()
		_, err := b.SaveSearch(t.Context(), ws, list.Search{Name: "more"})
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		var kept int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM saved_search`).Scan(&kept))
		require.Equal(t, list.SearchesMax, kept)
	})
}
