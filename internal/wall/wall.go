// Package wall applies the rules on what is shown of companies that a workspace does not own.
// It neither searches nor knows what a workspace owns.
package wall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Options are the settings of the installation; the zero Options show everything.
type Options struct {
	Visible []string // fields shown to workspaces without a list of their own. Defaults to all
}

// Store reads the rules of workspaces. Safe for concurrent use.
type Store struct {
	db      *db.DB
	options Options
}

// New returns a store on d.
func New(d *db.DB, o Options) *Store { return &Store{db: d, options: o} }

// Default returns the fields that the installation shows; none stand for all.
func (s *Store) Default() []string { return s.options.Visible }

// Locked returns the fields that the caller sees of a company only if the workspace owns it. It reads the database only if the
// caller's Wall was not read before.
func (s *Store) Locked(ctx context.Context, c auth.Caller) (company.FieldSet, error) {
	rules := c.Wall
	if rules == nil {
		var err error
		if rules, err = read(ctx, s.db.Read(), c); err != nil {
			return 0, err
		}
	}
	return s.LockedBy(rules.Visible), nil
}

// LockedBy returns the fields that a workspace's list of visible fields locks.
func (s *Store) LockedBy(visible []string) company.FieldSet {
	if len(visible) == 0 {
		visible = s.options.Visible
	}
	return company.LockedBy(visible)
}

// LockedIn is Locked for every caller of a workspace, in a transaction.
func (s *Store) LockedIn(ctx context.Context, tx *db.Tx, ws id.Workspace) (company.FieldSet, error) {
	rules, err := read(ctx, tx, auth.Caller{Workspace: ws})
	if err != nil {
		return 0, err
	}
	return s.LockedBy(rules.Visible), nil
}

func read(ctx context.Context, q db.Querier, c auth.Caller) (*auth.Wall, error) {
	var visible string
	rules := &auth.Wall{}
	err := q.QueryRowContext(ctx, `SELECT w.visible_fields, w.daily_companies, COALESCE(t.daily_companies, 0)
		FROM workspace w LEFT JOIN token t ON t.id = $2 WHERE w.id = $1`, c.Workspace, c.Token).
		Scan(&visible, &rules.WorkspaceDaily, &rules.TokenDaily)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read wall of workspace %s: %w", c.Workspace, err)
	}
	if visible != "" {
		rules.Visible = strings.Split(visible, ",")
	}
	return rules, nil
}
