package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// Step 46 lets an import write the keys of a company before the company.
func TestKeysThatAreWrittenBeforeTheCompanyAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		for _, statement := range []string{
			`INSERT INTO company_key_new (key, place, number) VALUES (8, 9, 3), (255, 1, 3), (-9, 0, 3)`,
			`INSERT INTO company (number, id, domain_key, name_key, place_key, seq, record) VALUES
				(3, '00000000-0000-4000-8000-0000000000ff', -9, 8, 9, 1, 'x'), (4, '00000000-0000-4000-8000-0000000000fe', NULL, 8, 9, 1, 'x')`,
		} {
			if _, err := tx.ExecContext(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	}))
	keys, err := db.Collect(t.Context(), d.Read(), func(row db.Row) (k [3]int64, err error) {
		return k, row.Scan(&k[0], &k[1], &k[2])
	}, `SELECT key, place, number FROM company_key ORDER BY 1, 2, 3`)
	require.NoError(t, err)
	require.Equal(t, [][3]int64{{-9, 0, 3}, {8, 9, 3}, {8, 9, 4}, {254, 1, 4}, {255, 1, 3}}, keys)
}
