// Package db runs transactions and statements on SQLite and PostgreSQL, and hides the differences between the two.
// It has no rules and no statements of its own; those are in the package that owns the table.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/tracing"
)

// Querier runs statements: a Tx, or the pool for reads.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Dialect is the SQL that must differ between the databases; everything else is the same text.
type Dialect interface {
	Name() string // as in the configuration: sqlite or postgres

	// EachString is a table expression with one column, value: the elements of the JSON array of strings that is
	// passed as the placeholder, such as $1.
	EachString(placeholder string) string

	// EachNumber is EachString for an array of 64-bit integers.
	EachNumber(placeholder string) string

	// InNumbers is the condition on the expression before it that it is one of the integers of the JSON array that is passed
	// as the placeholder. Unlike IN with EachNumber, it never reads the whole table.
	InNumbers(placeholder string) string

	// InSelect is InNumbers for the integers that a statement selects.
	InSelect(statement string) string

	// ForUpdate ends a SELECT that locks its rows to the end of the transaction. It is empty if there is only one
	// write transaction at a time anyway.
	ForUpdate() string

	// ForShare ends a SELECT that locks its rows to the end of the transaction against ForUpdate, but not against other
	// ForShare locks. It may be empty too.
	ForShare() string

	// SkipLocked ends a SELECT that locks its rows and skips those that are already locked. It may be empty too.
	SkipLocked() string

	// Clock is an expression for the database's time in microseconds since 1970, which all servers of the database share. It is
	// empty if the database runs in this process.
	Clock() string

	// InsertRows inserts n rows, of which row returns the values: integers, sql.NullInt64, texts or bytes, of the same types in
	// each row. head is the statement up to the columns, and tail what follows the values.
	InsertRows(ctx context.Context, tx *Tx, head, tail string, n int, row func(i int) []any) error

	// CopyRows is InsertRows for rows that certainly do not exist yet, in the fastest way that the database has.
	CopyRows(ctx context.Context, tx *Tx, table string, columns []string, n int, row func(i int) []any) error

	// Retryable reports whether the whole transaction can be tried again after the error: busy, deadlock,
	// serialization failure.
	Retryable(err error) bool

	// Unavailable returns why the database cannot serve anybody at the moment, if the error says so: it cannot be reached, has no
	// connection or no disk space left. It is empty for any other error.
	Unavailable(err error) (reason string)

	// Duplicate reports whether the error is the violation of a primary key or a unique index.
	Duplicate(err error) bool
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	Dialect
	write, read *sql.DB
	reads       Querier // read, or a wrapper that keeps its prepared statements
	guard       Guard   // nil except in tests
}

// New wraps the pools of an open database, which may be the same pool. The back ends call it.
func New(d Dialect, write, read *sql.DB) *DB {
	return &DB{Dialect: d, write: write, read: read, reads: read}
}

// Tx is a running write transaction. Not safe for concurrent use.
type Tx struct {
	*sql.Tx
	Dialect
	conn      *sql.Conn
	guard     Guard
	committed []func()
}

// OnCommit runs fn right after the commit, in the order of the calls, and not at all if the transaction is rolled back.
// Caches use it to follow the database. fn must not block.
func (t *Tx) OnCommit(fn func()) { t.committed = append(t.committed, fn) }

// Step is what a caller adds to the end of another package's transaction; made is the result of that transaction.
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

// Now returns the time of the database's clock.
func (t *Tx) Now(ctx context.Context) (time.Time, error) { return now(ctx, t, t.Dialect) }

// Now returns the time of the database's clock.
func (d *DB) Now(ctx context.Context) (time.Time, error) { return now(ctx, d.Read(), d.Dialect) }

func now(ctx context.Context, q Querier, d Dialect) (time.Time, error) {
	clock := d.Clock()
	if clock == "" {
		return time.Now(), nil
	}
	var us int64
	if err := q.QueryRowContext(ctx, "SELECT "+clock).Scan(&us); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return FromTime(us), nil
}

const (
	attemptsMax   = 10
	retryDelayMax = 500 * time.Millisecond

	lockPoll    = time.Millisecond
	lockTimeMax = 10 * time.Second
)

// Tx runs fn in a write transaction and commits it, or rolls it back if fn returns an error.
// After a lost race it runs fn again, so fn must have no effect outside the transaction.
func (d *DB) Tx(ctx context.Context, fn func(*Tx) error) (err error) {
	ctx, span := tracing.Within(ctx, "transaction", attribute.String("db.system.name", d.Name()))
	defer func() { tracing.End(span, err) }()
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
	conn, tx, err := d.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer conn.Close()  // it goes back to the pool
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit; else the first error counts
	t := &Tx{Tx: tx, Dialect: d.Dialect, conn: conn, guard: d.guard}
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

// begin waits until the database accepts the transaction. SQLite's own busy handler polls less and less often, in the end
// every 100 ms, and so misses the short pauses that a long import in another process makes for others.
func (d *DB) begin(ctx context.Context) (*sql.Conn, *sql.Tx, error) {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	for deadline := time.Now().Add(lockTimeMax); ; {
		tx, err := conn.BeginTx(ctx, nil)
		if err == nil {
			return conn, tx, nil
		}
		if !d.Retryable(err) || time.Now().After(deadline) {
			return nil, nil, errors.Join(err, conn.Close())
		}
		select {
		case <-ctx.Done():
			return nil, nil, errors.Join(ctx.Err(), err, conn.Close())
		case <-time.After(lockPoll):
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

// Read returns a Querier for statements that only read, outside of any transaction.
func (d *DB) Read() Querier { return d.guard.over(d.reads, Read) }

// ReadTx runs fn on a consistent snapshot of the database; fn must not write.
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

// Pools returns the statistics of the connection pools by name: "read" and "write", or "all" if there is one pool.
func (d *DB) Pools() map[string]sql.DBStats {
	if d.write == d.read {
		return map[string]sql.DBStats{"all": d.read.Stats()}
	}
	return map[string]sql.DBStats{"read": d.read.Stats(), "write": d.write.Stats()}
}

// SchemaVersion returns the number of the newest migration that was applied.
func (d *DB) SchemaVersion(ctx context.Context) (version int64, err error) {
	err = d.Read().QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// retryAfterSeconds is the number of seconds after which a client should try again. A restart of PostgreSQL takes about as long.
const retryAfterSeconds = 10

// Explain returns SERVICE_UNAVAILABLE if the error means that the database cannot serve anybody at the moment; else nil. The
// connection may have been lost during a commit, so the message promises nothing about the outcome.
func (d *DB) Explain(err error) *fault.Error {
	reason := d.Unavailable(err)
	if reason == "" {
		return nil
	}
	return fault.New(fault.ServiceUnavailable, "%s. Try again in %d s. Repeat a purchase with the same Idempotency-Key, so that it "+
		"cannot happen twice.", reason, retryAfterSeconds).With("retry_after", retryAfterSeconds).Because(err)
}

// Close closes both pools.
func (d *DB) Close() error {
	err := d.read.Close()
	if d.write != d.read {
		err = errors.Join(err, d.write.Close())
	}
	return err
}

// Time returns a time as it is stored in every table: microseconds since 1970, UTC.
func Time(t time.Time) int64 { return t.UnixMicro() }

// FromTime is the inverse of Time.
func FromTime(us int64) time.Time { return time.UnixMicro(us).UTC() }

// NullTime converts a time as Time does; nil is NULL.
func NullTime(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: Time(*t), Valid: true}
}

// FromNullTime is the inverse of NullTime.
func FromNullTime(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	return new(FromTime(us.Int64))
}
