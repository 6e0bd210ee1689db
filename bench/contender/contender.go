// Package contender is the interface to the systems that are measured. Each runs in its own process, so that none pays for the
// memory of another. The package knows no specific contender.
package contender

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/bench/workload"
)

// Contender answers operations, one at a time.
type Contender interface {
	Ask(ctx context.Context, op workload.Op) (workload.Answer, error)
	Close() error
}

// Kind creates contenders.
type Kind struct {
	Name  string
	About string // version and set-up, for readers of a table
	// Store is the directory below the cache that Load fills; contenders with the same store share it. Empty if there is
	// nothing to load in advance.
	Store string
	// Missing returns why the contender cannot run here; empty if it can.
	Missing func() string
	// Skip reports whether the contender does not support an operation; nil if it supports all.
	Skip func(op workload.Op) bool
	// Load fills the empty directory with the workload.
	Load func(ctx context.Context, w *workload.Workload, dir string) error
	// SizeBytes returns the size of the data that Load stored outside the directory; nil if none.
	SizeBytes func(ctx context.Context, w *workload.Workload) (int64, error)
	// Open opens the data that Load stored.
	Open func(ctx context.Context, w *workload.Workload, dir string) (Contender, error)
}

// Skips reports whether the contender does not support the operation.
func (k Kind) Skips(op workload.Op) bool { return k.Skip != nil && k.Skip(op) }

// Loaded describes a directory that Load has filled.
type Loaded struct {
	Took      time.Duration `json:"took"`
	SizeBytes int64         `json:"size_bytes"`
}

const loadedFile = "loaded.json"

// Fill loads the store below cache unless it has been loaded. An interrupted load starts over.
func (k Kind) Fill(ctx context.Context, w *workload.Workload, cache string) error {
	dir := k.Dir(cache)
	if _, err := os.Stat(filepath.Join(dir, loadedFile)); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("load %s: %w", k.Store, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("load %s: %w", k.Store, err)
	}
	start := time.Now()
	if err := k.Load(ctx, w, dir); err != nil {
		return fmt.Errorf("load %s: %w", k.Store, err)
	}
	loaded := Loaded{Took: time.Since(start), SizeBytes: sizeOf(dir)}
	if k.SizeBytes != nil {
		more, err := k.SizeBytes(ctx, w)
		if err != nil {
			return fmt.Errorf("load %s: %w", k.Store, err)
		}
		loaded.SizeBytes += more
	}
	p, err := json.Marshal(loaded)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, loadedFile), p, 0o644)
}

// Dir returns the directory of the store.
func (k Kind) Dir(cache string) string { return filepath.Join(cache, k.Store) }

// Loaded describes the store below cache.
func (k Kind) Loaded(cache string) (l Loaded, err error) {
	p, err := os.ReadFile(filepath.Join(k.Dir(cache), loadedFile))
	if err != nil {
		return l, err
	}
	err = json.Unmarshal(p, &l)
	return l, err
}

func sizeOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // a file that is deleted during the walk has no size
		}
		if info, err := entry.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
