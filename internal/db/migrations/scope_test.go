package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// Step 42 replaces the column of a token's scope.
func TestTokensKeepTheirScopeWhenAnotherOneIsAdded(t *testing.T) {
	t.Parallel()
	for name, target := range olds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := target.source(t)
			migrateTo(t, target.driver, source, target.dialect, 41)
			require.NoError(t, run(t, target.driver, source, `
				INSERT INTO token (id, hash, prefix, name, scope, created_at) VALUES ('a', 'a', 'a', 'a', 'read', 1), ('b', 'b', 'b', 'b', 'read_write', 2)`))
			d := dbtest.Open(t, source)
			insert := func(scope string) error {
				return d.Tx(t.Context(), func(tx *db.Tx) error {
					_, err := tx.ExecContext(t.Context(), `INSERT INTO token (id, hash, prefix, name, scope, created_at)
						VALUES ('c', $1, 'c', 'c', $2, 3)`, []byte("c"), scope)
					return err
				})
			}
			require.Error(t, insert("everything"), "the column still has a check")
			require.NoError(t, insert("reconcile"))
			scopes, err := db.Collect(t.Context(), d.Read(), db.Value[string], `SELECT scope FROM token ORDER BY id`)
			require.NoError(t, err)
			require.Equal(t, []string{"read", "read_write", "reconcile"}, scopes)
		})
	}
}
