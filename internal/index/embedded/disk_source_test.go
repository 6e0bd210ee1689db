package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
)

// SameCatalog is a Source that is never restored from a backup.
type SameCatalog struct {
	ID  string
	Seq uint64
}

func (c SameCatalog) Origin(context.Context) (string, uint64, error) { return c.ID, c.Seq, nil }

func (SameCatalog) SaveCheckpoint(context.Context, string, string, string, uint64) error { return nil }

func (SameCatalog) HasCheckpoint(context.Context, string, string) (bool, error) { return true, nil }

var errRestored = errors.New("restored")

// restorableCatalog is a Source that can be backed up and restored.
type restorableCatalog struct {
	mu          sync.Mutex
	seq         uint64
	checkpoints []string // index/checkpoint
	calls       int      // of SaveCheckpoint
	// before and after fail SaveCheckpoint before or after it has saved the checkpoint.
	before, after error
	locked        bool // SaveCheckpoint waits until its timeout, like for a locked database
}

func (c *restorableCatalog) Origin(context.Context) (string, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "catalog", c.seq, nil
}

func (c *restorableCatalog) SaveCheckpoint(ctx context.Context, index, checkpoint, keep string, _ uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.locked {
		<-ctx.Done()
		return ctx.Err()
	}
	if c.before != nil {
		return c.before
	}
	if keep != "" && !slices.Contains(c.checkpoints, index+"/"+keep) {
		return errRestored
	}
	c.checkpoints = append(keptCheckpoints(c.checkpoints, index, keep), index+"/"+checkpoint)
	return c.after
}

func (c *restorableCatalog) HasCheckpoint(_ context.Context, index, checkpoint string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.checkpoints, index+"/"+checkpoint), nil
}

// backup returns a copy of the catalog, from which it can be restored.
func (c *restorableCatalog) backup() *restorableCatalog {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &restorableCatalog{seq: c.seq, checkpoints: slices.Clone(c.checkpoints)}
}

func keptCheckpoints(checkpoints []string, index, keep string) []string {
	return slices.DeleteFunc(slices.Clone(checkpoints), func(m string) bool {
		return strings.HasPrefix(m, index+"/") && m != index+"/"+keep
	})
}

// catalogFile is a Source that keeps its checkpoints in a file beside the index's directory, so that they survive a killed
// process.
type catalogFile string

func (catalogFile) Origin(context.Context) (string, uint64, error) { return "catalog", 1 << 40, nil }

func (c catalogFile) read() (checkpoints []string, err error) {
	p, err := os.ReadFile(string(c) + ".checkpoints")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(p, &checkpoints)
	}
	return checkpoints, err
}

func (c catalogFile) SaveCheckpoint(_ context.Context, index, checkpoint, keep string, _ uint64) error {
	checkpoints, err := c.read()
	if err != nil {
		return err
	}
	if keep != "" && !slices.Contains(checkpoints, index+"/"+keep) {
		return errRestored
	}
	p, err := json.Marshal(append(keptCheckpoints(checkpoints, index, keep), index+"/"+checkpoint))
	if err != nil {
		return err
	}
	path := string(c) + ".checkpoints"
	if err := writeSynced(path+tmpSuffix, p); err != nil {
		return err
	}
	return os.Rename(path+tmpSuffix, path)
}

func (c catalogFile) HasCheckpoint(_ context.Context, index, checkpoint string) (bool, error) {
	checkpoints, err := c.read()
	return slices.Contains(checkpoints, index+"/"+checkpoint), err
}
