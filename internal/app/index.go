package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/index"
)

// IndexDir is where a data directory keeps its index.
func IndexDir(data string) string { return filepath.Join(data, "index") }

// attachIndex attaches the index to its directory, until the lock is closed. If another server uses the directory, as one
// may on PostgreSQL, the index stays in memory and there is no lock; nor is there one for an index that is not kept on disk.
func (a *App) attachIndex(ctx context.Context) (*filelock.Lock, error) {
	stored, ok := a.Index.(index.Stored)
	if !ok {
		return nil, nil
	}
	dir := IndexDir(a.Config.Data)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create index directory: %w", err)
	}
	lock, err := lockData(dir)
	if err != nil {
		a.Log.WarnContext(ctx, "index stays in memory, because its directory is not free", "reason", err)
		return nil, nil
	}
	if err := stored.Attach(ctx, dir, a.Catalog); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}
