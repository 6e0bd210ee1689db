package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"testing"

	"github.com/peterldowns/pgtestdb"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/migrations"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/testkit/required"
)

// Postgres opens an empty PostgreSQL database, a clone of a migrated template. It is dropped when the test passes and
// kept for inspection when it fails. Without a server the test is skipped, or fails if PostgreSQL is required.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// PostgresURL returns the URL of an empty, migrated PostgreSQL database, for a test that opens it more than once.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, migrator{})
}

// BarePostgresURL is PostgresURL for a database without any table.
func BarePostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, pgtestdb.NoopMigrator{})
}

func postgresURL(t testing.TB, m pgtestdb.Migrator) string {
	t.Helper()
	given := os.Getenv(postgresURLEnv)
	if given == "" {
		required.Missing(t, "postgres", "%s is not set (make test sets it where PostgreSQL is installed)", postgresURLEnv)
	}
	conf, err := config(given)
	if err != nil {
		t.Fatalf("%s: %v", postgresURLEnv, err)
	}
	q, err := url.ParseQuery(conf.Options)
	if err != nil {
		t.Fatalf("%s: %v", postgresURLEnv, err)
	}
	q.Set("options", patience)
	conf.Options = q.Encode()
	return pgtestdb.Custom(t, conf, m).URL()
}

// patience lets transactions be idle for longer than servers do. Where many tests run at once, one may wait that long for a processor.
const patience = "--idle_in_transaction_session_timeout=120000"

// config splits the URL. Host and port may also be in its query, which is the only place for a socket's directory.
func config(given string) (pgtestdb.Config, error) {
	u, err := url.Parse(given)
	if err != nil {
		return pgtestdb.Config{}, fmt.Errorf("parse URL: %w", err)
	}
	password, _ := u.User.Password()
	database := "postgres"
	if len(u.Path) > 1 {
		database = u.Path[1:]
	}
	return pgtestdb.Config{
		DriverName: "pgx",
		User:       url.PathEscape(u.User.Username()),
		Password:   url.PathEscape(password),
		Host:       u.Hostname(),
		Port:       u.Port(),
		Database:   database,
		Options:    u.RawQuery,
		// A connection whose query was cancelled closes slightly later than its pool.
		ForceTerminateConnections: true,
	}, nil
}

type migrator struct{}

// Hash names the template, so that changed migrations create a new one.
func (migrator) Hash() (string, error) {
	h := sha256.New()
	files := migrations.For(postgres.Dialect{}.Name())
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}

func (migrator) Migrate(ctx context.Context, _ *sql.DB, conf pgtestdb.Config) error {
	d, err := postgres.Open(ctx, conf.URL())
	if err != nil {
		return err
	}
	return d.Close()
}
