// Package workspace keeps the workspaces and who belongs to them.
// It does not know what a workspace owns: credits, unlocks, lists and exports have packages of their own.
package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const nameLengthMax = 200

// Workspace is the unit that buys and owns: each token, credit and export belongs to one.
type Workspace struct {
	ID        id.Workspace
	Name      string
	CreatedAt time.Time

	ExportColumns  []string // of an export that names none; empty for all columns
	VisibleFields  []string // of companies that it does not own; empty for those of the installation
	DailyCompanies int64    // the most that it is shown in a day without owning them; 0 for no limit
	Searched       bool     // someone has searched in it
	Welcomed       bool     // its first steps were finished or closed

	// UnbudgetedTokens is who may create tokens that can export but have no budget; see token.Unbudgeted.
	UnbudgetedTokens string
}

// Store reads and writes the tables workspace and member. Safe for concurrent use.
type Store struct{ db *db.DB }

// New returns a store on d.
func New(d *db.DB) *Store { return &Store{db: d} }

// Create adds a workspace. Names may repeat. fault.Validation for a name that is empty, longer than 200 characters or not
// printable.
func (s *Store) Create(ctx context.Context, tx *db.Tx, name string) (Workspace, error) {
	name, complaint := text.Name(name, nameLengthMax)
	if complaint != "" {
		return Workspace{}, fault.Invalid(fault.FieldError{Field: "name", Message: complaint})
	}
	w := Workspace{ID: id.New[id.Workspace](), Name: name, CreatedAt: db.FromTime(db.Time(time.Now())), UnbudgetedTokens: "everyone"}
	_, err := tx.ExecContext(ctx, `INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)`,
		w.ID, w.Name, db.Time(w.CreatedAt))
	if err != nil {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	return w, auditlog.Record(ctx, tx, auditlog.Event{
		Workspace: w.ID, Action: auditlog.WorkspaceCreated, Subject: "workspace:" + w.ID.String(), Name: w.Name,
	})
}

// Get returns a workspace. fault.NotFound without one.
func (s *Store) Get(ctx context.Context, ws id.Workspace) (Workspace, error) {
	w, err := scan(s.db.Read().QueryRowContext(ctx, `SELECT `+columns+` FROM workspace w WHERE w.id = $1 AND w.deleted_at IS NULL`, ws))
	if errors.Is(err, sql.ErrNoRows) {
		return Workspace{}, noWorkspace(ws)
	}
	if err != nil {
		return Workspace{}, fmt.Errorf("get workspace %s: %w", ws, err)
	}
	return w, nil
}

// List returns all workspaces, oldest first.
func (s *Store) List(ctx context.Context) ([]Workspace, error) {
	all, err := db.Collect(ctx, s.db.Read(), scan, `SELECT `+columns+` FROM workspace w WHERE w.deleted_at IS NULL ORDER BY w.created_at, w.id`)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	return all, nil
}

const columns = `w.id, w.name, w.created_at, w.export_columns, w.visible_fields, w.searched_at IS NOT NULL, w.welcomed_at IS NOT NULL,
	w.unbudgeted_tokens, w.daily_companies`

func scan(row db.Row) (Workspace, error) {
	var w Workspace
	err := scanInto(row, &w)
	return w, err
}

// scanInto scans columns, and the columns that the query selects after them into more.
func scanInto(row db.Row, w *Workspace, more ...any) error {
	var created int64
	var exported, visible string
	err := row.Scan(append([]any{
		&w.ID, &w.Name, &created, &exported, &visible, &w.Searched, &w.Welcomed,
		&w.UnbudgetedTokens, &w.DailyCompanies,
	}, more...)...)
	w.CreatedAt = db.FromTime(created)
	if exported != "" {
		w.ExportColumns = strings.Split(exported, ",")
	}
	if visible != "" {
		w.VisibleFields = strings.Split(visible, ",")
	}
	return err
}
