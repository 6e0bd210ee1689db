package installation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/installation"
)

func TestADatabaseKnowsItsKeyAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		keys, first, other := installation.NewKeys(d), []byte("the first key"), []byte("another key")
		require.NoError(t, keys.Check(t.Context(), first))
		require.NoError(t, keys.Check(t.Context(), first))
		require.ErrorIs(t, keys.Check(t.Context(), other), installation.ErrOtherKey)
		changed, err := keys.Accept(t.Context(), first)
		require.NoError(t, err)
		require.False(t, changed)
		changed, err = keys.Accept(t.Context(), other)
		require.NoError(t, err)
		require.True(t, changed)
		require.NoError(t, keys.Check(t.Context(), other))
		require.ErrorIs(t, keys.Check(t.Context(), first), installation.ErrOtherKey)
		var entries int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM audit_entry WHERE action = 'key.accepted'`).Scan(&entries))
		require.Equal(t, 1, entries)
	})
}
