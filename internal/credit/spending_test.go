package credit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestSpendingIsSummedByDay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 1000)
		first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for n, at := range []time.Time{first, first.Add(24*time.Hour - time.Microsecond), first.Add(24 * time.Hour), first.AddDate(0, 0, 4)} {
			l.tx(t, func(ctx context.Context, tx *db.Tx) error {
				e, err := l.Charge(ctx, tx, l.ws, int64(n+1), fmt.Sprint("charge ", n), credit.ActorSystem)
				if err != nil {
					return err
				}
				if n == 2 {
					_, err = tx.ExecContext(ctx, `UPDATE entry SET created_at = $1 WHERE id = $2`, db.Time(at), e.ID)
					if err != nil {
						return err
					}
					e, err = l.Refund(ctx, tx, l.ws, 2, "refund", credit.ActorSystem)
				}
				if err != nil {
					return err
				}
				_, err = tx.ExecContext(ctx, `UPDATE entry SET created_at = $1 WHERE id = $2`, db.Time(at), e.ID)
				return err
			})
		}
		days, err := l.Days(t.Context(), l.ws, first, first.AddDate(0, 0, 4))
		require.NoError(t, err)
		require.Equal(t, []credit.Day{
			{Begin: first, Charged: 3},
			{Begin: first.AddDate(0, 0, 1), Charged: 3, Refunded: 2},
		}, days)
		days, err = l.Days(t.Context(), open(t, d, 5).ws, first, time.Now())
		require.NoError(t, err)
		require.Empty(t, days, "grants are no spending")
	})
}
