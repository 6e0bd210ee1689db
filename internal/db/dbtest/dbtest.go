// Package dbtest provides tests with an empty database of the newest schema, on every database that we support.
package dbtest

import (
	"strings"
	"testing"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/db/sqlite"
)

// postgresURLEnv has the URL of a PostgreSQL server whose user may create databases.
const postgresURLEnv = "CAPI_TEST_POSTGRES_URL"

// Each runs fn as a parallel subtest on an empty database of every kind: SQLite always, PostgreSQL if
// CAPI_TEST_POSTGRES_URL names a server. Without a server PostgreSQL is skipped, or fails if CAPI_TEST_REQUIRE names it.
// The subtests end after the function that called Each has returned, as parallel ones do.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, Postgres(t))
	})
}

// EachShared is Each for a test that opens one database more than once, as several processes would: each call of open
// returns another handle on it.
func EachShared(t *testing.T, fn func(t *testing.T, open func() *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := SQLiteFile(t)
		fn(t, func() *db.DB { return Open(t, path) })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := PostgresURL(t)
		fn(t, func() *db.DB { return Open(t, url) })
	})
}

// Open opens the database that SQLiteFile or PostgresURL returned. It is closed when the test ends.
func Open(t testing.TB, name string) *db.DB {
	t.Helper()
	d, err := TryOpen(t, name)
	if err != nil {
		t.Fatalf("open test database: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close test database: %v", err)
		}
	})
	return d
}

// TryOpen is Open for a test that expects an error. The caller closes the database.
func TryOpen(t testing.TB, name string) (*db.DB, error) {
	t.Helper()
	if strings.HasPrefix(name, "postgres://") {
		return postgres.Open(t.Context(), name)
	}
	return sqlite.Open(t.Context(), name)
}
