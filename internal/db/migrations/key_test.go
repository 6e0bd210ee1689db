package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// Step 30 moves the keys of companies to tables of their own on SQLite.
func TestCompaniesHaveKeysAfterTheStepAndAfterEachChange(t *testing.T) {
	t.Parallel()
	for name, target := range olds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := target.source(t)
			migrateTo(t, target.driver, source, target.dialect, 27)
			require.NoError(t, run(t, target.driver, source, `
				INSERT INTO company (number, id, domain_key, name_key, place_key, seq, record) VALUES
					(1, '00000000-0000-4000-8000-0000fedcba98', 7, -5, -6, 1, 'x'),
					(2, '00000000-0000-4000-8000-000000000003', NULL, -5, 0, 1, 'x')`))
			d := dbtest.Open(t, source)
			keys := func() (all [][3]int64) {
				all, err := db.Collect(t.Context(), d.Read(), func(row db.Row) (k [3]int64, err error) {
					return k, row.Scan(&k[0], &k[1], &k[2])
				}, `SELECT key, place, number FROM company_key ORDER BY 1, 2, 3`)
				require.NoError(t, err)
				return all
			}
			change := func(statement string) {
				require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
					_, err := tx.ExecContext(t.Context(), statement)
					return err
				}))
			}
			id1, id2, id3 := [3]int64{0xfedcba98, 1, 1}, [3]int64{3, 1, 2}, [3]int64{0xffffffff, 1, 3}
			require.Equal(t, [][3]int64{{-5, -6, 1}, {-5, 0, 2}, id2, {7, 0, 1}, id1}, keys())

			change(`INSERT INTO company (number, id, domain_key, name_key, place_key, seq, record) VALUES
				(3, '00000000-0000-4000-8000-0000ffffffff', -9, 8, 9, 1, 'x')`)
			require.Equal(t, [][3]int64{{-9, 0, 3}, {-5, -6, 1}, {-5, 0, 2}, id2, {7, 0, 1}, {8, 9, 3}, id1, id3}, keys())

			change(`INSERT INTO company (number, id, domain_key, name_key, place_key, seq, record)
				VALUES (1, '00000000-0000-4000-8000-0000fedcba98', NULL, -5, -7, 2, 'x'), (2, '00000000-0000-4000-8000-000000000003', 4, -5, 0, 2, 'x')
				ON CONFLICT (number) DO UPDATE SET domain_key = excluded.domain_key, place_key = excluded.place_key, seq = excluded.seq`)
			change(`UPDATE company SET domain_key = NULL, name_key = 10 WHERE number = 3`)
			require.Equal(t, [][3]int64{{-5, -7, 1}, {-5, 0, 2}, id2, {4, 0, 2}, {10, 9, 3}, id1, id3}, keys())
		})
	}
}

// Step 31 makes the table of connections again on SQLite.
func TestConnectionsOutliveTheStepThatRemakesTheirTable(t *testing.T) {
	t.Parallel()
	for name, target := range olds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := target.source(t)
			migrateTo(t, target.driver, source, target.dialect, 27)
			require.NoError(t, run(t, target.driver, source, `
				INSERT INTO connection (identity, source, target, category, source_id, source_name, source_domain,
					target_id, target_name, target_domain, import) VALUES
					(9, 2, 1, 'vendor', 'a', 'b', 'c', 'd', 'e', 'f', 4), (8, 2, 1, 'partner', '', '', '', '', '', '', NULL),
					(7, NULL, 1, 'vendor', '', '', '', '', '', '', NULL), (6, 1, NULL, 'vendor', '', '', '', '', '', '', NULL)`))
			d := dbtest.Open(t, source)
			require.Equal(t, []any{int64(9), int64(2), int64(1), "vendor", "a", "b", "c", "d", "e", "f", int64(4)},
				oneRow(t, d, `SELECT identity, source, target, category, source_id, source_name, source_domain,
					target_id, target_name, target_domain, import FROM connection WHERE identity = 9`))
			require.Equal(t, []any{int64(4), int64(30), int64(5), int64(3)},
				oneRow(t, d, `SELECT COUNT(*), CAST(SUM(identity) AS BIGINT), CAST(SUM(source) AS BIGINT), CAST(SUM(target) AS BIGINT) FROM connection`))
			require.Equal(t, []any{int64(1), int64(1), int64(2)}, oneRow(t, d, `SELECT COUNT(DISTINCT source), MIN(target), MAX(source) FROM connection_by_target`))
		})
	}
}
