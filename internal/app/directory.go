package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/config"
)

// linksKey signs the links to export files; every data directory has one.
const linksKey = "links.key"

// serversDir is where the servers of a data directory register themselves for capi doctor.
func serversDir(data string) string { return filepath.Join(data, "servers") }

// OpenExisting is Open for what only works on data that is there: a directory without any is an error, and stays as it
// is.
func OpenExisting(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	mark := filepath.Join(c.Data, linksKey)
	if c.Postgres() == "" {
		mark = c.SQLiteFile()
	}
	switch _, err := os.Stat(mark); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no capi data in %s; name its directory with --data, or begin with capi workspace create "+
			"or capi import, which make one", c.Data)
	case err != nil:
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	return Open(ctx, c, log)
}

// openFiles opens the files in the data directory, which it makes if need be.
func openFiles(dir string) (*file.Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	key, err := file.LoadKey(filepath.Join(dir, linksKey))
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", dir, err)
	}
	files, err := file.Open(file.Options{Dir: filepath.Join(dir, "files"), Key: key})
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", dir, err)
	}
	return files, nil
}
