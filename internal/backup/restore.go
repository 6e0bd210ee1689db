package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Target is where Restore puts a backup. Nothing may use the directory.
type Target struct {
	Dir    string
	Layout Layout
	// Check returns an error if the database file is damaged. It is nil if Layout.Database is empty.
	Check func(ctx context.Context, path string) error
}

// Restored is the result of Restore.
type Restored struct {
	Manifest Manifest
	Replaced string // the directory with the data that was there before; empty if there was none
}

// stateName is a file that exists in a data directory while it is being restored.
const stateName = "restore.json"

// state is how far a restore has come, so that it can be repeated after an interruption without losing the earlier data.
type state struct {
	Replaced string `json:"replaced"` // the directory for the earlier data, relative to the data directory
	Moved    bool   `json:"moved"`    // whether all earlier data is there
}

// Unfinished returns an error if a restore into the data directory was interrupted.
func Unfinished(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, stateName)); err != nil {
		return nil //nolint:nilerr // there is none; or the directory cannot be read, which its opening explains
	}
	return fmt.Errorf("a restore into %s was interrupted, so its data is incomplete; run capi restore again", dir)
}

// Restore verifies the backup, moves the earlier data of the target aside, the database's log included, and copies the backup
// in. The earlier index is deleted; the server builds a new one.
func Restore(ctx context.Context, from string, t Target) (Restored, error) {
	m, err := ReadManifest(from)
	if err != nil {
		return Restored{}, err
	}
	if err := verify(ctx, from, m, t); err != nil {
		return Restored{}, fmt.Errorf("backup %s: %w", from, err)
	}
	if err := os.MkdirAll(t.Dir, 0o700); err != nil {
		return Restored{}, fmt.Errorf("create data directory: %w", err)
	}
	moved, err := t.moveAside()
	if err != nil {
		return Restored{}, fmt.Errorf("move the earlier data aside: %w", err)
	}
	if err := t.copyIn(ctx, from); err != nil {
		return Restored{}, fmt.Errorf("copy the backup: %w", err)
	}
	if err := os.Remove(filepath.Join(t.Dir, stateName)); err != nil {
		return Restored{}, err
	}
	done := Restored{Manifest: m}
	// It is empty, and stays, if there was no earlier data.
	if replaced := filepath.Join(t.Dir, moved.Replaced); os.Remove(replaced) != nil {
		done.Replaced = replaced
	}
	return done, nil
}

func verify(ctx context.Context, from string, m Manifest, t Target) error {
	switch hasDatabase := m.DatabaseSHA256 != ""; {
	case hasDatabase && t.Layout.Database == "":
		return errors.New("it contains an SQLite database, but --db names another one; restore it without --db")
	case !hasDatabase && t.Layout.Database != "":
		return errors.New("it contains no database: it was made beside PostgreSQL; name that database with --db, and restore its dump with pg_restore")
	case hasDatabase:
		path := filepath.Join(from, t.Layout.Database)
		hash, err := hashOf(path)
		if err != nil {
			return err
		}
		if hash != m.DatabaseSHA256 {
			return fmt.Errorf("%s is not as capi backup wrote it: it was changed or damaged", t.Layout.Database)
		}
		if err := t.Check(ctx, path); err != nil {
			return err
		}
	}
	var files int
	var size int64
	err := filepath.WalkDir(filepath.Join(from, t.Layout.Files), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files++
		size += info.Size()
		return nil
	})
	if err == nil && (files != m.Files || size != m.FileBytes) {
		err = fmt.Errorf("it has %d export files of %d bytes, but capi backup wrote %d of %d bytes", files, size, m.Files, m.FileBytes)
	}
	return err
}

// parts returns the names of everything that a restore replaces. The log of the earlier database is among them: SQLite would
// apply it to the restored one.
func (t Target) parts() []string {
	parts := []string{t.Layout.Files}
	if t.Layout.Key != "" {
		parts = append(parts, t.Layout.Key)
	}
	if db := t.Layout.Database; db != "" {
		parts = append(parts, db, db+"-wal", db+"-shm", db+"-journal")
	}
	return parts
}

// moveAside moves the earlier data to a directory of its own, or continues where an interrupted restore stopped.
func (t Target) moveAside() (state, error) {
	path := filepath.Join(t.Dir, stateName)
	s := state{Replaced: "replaced-" + time.Now().UTC().Format("20060102T150405Z")}
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(content, &s); err != nil {
			return state{}, fmt.Errorf("read %s: %w", path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return state{}, err
	default:
		if err := writeJSON(path, s); err != nil {
			return state{}, err
		}
	}
	if s.Moved {
		return s, nil
	}
	if err := os.MkdirAll(filepath.Join(t.Dir, s.Replaced), 0o700); err != nil {
		return state{}, err
	}
	for _, part := range t.parts() {
		err := os.Rename(filepath.Join(t.Dir, part), filepath.Join(t.Dir, s.Replaced, part))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return state{}, err
		}
	}
	s.Moved = true
	return s, writeJSON(path, s)
}

// copyIn copies the backup in place of what is left of an interrupted copy.
func (t Target) copyIn(ctx context.Context, from string) error {
	for _, part := range append(t.parts(), t.Layout.Index) {
		if err := os.RemoveAll(filepath.Join(t.Dir, part)); err != nil {
			return err
		}
	}
	if _, _, err := copyTree(ctx, filepath.Join(from, t.Layout.Files), filepath.Join(t.Dir, t.Layout.Files), ""); err != nil {
		return err
	}
	for _, file := range []string{t.Layout.Key, t.Layout.Database} {
		if file == "" {
			continue
		}
		if _, err := copyFile(filepath.Join(from, file), filepath.Join(t.Dir, file)); err != nil {
			return err
		}
	}
	return nil
}
