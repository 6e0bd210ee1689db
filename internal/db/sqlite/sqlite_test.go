package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/sqlite"
)

func TestOnlyTheOwnerCanReadTheDatabase(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	for name, prepare := range map[string]func(t *testing.T, path string){
		"a new file":                             func(*testing.T, string) {},
		"a file that an earlier version created": func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o644)) }, //nolint:gosec // the point of the test
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // as mkdir creates it
			path := filepath.Join(dir, "capi.db")
			prepare(t, path)
			d, err := sqlite.Open(t.Context(), path)
			require.NoError(t, err)
			defer d.Close()
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { // creates the log
				_, err := tx.ExecContext(t.Context(), `UPDATE catalog_state SET seq = seq`)
				return err
			}))
			files, err := filepath.Glob(path + "*")
			require.NoError(t, err)
			require.Len(t, files, 3, "the database, its log and the index of the log")
			for _, file := range files {
				info, err := os.Stat(file)
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
			}
		})
	}
}
