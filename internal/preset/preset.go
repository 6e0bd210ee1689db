// Package preset stores the column presets of workspaces: choices of columns and headers of files, under a name. It knows no file; what
// was made with a preset keeps its columns.
package preset

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// PerWorkspaceMax is how many presets a workspace may have.
const PerWorkspaceMax = 50

const nameLengthMax = 100

// Preset is a choice of columns under a name.
type Preset struct {
	ID        id.Preset
	Workspace id.Workspace
	Name      string   // no other preset of the workspace has it
	Columns   []string // names of fields, in the order of the file; fields that no longer exist are left out
	Labels    bool     // headers are labels for people, where a file has a header row
	CreatedAt time.Time
}

// Change is what to change of a preset; nil for what stays.
type Change struct {
	Name    *string
	Columns *[]string
	Labels  *bool
}

// Store reads and writes presets. Safe for concurrent use.
type Store struct{ db *db.DB }

// New returns the store.
func New(d *db.DB) *Store { return &Store{d} }

// check returns the preset with a clean name, or everything that is wrong with it.
func (p Preset) check() (Preset, error) {
	var errs []fault.FieldError
	name, complaint := text.Name(p.Name, nameLengthMax)
	if complaint != "" {
		errs = append(errs, fault.FieldError{Field: "name", Message: complaint})
	}
	p.Name = name
	if len(p.Columns) == 0 {
		errs = append(errs, fault.FieldError{Field: "columns", Message: "must have at least one column"})
	}
	return p, fault.Invalid(append(errs, company.ColumnFaults("columns", p.Columns)...)...)
}

// Create stores a preset. Faults: Validation for a bad or a second name, for unknown columns and if the workspace has PerWorkspaceMax.
func (s *Store) Create(ctx context.Context, p Preset) (Preset, error) {
	p, err := p.check()
	if err != nil {
		return Preset{}, err
	}
	p.ID, p.CreatedAt = id.New[id.Preset](), db.FromTime(db.Time(time.Now()))
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		// The row of the workspace is locked, so that two presets created at once are counted one after the other.
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM workspace WHERE id = $1`+tx.ForUpdate(), p.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create preset: %w", err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM column_preset WHERE workspace_id = $1`, p.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create preset: %w", err)
		}
		if n >= PerWorkspaceMax {
			return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("The workspace has %d column presets, the most that it may have. Delete one first.", n)})
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO column_preset (id, workspace_id, name, columns, labels, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			p.ID, p.Workspace, p.Name, strings.Join(p.Columns, ","), flag(p.Labels), db.Time(p.CreatedAt))
		if err != nil {
			return s.explain(err)
		}
		return record(ctx, tx, auditlog.PresetCreated, p)
	})
	if err != nil {
		return Preset{}, err
	}
	return p, nil
}

// explain returns the fault behind a second preset of a name.
func (s *Store) explain(err error) error {
	if s.db.Duplicate(err) {
		return fault.Invalid(fault.FieldError{Field: "name", Message: "is the name of another preset of this workspace; change that one, or choose another name"})
	}
	return fmt.Errorf("write preset: %w", err)
}

func record(ctx context.Context, tx *db.Tx, action auditlog.Action, p Preset) error {
	return auditlog.Record(ctx, tx, auditlog.Event{
		Workspace: p.Workspace, Action: action, Subject: "preset:" + p.ID.String(), Name: p.Name,
		Details: map[string]any{"columns": p.Columns, "labels": p.Labels},
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

const columns = `id, workspace_id, name, columns, labels, created_at`

func scan(row db.Row) (p Preset, err error) {
	var named string
	var created int64
	if err := row.Scan(&p.ID, &p.Workspace, &p.Name, &named, &p.Labels, &created); err != nil {
		return p, err
	}
	p.Columns = slices.DeleteFunc(strings.Split(named, ","), func(name string) bool { return company.FieldNamed(name) == nil })
	p.CreatedAt = db.FromTime(created)
	return p, nil
}

// List returns the presets of the workspace by their names.
func (s *Store) List(ctx context.Context, ws id.Workspace) ([]Preset, error) {
	all, err := db.Collect(ctx, s.db.Read(), scan, `SELECT `+columns+` FROM column_preset WHERE workspace_id = $1`, ws)
	if err != nil {
		return nil, fmt.Errorf("list presets: %w", err)
	}
	slices.SortFunc(all, func(a, b Preset) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Get returns a preset of the workspace. Faults: NotFound.
func (s *Store) Get(ctx context.Context, ws id.Workspace, preset id.Preset) (Preset, error) {
	return one(ctx, s.db.Read(), ws, preset, "")
}

func one(ctx context.Context, q db.Querier, ws id.Workspace, preset id.Preset, lock string) (Preset, error) {
	p, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM column_preset WHERE id = $1 AND workspace_id = $2`+lock, preset, ws))
	if errors.Is(err, sql.ErrNoRows) {
		return Preset{}, fault.New(fault.NotFound, "There is no column preset %s in this workspace.", preset)
	}
	if err != nil {
		return Preset{}, fmt.Errorf("read preset %s: %w", preset, err)
	}
	return p, nil
}

// Update changes a preset. Exports and orders that were made with it stay as they are. Faults: NotFound, Validation as in Create.
func (s *Store) Update(ctx context.Context, ws id.Workspace, preset id.Preset, c Change) (p Preset, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if p, err = one(ctx, tx, ws, preset, tx.ForUpdate()); err != nil {
			return err
		}
		if c.Name != nil {
			p.Name = *c.Name
		}
		if c.Columns != nil {
			p.Columns = *c.Columns
		}
		if c.Labels != nil {
			p.Labels = *c.Labels
		}
		if p, err = p.check(); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE column_preset SET name = $2, columns = $3, labels = $4 WHERE id = $1`,
			p.ID, p.Name, strings.Join(p.Columns, ","), flag(p.Labels))
		if err != nil {
			return s.explain(err)
		}
		return record(ctx, tx, auditlog.PresetChanged, p)
	})
	if err != nil {
		return Preset{}, err
	}
	return p, nil
}

// Delete deletes a preset. Exports and orders that were made with it keep its columns. Faults: NotFound.
func (s *Store) Delete(ctx context.Context, ws id.Workspace, preset id.Preset) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		p, err := one(ctx, tx, ws, preset, tx.ForUpdate())
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM column_preset WHERE id = $1`, preset); err != nil {
			return fmt.Errorf("delete preset %s: %w", preset, err)
		}
		return record(ctx, tx, auditlog.PresetDeleted, p)
	})
}
