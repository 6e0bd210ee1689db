// Package db runs transactions and statements on SQLite and PostgreSQL, and says what the two say differently.
// It holds no rule and no statement of any noun; those stand in the package that owns the table.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Querier is what runs a statement: a Tx, or the pool for reads.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Dialect is what must differ between the databases; everything else is one SQL text.
type Dialect interface {
	Name() string // the config word: sqlite or postgres

	// Each is a table expression with one column, value, that holds the elements of the JSON array in the
	// placeholder, such as $1: Strings for text, Numbers for 64-bit integers.
	EachString(placeholder string) string
	EachNumber(placeholder string) string

	// ForUpdate ends a SELECT whose rows stay locked to the end of the transaction; empty where a write
	// transaction is alone anyway.
	ForUpdate() string

	// ForShare ends a SELECT whose rows nobody may lock for update to the end of the transaction, while others may share
	// them; empty as above.
	ForShare() string

	// SkipLocked ends a SELECT that locks its rows and passes over those that others hold; empty as above.
	SkipLocked() string

	// Retryable holds for an error after which the whole transaction can be tried again: busy, deadlock,
	// serialization failure.
	Retryable(err error) bool

	// Duplicate holds for the violation of a primary key or a unique index.
	Duplicate(err error) bool
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	Dialect
	write, read *sql.DB
	reads       Querier // what Read gives: read, or what keeps its statements
	guard       Guard   // nil but in tests
}

// New wraps the pools of an open database, which may be one and the same; the back ends call it.
func New(d Dialect, write, read *sql.DB) *DB {
	return &DB{Dialect: d, write: write, read: read, reads: read}
}

// Tx is a running write transaction. Not safe for concurrent use.
type Tx struct {
	*sql.Tx
	Dialect
	guard     Guard
	committed []func()
}

// OnCommit runs fn right after the commit, in the order of the calls, and never if the transaction is rolled back:
// the way for a cache to move with the database. fn must not block.
func (t *Tx) OnCommit(fn func()) { t.committed = append(t.committed, fn) }

// Step is what a caller adds to the transaction of another, to run last in it, once what it is about is made.
type Step[T any] func(ctx context.Context, tx *Tx, made T) error

// Then runs the steps.
func Then[T any](ctx context.Context, tx *Tx, made T, steps []Step[T]) error {
	for _, step := range steps {
		if err := step(ctx, tx, made); err != nil {
			return err
		}
	}
	return nil
}

const (
	attemptsMax   = 10
	retryDelayMax = 500 * time.Millisecond

	busyPoll = time.Millisecond
	busyMax  = 10 * time.Second
)

// Tx runs fn in a write transaction and commits it, or rolls it back if fn fails.
// After a lost race it runs fn again, so fn may touch nothing but the transaction.
func (d *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	delay := 2 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, fn)
		if err == nil || attempt == attemptsMax || !d.Retryable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(delay/2 + rand.N(delay)):
		}
		delay = min(2*delay, retryDelayMax)
	}
}

func (d *DB) once(ctx context.Context, fn func(*Tx) error) error {
	if err := d.guard.ask(Begin); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	tx, err := d.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it is done already; else the first error counts
	t := &Tx{Tx: tx, Dialect: d.Dialect, guard: d.guard}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	for _, done := range t.committed {
		done()
	}
	return nil
}

// begin waits until the database takes the transaction. SQLite's own waiting looks ever more seldom, at last every 100 ms,
// and so misses the short pauses that a long import in another process makes for others.
func (d *DB) begin(ctx context.Context) (*sql.Tx, error) {
	for patience := time.Now().Add(busyMax); ; {
		tx, err := d.write.BeginTx(ctx, nil)
		if err == nil || !d.Retryable(err) || time.Now().After(patience) {
			return tx, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(busyPoll):
		}
	}
}

func (t *Tx) commit() error {
	if err := t.guard.ask(Commit); err != nil {
		return err
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.guard.ask(Committed)
}

// Read is for statements that only read, outside of any transaction.
func (d *DB) Read() Querier { return d.guard.over(d.reads, Read) }

// ReadTx runs fn on one unchanging state of the database; fn must not write.
func (d *DB) ReadTx(ctx context.Context, fn func(Querier) error) error {
	if err := d.guard.ask(Read); err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return fn(d.guard.over(tx, Read))
}

// Pools are the figures of the pools of connections, by name; a database of one pool has "all".
func (d *DB) Pools() map[string]sql.DBStats {
	if d.write == d.read {
		return map[string]sql.DBStats{"all": d.read.Stats()}
	}
	return map[string]sql.DBStats{"read": d.read.Stats(), "write": d.write.Stats()}
}

// SchemaVersion is the number of the newest migration that the database has seen.
func (d *DB) SchemaVersion(ctx context.Context) (version int64, err error) {
	err = d.Read().QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// Close closes both pools.
func (d *DB) Close() error {
	err := d.read.Close()
	if d.write != d.read {
		err = errors.Join(err, d.write.Close())
	}
	return err
}

// Time is how a time stands in every table: microseconds since 1970, UTC.
func Time(t time.Time) int64 { return t.UnixMicro() }

// FromTime reads what Time wrote.
func FromTime(us int64) time.Time { return time.UnixMicro(us).UTC() }
