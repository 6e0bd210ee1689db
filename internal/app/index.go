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

// IndexDir returns the directory of the index in a data directory.
func IndexDir(data string) string { return filepath.Join(data, indexDir) }

// attachIndex locks the index directory and attaches the index to it. The caller closes the lock after the index. The lock
// is nil, and the index stays in memory, if another server uses the directory, which can happen on PostgreSQL. It is also
// nil if the index is not kept on disk.
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
		a.Log.WarnContext(ctx, "index stays in memory because its directory cannot be locked", "reason", err)
		return nil, nil
	}
	if err := stored.Attach(ctx, dir, a.Catalog); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}
