package credit_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
)

func TestStatementsAddUpFromMonthToMonth(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d, 0)
		february := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		march := february.AddDate(0, 1, 0)
		for amount, at := range map[int64]time.Time{1: february.Add(-time.Microsecond), 20: february, 300: march.Add(-time.Microsecond), 4000: march} {
			l.grant(t, credit.Grant{Amount: amount})
			l.tx(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE entry SET created_at = $1 WHERE amount = $2`, db.Time(at), amount)
				return err
			})
		}
		closing := int64(0)
		for _, c := range []struct {
			month   string
			entries int
			closing int64
		}{{"2025-12", 0, 0}, {"2026-01", 1, 1}, {"2026-02", 2, 321}, {"2026-03", 1, 4321}, {"2026-04", 0, 4321}} {
			st, err := l.Statement(t.Context(), l.ws, c.month)
			require.NoError(t, err)
			require.Equal(t, closing, st.Opening, c.month)
			require.Equal(t, c.closing, st.Closing, c.month)
			require.Len(t, st.Entries, c.entries, c.month)
			sum := st.Opening
			for _, e := range st.Entries {
				sum += e.Amount
			}
			require.Equal(t, st.Closing, sum, c.month)
			closing = st.Closing
		}
		for _, month := range []string{"", "2026", "2026-13", "2026-2", "february", time.Now().UTC().Format("2006-01"), "2999-01"} {
			_, err := l.Statement(t.Context(), l.ws, month)
			require.Equal(t, fault.Validation, fault.CodeOf(err), month)
		}
	})
}
