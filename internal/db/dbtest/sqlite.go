package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/sqlite"
)

// SQLite opens an empty SQLite database in a directory of the test. It is closed when the test ends.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, SQLiteFile(t))
}

// SQLiteFile returns the path of an empty, migrated SQLite file, for a test that opens it more than once.
func SQLiteFile(t testing.TB) string {
	t.Helper()
	content, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make test database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatalf("make test database: %v", err)
	}
	return path
}

// Copying a migrated file is many times faster than migrating a new one.
var sqliteTemplate = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "capi-dbtest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	d, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	// The last connection to close moves the write-ahead log into the file.
	if err := d.Close(); err != nil {
		return nil, fmt.Errorf("close template: %w", err)
	}
	return os.ReadFile(path)
})
