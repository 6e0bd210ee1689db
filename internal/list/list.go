// Package list keeps saved lists of companies and saved searches of workspaces. A list is a static set with a name.
// The package does not know what the companies are, nor how they were found.
package list

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// The maximum number of lists in a workspace, and of characters in a name.
const (
	ListsMax      = 1000
	NameLengthMax = 200
)

// List is a saved list, without its companies. Names need not be unique.
type List struct {
	ID        id.List
	Workspace id.Workspace
	Name      string
	Len       int  // number of companies
	Excluded  bool // its companies are left out of every search, quote and export of the workspace
	CreatedAt time.Time
	UpdatedAt time.Time

	Version int64 // of the companies; every change of them is a new one
}

// Store keeps the lists of all workspaces. Every method treats a list of another workspace as NotFound.
// Safe for concurrent use.
type Store struct {
	db   *db.DB
	sets setCache
}

// New returns a store on d.
func New(d *db.DB) *Store { return &Store{db: d} }

const columns = `id, workspace_id, name, size, created_at, updated_at, excluded, version`

// Create makes an empty list and runs the steps in the same transaction. Validation for a bad name, or if the workspace
// has ListsMax lists already.
func (s *Store) Create(ctx context.Context, ws id.Workspace, name string, then ...db.Step[List]) (List, error) {
	name, err := checkName(name)
	if err != nil {
		return List{}, err
	}
	now := db.Time(time.Now())
	l := List{ID: id.New[id.List](), Workspace: ws, Name: name, CreatedAt: db.FromTime(now), UpdatedAt: db.FromTime(now)}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := insert(ctx, tx, l, company.Set{}.Bytes()); err != nil {
			return err
		}
		return db.Then(ctx, tx, l, then)
	})
	if err != nil {
		return List{}, err
	}
	return l, nil
}

// insert locks the workspace first, so that the number of its lists cannot change after it is checked.
func insert(ctx context.Context, tx *db.Tx, l List, companies []byte) error {
	var ws id.Workspace
	err := tx.QueryRowContext(ctx, `SELECT id FROM workspace WHERE id = $1`+tx.ForUpdate(), l.Workspace).Scan(&ws)
	if err != nil {
		return fmt.Errorf("create list in workspace %s: %w", l.Workspace, err)
	}
	const q = `INSERT INTO list (` + columns + `, companies) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
		WHERE (SELECT COUNT(*) FROM list WHERE workspace_id = $2) < $10`
	done, err := tx.ExecContext(ctx, q, append(l.row(), companies, ListsMax)...)
	if err != nil {
		return fmt.Errorf("create list in workspace %s: %w", l.Workspace, err)
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("A workspace can have at most %d lists; delete one first.", ListsMax)})
	}
	return err
}

// row returns the values of columns.
func (l List) row() []any {
	excluded := 0
	if l.Excluded {
		excluded = 1
	}
	return []any{l.ID, l.Workspace, l.Name, l.Len, db.Time(l.CreatedAt), db.Time(l.UpdatedAt), excluded, l.Version}
}

// Get returns a list.
func (s *Store) Get(ctx context.Context, ws id.Workspace, list id.List) (List, error) {
	const q = `SELECT ` + columns + ` FROM list WHERE workspace_id = $1 AND id = $2`
	l, err := scan(s.db.Read().QueryRowContext(ctx, q, ws, list))
	return found(l, err, list)
}

// List returns the workspace's lists older than before, newest first; the zero id starts with the newest.
func (s *Store) List(ctx context.Context, ws id.Workspace, before id.List, limit int) ([]List, error) {
	const q = `SELECT ` + columns + ` FROM list WHERE workspace_id = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`
	from := ""
	if !before.IsZero() {
		from = before.String()
	}
	lists, err := db.Collect(ctx, s.db.Read(), scan, q, ws, from, limit)
	if err != nil {
		return nil, fmt.Errorf("read lists of workspace %s: %w", ws, err)
	}
	return lists, nil
}

// Rename changes the name of the list. Validation for a bad name.
func (s *Store) Rename(ctx context.Context, ws id.Workspace, list id.List, name string) (List, error) {
	return s.Update(ctx, ws, list, Update{Name: &name})
}

// Update is what Store.Update changes of a list; nil leaves it as it is.
type Update struct {
	Name     *string
	Excluded *bool
}

// Update changes the name of the list, or whether its companies are left out of everything. Validation for a bad name.
func (s *Store) Update(ctx context.Context, ws id.Workspace, list id.List, u Update) (List, error) {
	if u.Name != nil {
		name, err := checkName(*u.Name)
		if err != nil {
			return List{}, err
		}
		u.Name = &name
	}
	var l List
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		const read = `SELECT ` + columns + ` FROM list WHERE workspace_id = $1 AND id = $2`
		if l, err = scan(tx.QueryRowContext(ctx, read+tx.ForUpdate(), ws, list)); err != nil {
			return err
		}
		if u.Name != nil {
			l.Name, l.UpdatedAt = *u.Name, db.FromTime(db.Time(time.Now()))
		}
		if u.Excluded != nil {
			l.Excluded = *u.Excluded
		}
		row := l.row()
		_, err = tx.ExecContext(ctx, `UPDATE list SET name = $2, updated_at = $3, excluded = $4 WHERE id = $1`, row[0], row[2], row[5], row[6])
		return err
	})
	return found(l, err, list)
}

// deletedKept is how long a deleted list can be restored.
const deletedKept = 24 * time.Hour

// Delete deletes the list, which Restore can bring back for a day. Exports that were made from it keep their companies.
func (s *Store) Delete(ctx context.Context, ws id.Workspace, list id.List) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `DELETE FROM list WHERE workspace_id = $1 AND id = $2 RETURNING ` + columns + `, companies`
		var companies []byte
		l, err := scanWith(tx.QueryRowContext(ctx, q, ws, list), &companies)
		if l, err = found(l, err, list); err != nil {
			return err
		}
		const keep = `INSERT INTO list_deleted (` + columns + `, companies, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
		_, err = tx.ExecContext(ctx, keep, append(l.row(), companies, db.Time(time.Now()))...)
		if err != nil {
			return fmt.Errorf("keep deleted list %s: %w", list, err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM list_match WHERE list_id = $1`, list)
		return err
	})
}

// Restore brings back a list that was deleted, under its id. NotFound if it was deleted more than a day ago or not at all.
// Validation if the workspace has ListsMax lists already.
func (s *Store) Restore(ctx context.Context, ws id.Workspace, list id.List) (List, error) {
	var l List
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `DELETE FROM list_deleted WHERE workspace_id = $1 AND id = $2 AND deleted_at > $3 RETURNING ` + columns + `, companies`
		var companies []byte
		var err error
		l, err = scanWith(tx.QueryRowContext(ctx, q, ws, list, db.Time(time.Now().Add(-deletedKept))), &companies)
		if l, err = found(l, err, list); err != nil {
			return err
		}
		return insert(ctx, tx, l, companies)
	})
	return l, err
}

func scan(row db.Row) (List, error) { return scanWith(row) }

// scanWith scans columns, and the columns that the query selects after them into more.
func scanWith(row db.Row, more ...any) (List, error) {
	var l List
	var created, updated int64
	var excluded int
	err := row.Scan(append([]any{&l.ID, &l.Workspace, &l.Name, &l.Len, &created, &updated, &excluded, &l.Version}, more...)...)
	l.Excluded = excluded == 1
	l.CreatedAt, l.UpdatedAt = db.FromTime(created), db.FromTime(updated)
	return l, err
}

func found(l List, err error, list id.List) (List, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, fault.New(fault.NotFound, "There is no list %s in this workspace.", list)
	}
	if err != nil {
		return List{}, fmt.Errorf("list %s: %w", list, err)
	}
	return l, nil
}

func checkName(given string) (string, error) {
	name, complaint := text.Name(given, NameLengthMax)
	if complaint != "" {
		return "", fault.Invalid(fault.FieldError{Field: "name", Message: complaint})
	}
	return name, nil
}
