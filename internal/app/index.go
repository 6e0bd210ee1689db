package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/internal/blob"
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
	if files, ok := a.Blobs.(blob.Remote); ok {
		began := time.Now()
		seeded, err := stored.Seed(ctx, dir, a.Catalog, sharedFiles{files})
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		if seeded {
			a.Log.InfoContext(ctx, "index fetched from the bucket", "took", time.Since(began).Round(time.Millisecond))
		}
	}
	if err := stored.Attach(ctx, dir, a.Catalog); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// sharedFiles are the files in the bucket that all servers of one database use.
type sharedFiles struct{ blob.Remote }

func (f sharedFiles) Put(ctx context.Context, name string, fn func(io.Writer) error) error {
	_, err := f.Remote.Put(ctx, name, fn)
	return err
}

func (f sharedFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := f.Remote.Open(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, name)
	}
	return r, err
}

// sharing returns the part that stores the index in the bucket now and then, so that a new server need not build one.
func (a *App) sharing() []part {
	files, remote := a.Blobs.(blob.Remote)
	stored, ok := a.Index.(index.Stored)
	if !remote || !ok {
		return nil
	}
	publish := func(ctx context.Context) error { return stored.Publish(ctx, sharedFiles{files}, publishEvery) }
	p := &pruner{what: "index in the bucket", every: time.Minute, prune: publish, log: a.Log}
	return []part{{"sharing of the index", p.Start, p.Stop}}
}

// publishEvery is how often the server that shares its index does so again, if it has changed.
const publishEvery = 10 * time.Minute
