package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/migrations"
)

func TestAnOpenDatabaseHasTheNewestSchemaAndPoolStats(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		version, err := d.SchemaVersion(t.Context())
		require.NoError(t, err)
		require.Equal(t, migrations.Newest(d.Name()), version)
		require.NotZero(t, version)
		pools := map[string][]string{"sqlite": {"read", "write"}, "postgres": {"all"}}[d.Name()]
		require.Len(t, d.Pools(), len(pools))
		for _, name := range pools {
			require.Positive(t, d.Pools()[name].MaxOpenConnections, name)
		}
	})
}
