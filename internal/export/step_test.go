package export_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
)

func TestPurchaseIsRolledBackIfItsLastStepFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 20, 100)
		before, crash := s.counts(t), errors.New("crash")
		_, _, err := s.Create(t.Context(), s.caller, between(1, 10), func(ctx context.Context, tx *db.Tx, e export.Export) error {
			require.EqualValues(t, 10, e.Figures.CreditsCharged, "the step gets the final figures")
			var n int
			require.NoError(t, tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM export WHERE id = $1`, e.ID).Scan(&n))
			require.Equal(t, 1, n, "the step runs last")
			return crash
		})
		require.ErrorIs(t, err, crash)
		require.Equal(t, before, s.counts(t))
		require.EqualValues(t, 100, s.balance(t))
		require.True(t, s.owned(t).IsEmpty())

		s.buy(t, between(1, 10))
		require.EqualValues(t, 90, s.balance(t))
		s.auditClean(t)
	})
}
