// Package contender is the seam to what is measured, each in a process of its own, so that nobody pays for another's
// memory. It does not know who contends.
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

// Contender answers operations. It is asked one thing at a time.
type Contender interface {
	Ask(ctx context.Context, op workload.Op) (workload.Answer, error)
	Close() error
}

// Kind makes contenders.
type Kind struct {
	Name  string
	About string // version and set-up, for readers of a table
	// Store is the directory below the cache that Load fills; contenders of one store share it. Empty if there is
	// nothing to load ahead.
	Store string
	// Missing says why it cannot run here; empty if it can.
	Missing func() string
	// Skip holds for an operation that it does not know; nil if it knows all.
	Skip func(op workload.Op) bool
	// Load fills the empty directory with the workload.
	Load func(ctx context.Context, w *workload.Workload, dir string) error
	// SizeBytes is what Load filled outside of the directory; nil if nothing.
	SizeBytes func(ctx context.Context, w *workload.Workload) (int64, error)
	// Open opens what Load filled.
	Open func(ctx context.Context, w *workload.Workload, dir string) (Contender, error)
}

// Skips holds for an operation that the contender does not know.
func (k Kind) Skips(op workload.Op) bool { return k.Skip != nil && k.Skip(op) }

// Loaded is what is known of a directory that Load filled.
type Loaded struct {
	Took      time.Duration `json:"took"`
	SizeBytes int64         `json:"size_bytes"`
}

const loadedFile = "loaded.json"

// Fill loads the store below cache unless that was done before. A loading that did not end begins anew.
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

// Dir is where the store lies.
func (k Kind) Dir(cache string) string { return filepath.Join(cache, k.Store) }

// Loaded tells of the store below cache.
func (k Kind) Loaded(cache string) (l Loaded, err error) {
	p, err := os.ReadFile(filepath.Join(k.Dir(cache), loadedFile))
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(p, &l)
}

func sizeOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // a file that goes away meanwhile has no size
		}
		if info, err := entry.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
