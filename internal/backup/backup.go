// Package backup copies a data directory while a server uses it, and puts such a copy back. It does not copy the index, which is
// derived from the database, nor a database outside the directory.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Layout names what a data directory consists of, relative to it.
type Layout struct {
	Database string // the SQLite file; empty if the database is outside the directory
	Files    string // the directory of the export files
	Skip     string // a directory within Files that is not copied
	Key      string // the file with the key that signs links; empty if it is outside the directory
	Index    string // the directory of the index
}

// Manifest describes a backup. It is written last, so a backup without one is incomplete.
type Manifest struct {
	CreatedAt      time.Time `json:"created_at"`
	Version        string    `json:"version"`                   // of the program that made it
	DatabaseSHA256 string    `json:"database_sha256,omitempty"` // empty if the database is not part of the backup
	Files          int       `json:"files"`                     // number of files below Layout.Files
	FileBytes      int64     `json:"file_bytes"`
}

const manifestName = "backup.json"

// Source is what Create copies.
type Source struct {
	Dir     string
	Layout  Layout
	Version string
	// Snapshot writes the database as it is at one moment to a new file. It is nil if Layout.Database is empty.
	Snapshot func(ctx context.Context, to string) error
}

// Create copies the source to a directory, which must be empty or not exist. The database comes first: a file that is newer than
// the database does no harm, but the database must not know a file that the backup lacks.
func Create(ctx context.Context, s Source, to string) (Manifest, error) {
	if err := makeEmpty(s.Dir, to); err != nil {
		return Manifest{}, err
	}
	m := Manifest{CreatedAt: time.Now().UTC().Truncate(time.Second), Version: s.Version}
	if s.Layout.Database != "" {
		path := filepath.Join(to, s.Layout.Database)
		if err := s.Snapshot(ctx, path); err != nil {
			return Manifest{}, fmt.Errorf("copy database: %w", err)
		}
		var err error
		if m.DatabaseSHA256, err = hashOf(path); err != nil {
			return Manifest{}, fmt.Errorf("copy database: %w", err)
		}
	}
	var err error
	if m.Files, m.FileBytes, err = copyTree(ctx, filepath.Join(s.Dir, s.Layout.Files), filepath.Join(to, s.Layout.Files), s.Layout.Skip); err != nil {
		return Manifest{}, fmt.Errorf("copy export files: %w", err)
	}
	if s.Layout.Key != "" {
		if _, err := copyFile(filepath.Join(s.Dir, s.Layout.Key), filepath.Join(to, s.Layout.Key)); err != nil {
			return Manifest{}, fmt.Errorf("copy signing key: %w", err)
		}
	}
	return m, writeJSON(filepath.Join(to, manifestName), m)
}

// makeEmpty creates the directory of a backup. It refuses one that holds anything, or that is part of the data directory.
func makeEmpty(data, to string) error {
	inside, err := within(data, to)
	if err != nil {
		return err
	}
	if inside {
		return fmt.Errorf("%s is inside the data directory %s; a backup belongs somewhere else, best on another disk", to, data)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("create backup directory: %w", err)
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		return fmt.Errorf("read backup directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() != "lost+found" { // of an empty disk
			return fmt.Errorf("%s is not empty: it contains %s; choose a new directory for each backup", to, e.Name())
		}
	}
	return nil
}

func within(dir, path string) (bool, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return false, err
	}
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return false, nil //nolint:nilerr // on different volumes
	}
	return relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator)), nil
}

// ReadManifest returns the manifest of the backup in a directory.
func ReadManifest(dir string) (Manifest, error) {
	content, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("%s is not a complete backup: it has no %s, which capi backup writes last", dir, manifestName)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read backup: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return Manifest{}, fmt.Errorf("read %s: %w", filepath.Join(dir, manifestName), err)
	}
	return m, nil
}

// copyTree copies a directory with everything below it but one directory. A file that is deleted during the copy is left out.
func copyTree(ctx context.Context, from, to, skip string) (files int, size int64, err error) {
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir() && skip != "" && relative == skip:
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		}
		n, err := copyFile(path, target)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		size += n
		return err
	})
	return files, size, err
}

// copyFile copies one file and syncs it. It returns the size.
func copyFile(from, to string) (size int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if size, err = io.Copy(out, in); err != nil {
		return size, err
	}
	return size, out.Sync()
}

func hashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeJSON replaces a file by a rename, so that it is complete or absent.
func writeJSON(path string, v any) error {
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".tmp", append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
