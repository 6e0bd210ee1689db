package contender

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/bench/workload"
)

func TestAStoreIsLoadedOnceAndABrokenLoadingBeginsAnew(t *testing.T) {
	t.Parallel()
	w, err := workload.New(10)
	require.NoError(t, err)
	cache, loads := t.TempDir(), 0
	broken := errors.New("broken")
	k := Kind{Name: "Test", Store: "test", Load: func(_ context.Context, _ *workload.Workload, dir string) error {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data"), []byte("1234"), 0o600))
		if loads++; loads == 1 {
			return broken
		}
		return nil
	}}
	require.ErrorIs(t, k.Fill(t.Context(), w, cache), broken)
	for range 2 {
		require.NoError(t, k.Fill(t.Context(), w, cache))
	}
	require.Equal(t, 2, loads)
	loaded, err := k.Loaded(cache)
	require.NoError(t, err)
	require.EqualValues(t, 4, loaded.SizeBytes)
}
