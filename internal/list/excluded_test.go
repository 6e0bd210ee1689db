package list_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/list"
)

func TestExcludedListsAreThoseOfTheMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		writer, reader := list.New(d), list.New(d) // another server has its own memory
		ws, other := newWorkspace(t, d), newWorkspace(t, d)
		numbers := func() (all [][]company.Number) {
			sets, err := reader.Excluded(t.Context(), ws)
			require.NoError(t, err)
			for _, s := range sets {
				var n []company.Number
				for c := range s.All() {
					n = append(n, c)
				}
				all = append(all, n)
			}
			return all
		}
		l, err := writer.Create(t.Context(), ws, "x")
		require.NoError(t, err)
		_, _, err = writer.Add(t.Context(), ws, l.ID, company.SetOf(1, 2))
		require.NoError(t, err)
		require.Empty(t, numbers())
		l, err = writer.Update(t.Context(), ws, l.ID, list.Update{Excluded: new(true)})
		require.NoError(t, err)
		require.True(t, l.Excluded)
		require.Equal(t, [][]company.Number{{1, 2}}, numbers())
		_, _, err = writer.Add(t.Context(), ws, l.ID, company.SetOf(3))
		require.NoError(t, err)
		require.Equal(t, [][]company.Number{{1, 2, 3}}, numbers())
		first, err := reader.Companies(t.Context(), ws, l.ID)
		require.NoError(t, err)
		again, err := reader.Companies(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Same(t, first.Bitmap(), again.Bitmap(), "an unchanged list is read once, so that an index can cache it")
		_, err = reader.Companies(t.Context(), other, l.ID)
		require.Error(t, err, "not even from memory")

		require.NoError(t, writer.Delete(t.Context(), ws, l.ID))
		require.Empty(t, numbers())
		l, err = writer.Restore(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.True(t, l.Excluded)
		_, _, err = writer.Remove(t.Context(), ws, l.ID, company.SetOf(1))
		require.NoError(t, err)
		require.Equal(t, [][]company.Number{{2, 3}}, numbers())
		_, err = writer.Update(t.Context(), ws, l.ID, list.Update{Excluded: new(false)})
		require.NoError(t, err)
		require.Empty(t, numbers())
	})
}
