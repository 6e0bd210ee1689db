// Package match keeps what matching callers' lists gave, for 15 minutes: companies and the caller's key of each, and what the console
// shows of other rows. It matches nothing.
package match

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// TTL is how long a Result can be read.
const TTL = 15 * time.Minute

// Entry is a company of a Result.
type Entry struct {
	Company company.Number `json:"c"`
	Keys    []string       `json:"k,omitempty"` // of the rows that matched it, in their order, as the caller gave them
}

// Result is what a list matched, each company once, in the order of the list.
type Result struct {
	ID        id.MatchResult
	Entries   []Entry
	ExpiresAt time.Time
	Shown     []byte // what Show has kept; nil for nothing
}

// Numbers returns the companies in their order.
func (r Result) Numbers() []company.Number {
	numbers := make([]company.Number, len(r.Entries))
	for i, e := range r.Entries {
		numbers[i] = e.Company
	}
	return numbers
}

// Keys returns the caller's keys by company; nil if no row had a key.
func (r Result) Keys() map[company.Number][]string {
	var keys map[company.Number][]string
	for _, e := range r.Entries {
		if len(e.Keys) == 0 {
			continue
		}
		if keys == nil {
			keys = make(map[company.Number][]string, len(r.Entries))
		}
		keys[e.Company] = e.Keys
	}
	return keys
}

// Put adds a row that matched the company; without a key if it is empty.
func (r *Result) Put(c company.Number, key string) {
	i := slices.IndexFunc(r.Entries, func(e Entry) bool { return e.Company == c })
	if i < 0 {
		i = len(r.Entries)
		r.Entries = append(r.Entries, Entry{Company: c})
	}
	if key != "" && !slices.Contains(r.Entries[i].Keys, key) {
		r.Entries[i].Keys = append(r.Entries[i].Keys, key)
	}
}

// Store keeps the results of all workspaces. Every method treats a result of another workspace as NotFound. Safe for concurrent use.
type Store struct{ db *db.DB }

// New returns a store on d.
func New(d *db.DB) *Store { return &Store{d} }

// Add keeps a result and returns it with its id.
func (s *Store) Add(ctx context.Context, ws id.Workspace, entries []Entry) (Result, error) {
	now := time.Now()
	r := Result{ID: id.New[id.MatchResult](), Entries: entries, ExpiresAt: db.FromTime(db.Time(now.Add(TTL)))}
	companies, err := json.Marshal(entries)
	if err != nil {
		return Result{}, err
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO match_result (id, workspace_id, companies, expires_at) VALUES ($1, $2, $3, $4)`,
			r.ID, ws, companies, db.Time(r.ExpiresAt))
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("keep match %s: %w", r.ID, err)
	}
	return r, nil
}

// Get returns a result. NotFound if there is none, or if it has expired.
func (s *Store) Get(ctx context.Context, ws id.Workspace, result id.MatchResult) (Result, error) {
	return read(ctx, s.db.Read(), ws, result, "")
}

func read(ctx context.Context, q db.Querier, ws id.Workspace, result id.MatchResult, lock string) (Result, error) {
	r := Result{ID: result}
	var companies []byte
	var expires int64
	err := q.QueryRowContext(ctx, `SELECT companies, expires_at, shown FROM match_result
		WHERE id = $1 AND workspace_id = $2 AND expires_at > $3`+lock, result, ws, db.Time(time.Now())).Scan(&companies, &expires, &r.Shown)
	if errors.Is(err, sql.ErrNoRows) {
		return Result{}, fault.New(fault.NotFound,
			"There is no match %s in this workspace. A match is kept for 15 minutes; match the list again.", result)
	}
	if err == nil {
		r.ExpiresAt = db.FromTime(expires)
		err = json.Unmarshal(companies, &r.Entries)
	}
	if err != nil {
		return Result{}, fmt.Errorf("read match %s: %w", result, err)
	}
	return r, nil
}

// Choose adds companies that a person has chosen for ambiguous rows. The result does not expire later.
func (s *Store) Choose(ctx context.Context, ws id.Workspace, result id.MatchResult, chosen []Entry) (r Result, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if r, err = read(ctx, tx, ws, result, tx.ForUpdate()); err != nil {
			return err
		}
		for _, e := range chosen {
			r.Put(e.Company, "")
			for _, key := range e.Keys {
				r.Put(e.Company, key)
			}
		}
		companies, err := json.Marshal(r.Entries)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE match_result SET companies = $2 WHERE id = $1`, result, companies)
		return err
	})
	return r, err
}

// Show keeps what a page shows of the rows of a result, until the result expires.
func (s *Store) Show(ctx context.Context, ws id.Workspace, result id.MatchResult, shown []byte) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE match_result SET shown = $3 WHERE id = $1 AND workspace_id = $2`, result, ws, shown)
		if err != nil {
			return fmt.Errorf("keep what is shown of match %s: %w", result, err)
		}
		return nil
	})
}

// Prune deletes the results that can no longer be read.
func (s *Store) Prune(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM match_result WHERE expires_at <= $1`, db.Time(time.Now())); err != nil {
			return fmt.Errorf("prune matches: %w", err)
		}
		return nil
	})
}
