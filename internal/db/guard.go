package db

import (
	"context"
	"database/sql"
)

// Guard is called before each step that a handle takes on its database. If it returns an error, the step is not taken and
// fails with that error; at Committed, the commit was done but its confirmation is replaced by the error. Tests use it to
// simulate a crash between any two steps.
type Guard func(GuardPoint) error

// GuardPoint is where a Guard is called.
type GuardPoint int

// The points. Those of a write transaction come in this order, Statement any number of times.
const (
	Begin GuardPoint = iota
	Statement
	Commit
	Committed
	Read // a statement, or a transaction, that only reads
)

// Guarded returns another handle on the same open database, whose steps call the guard.
func (d *DB) Guarded(g Guard) *DB {
	return &DB{Dialect: d.Dialect, write: d.write, read: d.read, reads: d.reads, guard: g}
}

func (g Guard) ask(p GuardPoint) error {
	if g == nil {
		return nil
	}
	return g(p)
}

func (g Guard) over(q Querier, p GuardPoint) Querier {
	if g == nil {
		return q
	}
	return guarded{q, g, p}
}

// guarded is a Querier that calls the guard before each statement.
type guarded struct {
	querier Querier
	guard   Guard
	point   GuardPoint
}

func (q guarded) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := q.guard(q.point); err != nil {
		return nil, err
	}
	return q.querier.ExecContext(ctx, query, args...)
}

func (q guarded) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := q.guard(q.point); err != nil {
		return nil, err
	}
	return q.querier.QueryContext(ctx, query, args...)
}

func (q guarded) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := q.guard(q.point); err != nil {
		// A sql.Row with an error of our own cannot be made, so this one fails with a cancelled context.
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return q.querier.QueryRowContext(ended, query, args...)
	}
	return q.querier.QueryRowContext(ctx, query, args...)
}

// ExecContext runs a statement.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.guard.over(t.Tx, Statement).ExecContext(ctx, query, args...)
}

// QueryContext runs a statement that returns rows.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.guard.over(t.Tx, Statement).QueryContext(ctx, query, args...)
}

// QueryRowContext runs a statement that returns at most one row.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.guard.over(t.Tx, Statement).QueryRowContext(ctx, query, args...)
}

// PrepareContext prepares a statement. The guard is not called when that runs.
func (t *Tx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := t.guard.ask(Statement); err != nil {
		return nil, err
	}
	return t.Tx.PrepareContext(ctx, query)
}

// Raw calls fn with the driver's connection that the transaction runs on, for what database/sql cannot express.
func (t *Tx) Raw(fn func(driverConn any) error) error {
	if err := t.guard.ask(Statement); err != nil {
		return err
	}
	return t.conn.Raw(fn)
}
