package db_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestCollectReadsEveryRowInOrderOrNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const three = `SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY n`
		all, err := db.Collect(t.Context(), d.Read(), db.Value[int], three)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 3}, all)

		all, err = db.Collect(t.Context(), d.Read(), db.Value[int], `SELECT 1 AS n WHERE 1 = 0`)
		require.NoError(t, err)
		require.Nil(t, all)

		_, err = db.Collect(t.Context(), d.Read(), db.Value[int], `SELECT nothing FROM nowhere`)
		require.Error(t, err)

		failed, calls := errors.New("failed"), 0
		all, err = db.Collect(t.Context(), d.Read(), func(row db.Row) (int, error) {
			if calls++; calls == 2 {
				return 0, failed
			}
			return db.Value[int](row)
		}, three)
		require.ErrorIs(t, err, failed)
		require.Nil(t, all)
		require.Equal(t, 2, calls)
	})
}
