package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/opencapi/capi/internal/db"
)

// Snapshot writes the database at path, as it is at one moment, to a new file. Other processes may use the database at the same time.
func Snapshot(ctx context.Context, path, to string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if to, err = filepath.Abs(to); err != nil {
		return err
	}
	if err := restrictAccess(to); err != nil { // before anything is written to it
		return err
	}
	pool, err := sql.Open("sqlite", dsn(path, "deferred", busyTimeout, readCacheKiB)+"&_pragma=query_only(1)")
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Raw(func(driver any) error {
		b, err := driver.(interface { //nolint:forcetypeassert // the driver is ours to choose
			NewBackup(uri string) (*sqlite.Backup, error)
		}).NewBackup(fileURI(to))
		if err != nil {
			return err
		}
		// All pages in one step: between two steps, a write by another process would start the copy over.
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return err
	}
	return syncFile(to)
}

// Check reads the whole database file, without its log, and returns an error if it is damaged.
func Check(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	pool, err := sql.Open("sqlite", fileURI(path)+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer pool.Close()
	var problem string
	if err := pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&problem); err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, err)
	}
	if problem != "ok" {
		return fmt.Errorf("%s is damaged: %s", path, problem)
	}
	return nil
}

// HasLog reports whether the log of the database file has changes that the file lacks. Then a process uses the file, or was killed
// while it did.
func HasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// QuickCheck reads an open database and returns an error if it is damaged. It does not compare indexes with their tables, which takes
// much longer.
func QuickCheck(ctx context.Context, d *db.DB) error {
	var problem string
	if err := d.Read().QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&problem); err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	if problem != "ok" {
		return fmt.Errorf("the database is damaged: %s", problem)
	}
	return nil
}

func fileURI(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return u.String()
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
