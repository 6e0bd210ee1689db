package list_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/list"
)

func TestAMatchIsKeptForAWeekOrAsLongAsItsList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := list.New(d)
		ws, other := newWorkspace(t, d), newWorkspace(t, d)
		l, err := b.Create(t.Context(), ws, "Mine")
		require.NoError(t, err)
		_, _, err = b.Add(t.Context(), ws, l.ID, company.SetOf(2))
		require.NoError(t, err)
		given := list.Match{
			File: "a.csv", Given: 3, Matched: 2, Unmatched: []list.Miss{{Line: 2, Text: "x.example"}},
			Doubles: []list.Double{{Domain: "d.example", Best: 3, Others: []company.Number{4}}},
		}
		m, err := b.AddMatch(t.Context(), ws, l.ID, company.SetOf(2, 3), given)
		require.NoError(t, err)
		require.Equal(t, 1, m.Added)
		got, err := b.Match(t.Context(), ws, l.ID, m.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(m, got))
		on, err := b.Companies(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.True(t, on.Equal(company.SetOf(2, 3)))

		_, err = b.Match(t.Context(), other, l.ID, m.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = b.AddMatch(t.Context(), other, l.ID, company.SetOf(9), given)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))

		require.NoError(t, b.Prune(t.Context()))
		_, err = b.Match(t.Context(), ws, l.ID, m.ID)
		require.NoError(t, err, "it is younger than a week")
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE list_match SET created_at = $1`, db.Time(time.Now().Add(-8*24*time.Hour)))
			return err
		}))
		_, err = b.Match(t.Context(), ws, l.ID, m.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		kept := func() (n int) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM list_match`).Scan(&n))
			return n
		}
		require.Equal(t, 1, kept())
		require.NoError(t, b.Prune(t.Context()))
		require.Zero(t, kept())

		_, err = b.AddMatch(t.Context(), ws, l.ID, company.SetOf(3), given)
		require.NoError(t, err)
		require.NoError(t, b.Delete(t.Context(), ws, l.ID))
		require.Zero(t, kept())
	})
}
