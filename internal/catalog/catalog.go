// Package catalog stores all companies. It matches incoming records to known companies, keeps past records for exports,
// and returns companies by number. It does not search, and knows neither files nor exports.
package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Store is the catalog in a database. Safe for concurrent use, also by several processes.
type Store struct {
	db      *db.DB
	changed changedCache
	recent  recent
}

// New returns a store on a database whose schema is up to date.
func New(d *db.DB) *Store { return &Store{db: d} }

// Blocks reports whether all other writes wait while a batch is written. On PostgreSQL, only those of the catalog do.
func (s *Store) Blocks() bool { return s.db.Name() == "sqlite" }

// Seq returns the number of the newest transaction that changed the catalog; 0 for an empty catalog.
func (s *Store) Seq(ctx context.Context) (uint64, error) {
	seq, _, err := state(ctx, s.db.Read(), "")
	return seq, err
}

// Origin returns a name that no other catalog has, and Seq.
func (s *Store) Origin(ctx context.Context) (origin string, seq uint64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT origin, seq FROM catalog_state WHERE id = 1`).Scan(&origin, &seq)
	if err != nil {
		return "", 0, fmt.Errorf("read catalog state: %w", err)
	}
	return origin, seq, nil
}

// Len returns the number of companies.
func (s *Store) Len(ctx context.Context) (int, error) {
	extent, err := s.Extent(ctx)
	return extent.Companies, err
}

func state(ctx context.Context, q db.Querier, lock string) (seq, next uint64, err error) {
	err = q.QueryRowContext(ctx, `SELECT seq, next_number FROM catalog_state WHERE id = 1`+lock).Scan(&seq, &next)
	if err != nil {
		return 0, 0, fmt.Errorf("read catalog state: %w", err)
	}
	return seq, next, nil
}

// edit is a running change of the catalog. It keeps catalog_state locked, so edits run one after another and commit in the
// order of seq.
type edit struct {
	tx    *db.Tx
	seq   uint64 // of every row that this edit writes
	first uint64 // the number of the first new company
	next  uint64 // the number of the next new company
	dirty bool
	later bool // whether a Loader stores the keys of the new companies later
}

// write runs fn in an edit. seq advances only if fn made the edit dirty.
func (s *Store) write(ctx context.Context, fn func(*edit) error) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		seq, next, err := state(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		e := &edit{tx: tx, seq: seq + 1, first: next, next: next}
		if err := fn(e); err != nil || !e.dirty {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE catalog_state SET seq = $1, next_number = $2 WHERE id = 1`, e.seq, e.next)
		if err != nil {
			return fmt.Errorf("update catalog state: %w", err)
		}
		const moment = `INSERT INTO catalog_moment (seq, at, number) VALUES ($1, $2, $3)`
		if _, err := tx.ExecContext(ctx, moment, e.seq, db.Time(time.Now()), next); err != nil {
			return fmt.Errorf("write moment of the catalog: %w", err)
		}
		return nil
	})
}
