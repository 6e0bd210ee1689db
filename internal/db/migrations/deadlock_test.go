package migrations_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
)

// Step 53 takes the exports and then the state of the catalog. A purchase reads the state of the catalog and then adds an export.
// PostgreSQL ends the one that notices, which is the step unless it has waited for a second already.
func TestAStepThatPostgreSQLEndsForAPurchaseIsTakenAgain(t *testing.T) {
	t.Parallel()
	for attempt := 1; !endsAStep(t); attempt++ {
		require.Less(t, attempt, 10)
	}
}

func endsAStep(t *testing.T) (theStep bool) {
	t.Helper()
	source := dbtest.BarePostgresURL(t)
	migrateTo(t, "pgx", source, goose.DialectPostgres, 49)
	pool, err := sql.Open("pgx", source)
	require.NoError(t, err)
	defer pool.Close()
	purchase, err := pool.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer purchase.Rollback() //nolint:errcheck // a no-op after Commit
	_, err = purchase.ExecContext(t.Context(), `SELECT seq FROM catalog_state`)
	require.NoError(t, err)

	migrated := make(chan error, 1)
	go func() {
		d, err := dbtest.TryOpen(t, source)
		if err == nil {
			err = d.Close()
		}
		migrated <- err
	}()
	require.Eventually(t, func() (waits bool) {
		require.NoError(t, pool.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_locks
			WHERE NOT granted AND relation = 'catalog_state'::regclass)`).Scan(&waits))
		return waits
	}, time.Minute, 5*time.Millisecond)
	_, ended := purchase.ExecContext(t.Context(), `SELECT COUNT(*) FROM export`)
	require.NoError(t, purchase.Rollback())
	require.NoError(t, <-migrated)
	return ended == nil
}
