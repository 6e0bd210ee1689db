package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/backup"
	"github.com/opencapi/capi/internal/db/sqlite"
)

var layout = backup.Layout{Database: "capi.db", Files: "files", Skip: ".unfinished", Key: "links.key", Index: "index"}

// fill makes a data directory whose database has one table with the number n.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	d, err := sqlite.Open(t.Context(), filepath.Join(dir, "capi.db"))
	require.NoError(t, err)
	require.NoError(t, d.Close())
	for name, content := range map[string]string{
		"files/ab/export.csv": "rows of " + string(rune('0'+n)), "files/.unfinished/put-1": "half", "links.key": "key", "index/MANIFEST": "index",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

func create(t *testing.T, data, to string) error {
	t.Helper()
	_, err := backup.Create(t.Context(), backup.Source{
		Dir: data, Layout: layout, Version: "v1",
		Snapshot: func(ctx context.Context, to string) error {
			return sqlite.Snapshot(ctx, filepath.Join(data, "capi.db"), to)
		},
	}, to)
	return err
}

func restore(t *testing.T, from, data string) (backup.Restored, error) {
	t.Helper()
	return backup.Restore(t.Context(), from, backup.Target{Dir: data, Layout: layout, Check: sqlite.Check})
}

func TestARestoreReplacesEverythingAndKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	data, copied := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	fill(t, data, 1)
	require.NoError(t, create(t, data, copied))
	require.NoDirExists(t, filepath.Join(copied, "index"))
	require.NoDirExists(t, filepath.Join(copied, "files", ".unfinished"))

	fill(t, data, 2)
	require.NoError(t, os.WriteFile(filepath.Join(data, "capi.db-wal"), []byte("the log of the later database"), 0o600))
	done, err := restore(t, copied, data)
	require.NoError(t, err)
	require.Equal(t, 1, done.Manifest.Files)
	require.NoFileExists(t, filepath.Join(data, "capi.db-wal"), "SQLite would apply it to the restored database")
	require.NoDirExists(t, filepath.Join(data, "index"))
	require.Equal(t, "rows of 1", read(t, data, "files/ab/export.csv"))
	require.Equal(t, "rows of 2", read(t, done.Replaced, "files/ab/export.csv"))
	require.Equal(t, "the log of the later database", read(t, done.Replaced, "capi.db-wal"))
	require.NoError(t, backup.Unfinished(data))
	d, err := sqlite.Open(t.Context(), filepath.Join(data, "capi.db"))
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

func TestARestoreIntoAnEmptyDirectoryLeavesNothingElse(t *testing.T) {
	t.Parallel()
	data, copied, empty := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "new")
	fill(t, data, 1)
	require.NoError(t, create(t, data, copied))
	done, err := restore(t, copied, empty)
	require.NoError(t, err)
	require.Empty(t, done.Replaced)
	entries, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Len(t, entries, 3)
}

func TestADamagedOrIncompleteBackupChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(t *testing.T, copied string)
		want   string
	}{
		"without a manifest": {func(t *testing.T, copied string) {
			require.NoError(t, os.Remove(filepath.Join(copied, "backup.json")))
		}, "is not a complete backup"},
		"a changed database": {func(t *testing.T, copied string) {
			require.NoError(t, os.WriteFile(filepath.Join(copied, "capi.db"), []byte("x"), 0o600))
		}, "changed or damaged"},
		"a missing file": {func(t *testing.T, copied string) {
			require.NoError(t, os.Remove(filepath.Join(copied, "files", "ab", "export.csv")))
		}, "it has 0 export files of 0 bytes, but capi backup wrote 1"},
		"a cut file": {func(t *testing.T, copied string) {
			require.NoError(t, os.Truncate(filepath.Join(copied, "files", "ab", "export.csv"), 3))
		}, "it has 1 export files of 3 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, copied := t.TempDir(), filepath.Join(t.TempDir(), "backup")
			fill(t, data, 1)
			require.NoError(t, create(t, data, copied))
			c.damage(t, copied)
			fill(t, data, 2)
			_, err := restore(t, copied, data)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, "rows of 2", read(t, data, "files/ab/export.csv"))
			require.FileExists(t, filepath.Join(data, "index", "MANIFEST"))
			require.NoError(t, backup.Unfinished(data))
		})
	}
}

func TestABackupNeedsAnEmptyDirectoryOutsideOfTheData(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	fill(t, data, 1)
	require.ErrorContains(t, create(t, data, filepath.Join(data, "backup")), "is inside the data directory")
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "mine.txt"), nil, 0o600))
	require.ErrorContains(t, create(t, data, full), "is not empty: it contains mine.txt")
}

// A restore that is interrupted can be repeated, and never loses the earlier data.
func TestAnInterruptedRestoreIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	data, copied := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	fill(t, data, 1)
	require.NoError(t, create(t, data, copied))
	fill(t, data, 2)
	require.NoError(t, os.Mkdir(filepath.Join(data, "files", "ab", "blocked"), 0o700))
	// The key of the backup becomes unreadable after the check, so the copy fails halfway.
	target := backup.Target{Dir: data, Layout: layout, Check: func(context.Context, string) error {
		return os.Rename(filepath.Join(copied, "links.key"), filepath.Join(copied, "hidden"))
	}}
	_, err := backup.Restore(t.Context(), copied, target)
	require.Error(t, err)
	require.ErrorContains(t, backup.Unfinished(data), "run capi restore again")

	require.NoError(t, os.Rename(filepath.Join(copied, "hidden"), filepath.Join(copied, "links.key")))
	done, err := restore(t, copied, data)
	require.NoError(t, err)
	require.Equal(t, "rows of 1", read(t, data, "files/ab/export.csv"))
	require.NoDirExists(t, filepath.Join(data, "files", "ab", "blocked"))
	require.Equal(t, "rows of 2", read(t, done.Replaced, "files/ab/export.csv"))
	require.NoError(t, backup.Unfinished(data))
}

func TestAFailedSnapshotLeavesNoCompleteBackup(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "backup")
	_, err := backup.Create(t.Context(), backup.Source{
		Dir: t.TempDir(), Layout: layout, Snapshot: func(context.Context, string) error { return errors.New("disk full") },
	}, to)
	require.ErrorContains(t, err, "disk full")
	_, err = backup.ReadManifest(to)
	require.ErrorContains(t, err, "is not a complete backup")
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(content)
}
