package migrations_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/migrations"
)

var update = flag.Bool("update", false, "write the golden file from the SQLite schema")

const golden = "testdata/schema.txt"

func TestBothDatabasesHaveTheSameSteps(t *testing.T) {
	t.Parallel()
	names := func(dialect string) []string {
		files, err := fs.Glob(migrations.For(dialect), "*.sql")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		return files
	}
	require.Equal(t, names("sqlite"), names("postgres"))
	for _, dialect := range []string{"sqlite", "postgres"} {
		numbers := map[string]string{}
		for _, name := range names(dialect) {
			number, _, _ := strings.Cut(name, "_")
			require.Empty(t, numbers[number], "two steps have the number %s", number)
			numbers[number] = name
			content, err := fs.ReadFile(migrations.For(dialect), name)
			require.NoError(t, err)
			require.Contains(t, string(content), "-- +goose Up\n", name)
			require.NotContains(t, string(content), "+goose Down", "migrations are forward only")
		}
	}
}

// Both databases end in the same schema; go test ./internal/db/migrations -update writes it.
func TestStepsEndInTheGoldenSchema(t *testing.T) {
	t.Parallel()
	if *update {
		d := dbtest.SQLite(t)
		require.NoError(t, os.WriteFile(golden, []byte(sqliteSchema(t, d)), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		schema := sqliteSchema
		if d.Name() == "postgres" {
			schema = postgresSchema
		}
		require.Empty(t, cmp.Diff(string(want), schema(t, d)))
	})
}

// An older program could write rows that the newer one cannot read.
func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	for name, newDatabase := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteFile, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := newDatabase(t)
			require.NoError(t, dbtest.Open(t, at).Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`,
					migrations.Newest(name)+1, true)
				return err
			}))
			_, err := dbtest.TryOpen(t, at)
			require.ErrorContains(t, err, "a newer capi has used this database")
			require.ErrorContains(t, err, "restore a backup from before the upgrade")
		})
	}
}

func sqliteSchema(t *testing.T, d *db.DB) string {
	return describe(t, d, `
		SELECT m.name, c.name,
		       CASE WHEN c.type = 'INTEGER' AND c.pk = 1 THEN 'BIGINT' -- the row id, whose type has this one spelling
		            ELSE replace(c.type, 'BLOB', 'BYTES') END,
		       c."notnull" = 1 OR c.pk > 0
		FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'company_key%' AND m.name NOT LIKE 'connection_by_target%'
		ORDER BY m.name, c.name`)
}

func postgresSchema(t *testing.T, d *db.DB) string {
	return describe(t, d, `
		SELECT table_name, column_name, replace(upper(data_type), 'BYTEA', 'BYTES'), is_nullable = 'NO'
		FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' AND table_name NOT LIKE 'company_key%' AND table_name NOT LIKE 'connection_by_target%'
		ORDER BY table_name COLLATE "C", column_name COLLATE "C"`)
}

// describe returns a line for each column.
func describe(t *testing.T, d *db.DB, query string) string {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	var s strings.Builder
	for rows.Next() {
		var (
			table, column, kind string
			notNull             bool
		)
		require.NoError(t, rows.Scan(&table, &column, &kind, &notNull))
		null := "NULL"
		if notNull {
			null = "NOT NULL"
		}
		fmt.Fprintf(&s, "%s.%s %s %s\n", table, column, kind, null)
	}
	require.NoError(t, rows.Err())
	return s.String()
}
