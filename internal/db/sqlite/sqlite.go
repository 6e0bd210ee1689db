// Package sqlite opens an SQLite database file and implements its dialect.
// It has no statements on tables.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/migrations"
)

// ErrNotDatabase is the error for a file that is not an SQLite database, or that is damaged at its beginning.
var ErrNotDatabase = errors.New("is not an SQLite database")

const (
	readersMax  = 4
	busyTimeout = 10 * time.Second
)

// Page caches of each connection; the index pages of an import need the larger one.
const (
	writeCacheKiB = 64 << 10
	readCacheKiB  = 16 << 10
)

// Open opens or creates the file and brings its schema up to date. Several processes may have it open.
func Open(ctx context.Context, path string) (*db.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := restrictAccess(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := migrateFile(ctx, path); err != nil {
		if c, ok := code(err); ok && c&0xff == sqlite3.SQLITE_NOTADB {
			return nil, fmt.Errorf("%s %w", path, ErrNotDatabase)
		}
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	// No waiting in SQLite itself: db.DB waits for the lock and polls more often.
	write, err := sql.Open("sqlite", dsn(path, "immediate", 0, writeCacheKiB))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	// One writer: SQLite allows only one anyway, and the pool serves waiting goroutines in order.
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, "deferred", busyTimeout, readCacheKiB)+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(readersMax)
	read.SetMaxIdleConns(readersMax)
	return db.New(Dialect{}, write, read).Prepared(), nil
}

// restrictAccess lets only the owner read the database, which holds password hashes and email addresses. SQLite would create
// the file with the permissions that the process gives to every file; its log and index files take over those of the database.
func restrictAccess(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(path+suffix, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) { // only its owner can change it
			return err
		}
	}
	return nil
}

func dsn(path, txlock string, busy time.Duration, cacheKiB int) string {
	return fileURI(path) + "?_txlock=" + txlock +
		fmt.Sprintf("&_pragma=busy_timeout(%d)", busy.Milliseconds()) +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)" +
		// A checkpoint every 32 MB instead of every 4: an import takes a third less time.
		"&_pragma=wal_autocheckpoint(8000)" +
		fmt.Sprintf("&_pragma=cache_size(-%d)", cacheKiB)
}

// migrateFile brings the schema up to date on a connection that waits for other processes.
func migrateFile(ctx context.Context, path string) error {
	pool, err := sql.Open("sqlite", dsn(path, "immediate", busyTimeout, readCacheKiB))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, pool), pool.Close())
}

func migrate(ctx context.Context, pool *sql.DB) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, pool, migrations.For(Dialect{}.Name()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// No lock keeps other processes from migrating the same file. The later one finds its step already taken, fails and
	// tries again. Five attempts without progress mean that the migration itself fails.
	for last, stuck := int64(-1), 0; ; stuck++ {
		_, err := p.Up(ctx)
		if err == nil {
			break
		}
		if version, vErr := p.GetDBVersion(ctx); vErr == nil && version > last {
			last, stuck = version, 0
		}
		if stuck == 5 {
			return fmt.Errorf("migrate: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrate: %w", ctx.Err())
		case <-time.After(10*time.Millisecond + rand.N(40*time.Millisecond)):
		}
	}
	return migrations.CheckVersion(ctx, p, Dialect{}.Name())
}

// Dialect is the dialect of SQLite.
type Dialect struct{}

// Name is the name in the configuration.
func (Dialect) Name() string { return "sqlite" }

// EachString lists the texts of a JSON array.
func (Dialect) EachString(placeholder string) string { return "json_each(" + placeholder + ")" }

// EachNumber lists the integers of a JSON array.
func (Dialect) EachNumber(placeholder string) string { return "json_each(" + placeholder + ")" }

// InNumbers asks the integers of a JSON array.
func (Dialect) InNumbers(placeholder string) string {
	return "IN (SELECT value FROM json_each(" + placeholder + "))"
}

// InSelect asks the statement.
func (Dialect) InSelect(statement string) string { return "IN (" + statement + ")" }

// ForUpdate is empty: there is only one immediate transaction at a time.
func (Dialect) ForUpdate() string { return "" }

// ForShare is empty: there is only one immediate transaction at a time.
func (Dialect) ForShare() string { return "" }

// SkipLocked is empty: there is only one immediate transaction at a time.
func (Dialect) SkipLocked() string { return "" }

// Clock is empty: the database runs in this process.
func (Dialect) Clock() string { return "" }

// Retryable reports whether the error means that another process has the write lock.
func (Dialect) Retryable(err error) bool {
	code, ok := code(err)
	return ok && (code&0xff == sqlite3.SQLITE_BUSY || code&0xff == sqlite3.SQLITE_LOCKED)
}

// Unavailable recognises a full disk and one that cannot be written.
func (Dialect) Unavailable(err error) string {
	code, _ := code(err)
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return "The disk of the database is full"
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return "The database file cannot be read or written"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "The database is busy with other writes"
	}
	return ""
}

// Duplicate reports whether the error is the violation of a primary key or a unique index.
func (Dialect) Duplicate(err error) bool {
	code, ok := code(err)
	return ok && (code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func code(err error) (int, bool) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}
