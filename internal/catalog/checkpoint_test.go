package catalog_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestAnIndexKeepsAtMostTwoCheckpointsOfItsOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, company.Company{Name: "Acme", Domain: "acme.example"})
		checkpoints := func(index string) string {
			var held []string
			for _, checkpoint := range []string{"a", "b", "c", "d"} {
				exists, err := b.HasCheckpoint(t.Context(), index, checkpoint)
				require.NoError(t, err)
				if exists {
					held = append(held, checkpoint)
				}
			}
			return strings.Join(held, "")
		}
		require.Empty(t, checkpoints("one"))
		require.NoError(t, b.SaveCheckpoint(t.Context(), "one", "a", "", 1))
		require.NoError(t, b.SaveCheckpoint(t.Context(), "two", "a", "", 1))
		require.NoError(t, b.SaveCheckpoint(t.Context(), "one", "b", "a", 1))
		require.Equal(t, "ab", checkpoints("one"), "the checkpoint to keep and the new one")
		require.NoError(t, b.SaveCheckpoint(t.Context(), "one", "c", "a", 1))
		require.Equal(t, "ac", checkpoints("one"), "an index whose save failed continues from its last checkpoint")
		require.NoError(t, b.SaveCheckpoint(t.Context(), "one", "d", "c", 1))
		require.Equal(t, "cd", checkpoints("one"))
		require.Equal(t, "a", checkpoints("two"), "another index's checkpoint stays")
		seq, err := b.Seq(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(1), seq, "no company changed")
	})
}

func TestARestoredCatalogRefusesCheckpoints(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		require.NoError(t, b.SaveCheckpoint(t.Context(), "one", "a", "", 1))
		require.ErrorIs(t, b.SaveCheckpoint(t.Context(), "one", "c", "b", 3), catalog.ErrRestored)
		require.ErrorIs(t, b.SaveCheckpoint(t.Context(), "two", "c", "a", 3), catalog.ErrRestored, "another index's checkpoint proves nothing")
		for checkpoint, want := range map[string]bool{"a": true, "b": false, "c": false} {
			exists, err := b.HasCheckpoint(t.Context(), "one", checkpoint)
			require.NoError(t, err)
			require.Equal(t, want, exists, checkpoint)
		}
	})
}

func TestACheckpointExistsOnlyOnceCommitted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		require.NoError(t, catalog.New(d).SaveCheckpoint(t.Context(), "one", "a", "", 1))
		failing := catalog.New(d.Guarded(func(p db.GuardPoint) error {
			if p == db.Commit {
				return context.Canceled
			}
			return nil
		}))
		require.ErrorIs(t, failing.SaveCheckpoint(t.Context(), "one", "b", "", 2), context.Canceled)
		for checkpoint, want := range map[string]bool{"a": true, "b": false} {
			exists, err := catalog.New(d).HasCheckpoint(t.Context(), "one", checkpoint)
			require.NoError(t, err)
			require.Equal(t, want, exists, checkpoint)
		}
	})
}
