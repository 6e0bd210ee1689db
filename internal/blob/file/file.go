// Package file keeps blobs as files in a folder and serves its own signed links.
// It does not limit, encrypt or expire them.
package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/internal/blob"
)

// Options are the settings of a Store.
type Options struct {
	Dir string // of the files; created if it does not exist
	Key []byte // signs the links; LoadKey returns one that survives restarts
	// Now is the clock for the expiry of links. Defaults to time.Now.
	Now func() time.Time
}

// Store is a blob.Store in a folder. Several processes may use one folder.
type Store struct {
	dir string
	key []byte
	now func() time.Time
}

var (
	_ blob.Server  = (*Store)(nil)
	_ blob.Cleaner = (*Store)(nil)
)

const (
	// Unfinished is the folder of files being written. It is inside Dir, so that the rename stays on one file system.
	Unfinished = ".unfinished"
	// abandonedAfter is the age from which an unfinished file is taken for the remains of a crashed writer.
	abandonedAfter = time.Hour
	bufferBytes    = 256 << 10
)

// Open creates the folder if needed and removes unfinished files that crashed writers left in it.
func Open(o Options) (*Store, error) {
	if len(o.Key) < keyBytes {
		return nil, fmt.Errorf("open blobs: the signing key has %d bytes; it must have at least %d", len(o.Key), keyBytes)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{dir: o.Dir, key: o.Key, now: o.Now}
	if err := s.makeDir(filepath.Join(o.Dir, Unfinished)); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return s, s.clearUnfinished(abandonedAfter)
}

// ClearUnfinished removes all unfinished files. Only a process that is alone in writing to the folder may call it.
func (s *Store) ClearUnfinished() error { return s.clearUnfinished(0) }

// clearUnfinished removes the unfinished files that were last written at least that long ago.
func (s *Store) clearUnfinished(untouched time.Duration) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, Unfinished))
	if err != nil {
		return fmt.Errorf("open blobs: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < untouched {
			continue // removed since, or still being written
		}
		if err := os.Remove(filepath.Join(s.dir, Unfinished, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear abandoned blob: %w", err)
		}
	}
	return nil
}

// Put writes to a temporary file, syncs and renames it, so that even after a crash a file is complete or absent.
func (s *Store) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	path, err := s.path(key)
	if err != nil {
		return blob.Info{}, err
	}
	f, err := os.CreateTemp(filepath.Join(s.dir, Unfinished), "put-*")
	if err != nil {
		return blob.Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	defer os.Remove(f.Name()) // already renamed, unless the writing failed
	defer f.Close()           // already closed, unless the writing failed
	info, err := write(ctx, f, fn)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	if err := s.publish(f.Name(), path); err != nil {
		return blob.Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	return info, nil
}

func write(ctx context.Context, f *os.File, fn func(io.Writer) error) (blob.Info, error) {
	meter := blob.NewMeter(f)
	buffered := bufio.NewWriterSize(meter, bufferBytes)
	if err := fn(buffered); err != nil {
		return blob.Info{}, err
	}
	if err := buffered.Flush(); err != nil {
		return blob.Info{}, err
	}
	if err := f.Sync(); err != nil {
		return blob.Info{}, err
	}
	if err := f.Close(); err != nil {
		return blob.Info{}, err
	}
	return meter.Info(), ctx.Err()
}

func (s *Store) publish(temp, path string) error {
	if err := s.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// makeDir creates a folder and its parents, and syncs the parents of new ones.
func (s *Store) makeDir(dir string) error {
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		return syncDir(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := s.makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return s.makeDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open opens a file for reading.
func (s *Store) Open(_ context.Context, key string) (io.ReadCloser, error) { return s.open(key) }

func (s *Store) open(key string) (*os.File, error) {
	path, err := s.path(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, missing(err))
	}
	return f, nil
}

// Stat returns the size of a file, without its hash.
func (s *Store) Stat(_ context.Context, key string) (blob.Info, error) {
	path, err := s.path(key)
	if err != nil {
		return blob.Info{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat %s: %w", key, missing(err))
	}
	return blob.Info{SizeBytes: info.Size()}, nil
}

// Delete deletes a file.
func (s *Store) Delete(_ context.Context, key string) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func (s *Store) path(key string) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return blob.ErrNotFound
	}
	return err
}
