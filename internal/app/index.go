package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/filelock"
)

// IndexDir is where a data directory keeps its index.
func IndexDir(data string) string { return filepath.Join(data, "index") }

// attachIndex gives the index its place on disk, until the lock is closed. Where another server has that place, as one
// may on PostgreSQL, the index stays in memory and there is no lock.
func (a *App) attachIndex(ctx context.Context) (*filelock.Lock, error) {
	dir := IndexDir(a.Config.Data)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create index directory: %w", err)
	}
	lock, err := lockData(dir)
	if err != nil {
		a.Log.WarnContext(ctx, "index stays in memory, because its directory is not free", "reason", err)
		return nil, nil
	}
	if err := a.embedded.Attach(ctx, dir, a.Catalog); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}
