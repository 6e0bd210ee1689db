package migrations_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/migrations"
)

// olds are empty databases of an older version, which migrateTo makes, by dialect.
var olds = map[string]struct {
	driver  string
	dialect goose.Dialect
	source  func(*testing.T) string
}{
	"sqlite": {"sqlite", goose.DialectSQLite3, func(t *testing.T) string { return filepath.Join(t.TempDir(), "old.db") }},
	"postgres": {"pgx", goose.DialectPostgres, func(t *testing.T) string {
		t.Helper()
		u, err := url.Parse(dbtest.PostgresURL(t))
		require.NoError(t, err)
		require.NoError(t, run(t, "pgx", u.String(), `CREATE SCHEMA old`))
		q := u.Query()
		q.Set("search_path", "old")
		u.RawQuery = q.Encode()
		return u.String()
	}},
}

// Step 10 creates the table of exports again on SQLite, and changes it on PostgreSQL.
func TestExportsOutliveTheStepThatRemakesTheirTable(t *testing.T) {
	t.Parallel()
	for name, target := range olds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := target.source(t)
			migrateTo(t, target.driver, source, target.dialect, 9)
			require.NoError(t, run(t, target.driver, source, `
				INSERT INTO workspace (id, name, created_at) VALUES ('w', 'Old', 1);
				INSERT INTO export (id, workspace_id, token_id, job_id, name, source_type, filters, sort, format, options, status,
					requested_count, already_unlocked, new_count, credits_charged, balance_before, capped, transaction_id, as_of,
					processed_records, size_bytes, created_at, completed_at)
				VALUES ('e', 'w', 't', 'j', 'Old export', 'search', '{"query":"a"}', 'name asc', 'csv', '{}', 'completed',
					5, 2, 3, 3, 10, 1, 'x', 7, 5, 99, 2, 3);
				INSERT INTO export_selection (export_id, companies) VALUES ('e', '01234567890123456789')`))

			d := dbtest.Open(t, source)
			row := oneRow(t, d, `SELECT e.workspace_id, e.name, e.filters, e.sort, e.terms, e.status,
				e.requested_count, e.already_unlocked, e.new_count, e.would_skip, e.credits_charged, e.capped, e.transaction_id,
				e.quote_id, e.as_of, e.processed_records, e.size_bytes, e.credits_refunded, e.created_at, e.completed_at,
				length(s.companies)
				FROM export e JOIN export_selection s ON s.export_id = e.id`)
			require.Equal(t, []any{
				"w", "Old export", `{"query":"a"}`, "name asc", "{}", "completed",
				int64(5), int64(2), int64(3), int64(0), int64(3), int64(1), "x", nil,
				int64(7), int64(5), int64(99), int64(0), int64(2), int64(3), int64(20),
			}, row)

			set := func(change string) error {
				return d.Tx(t.Context(), func(tx *db.Tx) error {
					_, err := tx.ExecContext(t.Context(), `UPDATE export SET `+change)
					return err
				})
			}
			require.NoError(t, set(`would_skip = 1, credits_charged = 2`))
			require.NoError(t, set(`status = 'cancelled'`))
			require.Error(t, set(`credits_charged = 3`), "charged and skipped are what is new")
			require.Error(t, set(`status = 'lost'`))
			require.Error(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO export_selection (export_id, companies) VALUES ('none', '')`)
				return err
			}), "a selection belongs to an export")
		})
	}
}

func migrateTo(t testing.TB, driver, source string, dialect goose.Dialect, version int64) {
	t.Helper()
	pool, err := sql.Open(driver, source)
	require.NoError(t, err)
	defer pool.Close()
	folder := map[goose.Dialect]string{goose.DialectSQLite3: "sqlite", goose.DialectPostgres: "postgres"}[dialect]
	p, err := goose.NewProvider(dialect, pool, migrations.For(folder), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), version)
	require.NoError(t, err)
}

func run(t testing.TB, driver, source, statements string) error {
	t.Helper()
	pool, err := sql.Open(driver, source)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.ExecContext(t.Context(), statements)
	return err
}

// oneRow reads a row of as many columns as it has.
func oneRow(t *testing.T, d *db.DB, query string) []any {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	row, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range targets {
		targets[i] = &row[i]
	}
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(targets...))
	require.NoError(t, rows.Err())
	return row
}
