package dbtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestEachDatabaseIsFreshAndMigrated(t *testing.T) {
	t.Parallel()
	for range 2 {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			var n int
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM workspace`).Scan(&n))
			require.Zero(t, n)
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)`, "w", "Acme", 1)
				return err
			}))
		})
	}
}
