package db

import (
	"context"
	"database/sql"
)

// Guard is asked before every step that a handle takes on its database, and its error takes the place of the step; at
// Committed, of the word that the commit was done. Tests end a process with it, between any two steps.
type Guard func(Moment) error

// Moment is where a Guard is asked.
type Moment int

// The moments. Those of a write transaction come in this order, Statement any number of times.
const (
	Begin Moment = iota
	Statement
	Commit
	Committed
	Read // a statement, or a transaction, that only reads
)

// Guarded is another handle on the same open database, whose every step the guard sees.
func (d *DB) Guarded(g Guard) *DB {
	return &DB{Dialect: d.Dialect, write: d.write, read: d.read, reads: d.reads, guard: g}
}

func (g Guard) ask(m Moment) error {
	if g == nil {
		return nil
	}
	return g(m)
}

func (g Guard) over(q Querier, m Moment) Querier {
	if g == nil {
		return q
	}
	return guarded{q, g, m}
}

// guarded is a Querier whose statements the guard sees.
type guarded struct {
	querier Querier
	guard   Guard
	moment  Moment
}

func (q guarded) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := q.guard(q.moment); err != nil {
		return nil, err
	}
	return q.querier.ExecContext(ctx, query, args...)
}

func (q guarded) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := q.guard(q.moment); err != nil {
		return nil, err
	}
	return q.querier.QueryContext(ctx, query, args...)
}

func (q guarded) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := q.guard(q.moment); err != nil {
		// A Row with an error of ours cannot be made; that of an ended context is one as well.
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

// QueryContext runs a statement that gives rows.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.guard.over(t.Tx, Statement).QueryContext(ctx, query, args...)
}

// QueryRowContext runs a statement that gives one row at most.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.guard.over(t.Tx, Statement).QueryRowContext(ctx, query, args...)
}

// PrepareContext prepares a statement, which runs unseen by a guard.
func (t *Tx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := t.guard.ask(Statement); err != nil {
		return nil, err
	}
	return t.Tx.PrepareContext(ctx, query)
}
