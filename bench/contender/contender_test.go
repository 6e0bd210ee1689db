package contender

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

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

// sleeper delays every answer.
type sleeper struct {
	takes time.Duration
	asked int
}

func (s *sleeper) Ask(context.Context, workload.Op) (workload.Answer, error) {
	s.asked++
	time.Sleep(s.takes)
	return workload.Answer{}, nil
}

func (*sleeper) Close() error { return nil }

func TestAVisitWarmsUpForATenthOfASecond(t *testing.T) {
	t.Parallel()
	w, err := workload.New(10)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		takes           time.Duration
		uncounted, runs int
	}{
		"fast":           {time.Millisecond, 100, 3},
		"medium":         {30 * time.Millisecond, 4, 3},
		"slow":           {time.Second, 1, 3},
		"over a second":  {1100 * time.Millisecond, 1, 1},
		"just a tenth":   {100 * time.Millisecond, 1, 3},
		"under the half": {60 * time.Millisecond, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &sleeper{takes: c.takes}
				r := run(t.Context(), s, w, ask{Op: "Q1", WarmUp: warmUpTime, Times: 3})
				require.Empty(t, r.Err)
				require.Len(t, r.Took, c.runs)
				require.Equal(t, c.takes, r.Took[0])
				require.Equal(t, c.uncounted+c.runs, s.asked)
			})
		})
	}
}

func TestFilesThatWereForgottenAreReadAgain(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux can files be dropped from memory")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "deeper", "file")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte("what it holds"), 0o600))
	_, err := Forget(dir) // some file systems keep all in memory
	require.NoError(t, err)
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "what it holds", string(p))
}
