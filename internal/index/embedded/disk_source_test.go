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

// SameCatalog is a Source that nobody sets back.
type SameCatalog struct {
	ID  string
	Seq uint64
}

func (c SameCatalog) Origin(context.Context) (string, uint64, error) { return c.ID, c.Seq, nil }

func (SameCatalog) SaveCheckpoint(context.Context, string, string, string, uint64) error { return nil }

func (SameCatalog) HasCheckpoint(context.Context, string, string) (bool, error) { return true, nil }

var errSetBack = errors.New("set back")

// markedCatalog is a Source that can be backed up and restored.
type markedCatalog struct {
	mu    sync.Mutex
	seq   uint64
	marks []string // index/mark
	calls int      // of Mark
	// before and after fail a call of Mark without, and with, the mark being there.
	before, after error
	held          bool // Mark waits until its time is over, as for a database that is held
}

func (c *markedCatalog) Origin(context.Context) (string, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "catalog", c.seq, nil
}

func (c *markedCatalog) SaveCheckpoint(ctx context.Context, index, mark, keep string, _ uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.held {
		<-ctx.Done()
		return ctx.Err()
	}
	if c.before != nil {
		return c.before
	}
	if keep != "" && !slices.Contains(c.marks, index+"/"+keep) {
		return errSetBack
	}
	c.marks = append(keptMarks(c.marks, index, keep), index+"/"+mark)
	return c.after
}

func (c *markedCatalog) HasCheckpoint(_ context.Context, index, mark string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.marks, index+"/"+mark), nil
}

// backup is the catalog as it is, to go on from once it is restored.
func (c *markedCatalog) backup() *markedCatalog {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &markedCatalog{seq: c.seq, marks: slices.Clone(c.marks)}
}

func keptMarks(marks []string, index, keep string) []string {
	return slices.DeleteFunc(slices.Clone(marks), func(m string) bool {
		return strings.HasPrefix(m, index+"/") && m != index+"/"+keep
	})
}

// catalogFile is a Source whose marks outlive a killed process, in a file beside the index's directory.
type catalogFile string

func (catalogFile) Origin(context.Context) (string, uint64, error) { return "catalog", 1 << 40, nil }

func (c catalogFile) read() (marks []string, err error) {
	p, err := os.ReadFile(string(c) + ".marks")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(p, &marks)
	}
	return marks, err
}

func (c catalogFile) SaveCheckpoint(_ context.Context, index, mark, keep string, _ uint64) error {
	marks, err := c.read()
	if err != nil {
		return err
	}
	if keep != "" && !slices.Contains(marks, index+"/"+keep) {
		return errSetBack
	}
	p, err := json.Marshal(append(keptMarks(marks, index, keep), index+"/"+mark))
	if err != nil {
		return err
	}
	path := string(c) + ".marks"
	if err := writeSynced(path+tmpSuffix, p); err != nil {
		return err
	}
	return os.Rename(path+tmpSuffix, path)
}

func (c catalogFile) HasCheckpoint(_ context.Context, index, mark string) (bool, error) {
	marks, err := c.read()
	return slices.Contains(marks, index+"/"+mark), err
}
