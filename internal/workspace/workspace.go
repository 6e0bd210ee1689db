// Package workspace keeps the workspaces and who belongs to them.
// It does not know what a workspace owns: credits, unlocks, lists and exports have packages of their own.
package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

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
	w := Workspace{ID: id.New[id.Workspace](), Name: name, CreatedAt: db.FromTime(db.Time(time.Now()))}
	_, err := tx.ExecContext(ctx, `INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)`,
		w.ID, w.Name, db.Time(w.CreatedAt))
	if err != nil {
		return Workspace{}, fmt.Errorf("create workspace: %w", err)
	}
	return w, nil
}

// Get returns a workspace. fault.NotFound without one.
func (s *Store) Get(ctx context.Context, ws id.Workspace) (Workspace, error) {
	w, err := scan(s.db.Read().QueryRowContext(ctx, `SELECT id, name, created_at FROM workspace WHERE id = $1`, ws))
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
	all, err := db.Collect(ctx, s.db.Read(), scan, `SELECT id, name, created_at FROM workspace ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	return all, nil
}

func scan(row db.Row) (Workspace, error) {
	var (
		w       Workspace
		created int64
	)
	err := row.Scan(&w.ID, &w.Name, &created)
	w.CreatedAt = db.FromTime(created)
	return w, err
}
