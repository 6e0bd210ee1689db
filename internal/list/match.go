package list

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Match is what matching domains for a list gave.
type Match struct {
	ID        id.Match  `json:"-"`
	List      id.List   `json:"-"`
	CreatedAt time.Time `json:"-"`

	File      string   `json:"file,omitempty"` // the name of the file; empty if the domains were typed
	Given     int      `json:"given"`          // different domains
	Matched   int      `json:"matched"`        // of them
	Added     int      `json:"added"`          // companies that were not on the list before
	Unmatched []Miss   `json:"unmatched,omitempty"`
	Doubles   []Double `json:"doubles,omitempty"`
	Notices   []string `json:"notices,omitempty"` // how the file was read, each a predicate of the file
}

// Miss is what matched no company: a domain, or a line without one.
type Miss struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Double is a domain that several companies have.
type Double struct {
	Domain string           `json:"domain"`
	Best   company.Number   `json:"best"` // the company that the domain most likely means
	Others []company.Number `json:"others"`
}

// matchKept is how long a Match can be read.
const matchKept = 7 * 24 * time.Hour

// AddMatch puts companies on the list, and keeps the match with the number of those that were not on it before.
func (s *Store) AddMatch(ctx context.Context, ws id.Workspace, list id.List, companies company.Set, m Match) (Match, error) {
	now := time.Now()
	m.ID, m.List, m.CreatedAt = id.New[id.Match](), list, db.FromTime(db.Time(now))
	_, _, err := s.Add(ctx, ws, list, companies, func(ctx context.Context, tx *db.Tx, c Change) error {
		m.Added = c.By
		result, err := json.Marshal(m)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO list_match (id, workspace_id, list_id, result, created_at) VALUES ($1, $2, $3, $4, $5)`,
			m.ID, ws, list, result, db.Time(now))
		if err != nil {
			return fmt.Errorf("keep match for list %s: %w", list, err)
		}
		return nil
	})
	return m, err
}

// Match returns a match of the list. NotFound if there is none, or if it was more than a week ago.
func (s *Store) Match(ctx context.Context, ws id.Workspace, list id.List, match id.Match) (Match, error) {
	m := Match{ID: match, List: list}
	var result []byte
	var created int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT result, created_at FROM list_match
		WHERE id = $1 AND workspace_id = $2 AND list_id = $3 AND created_at > $4`, match, ws, list, db.Time(time.Now().Add(-matchKept))).
		Scan(&result, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return Match{}, fault.New(fault.NotFound, "The result of matching is kept for a week. Match the domains again.")
	}
	if err == nil {
		m.CreatedAt = db.FromTime(created)
		err = json.Unmarshal(result, &m)
	}
	if err != nil {
		return Match{}, fmt.Errorf("read match %s: %w", match, err)
	}
	return m, nil
}

// Prune deletes the matches that can no longer be read, and the deleted lists that can no longer be restored.
func (s *Store) Prune(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM list_match WHERE created_at <= $1`, db.Time(time.Now().Add(-matchKept)))
		if err != nil {
			return fmt.Errorf("prune matches of lists: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM list_deleted WHERE deleted_at <= $1`, db.Time(time.Now().Add(-deletedKept)))
		if err != nil {
			return fmt.Errorf("prune deleted lists: %w", err)
		}
		return nil
	})
}
