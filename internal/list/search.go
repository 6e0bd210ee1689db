package list

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// SearchesMax is the maximum number of saved searches in a workspace.
const SearchesMax = 1000

// Search is a saved search. It runs again at each use. Names need not be unique.
type Search struct {
	ID        id.Search
	Workspace id.Workspace
	Name      string
	Filters   query.Filters
	SortBy    string // as in query.ParseSort; empty for the default
	SortOrder string
	CreatedAt time.Time
}

const searchColumns = `id, workspace_id, name, filters, sort_by, sort_order, created_at`

// SaveSearch stores a search under a name. Validation for a bad name, filters or sort, or if the workspace has SearchesMax
// searches already.
func (s *Store) SaveSearch(ctx context.Context, ws id.Workspace, search Search) (Search, error) {
	name, err := checkName(search.Name)
	if err != nil {
		return Search{}, err
	}
	q, err := query.Parse(search.Filters)
	if err != nil {
		return Search{}, err
	}
	if _, err := query.ParseSort(search.SortBy, search.SortOrder, q.HasText()); err != nil {
		return Search{}, err
	}
	search.ID, search.Workspace, search.Name = id.New[id.Search](), ws, name
	search.CreatedAt = db.FromTime(db.Time(time.Now()))
	if err := s.db.Tx(ctx, func(tx *db.Tx) error { return insertSearch(ctx, tx, search) }); err != nil {
		return Search{}, err
	}
	return search, nil
}

// insertSearch locks the workspace first, so that the number of its searches cannot change after it is checked.
func insertSearch(ctx context.Context, tx *db.Tx, s Search) error {
	var ws id.Workspace
	err := tx.QueryRowContext(ctx, `SELECT id FROM workspace WHERE id = $1`+tx.ForUpdate(), s.Workspace).Scan(&ws)
	if err != nil {
		return fmt.Errorf("save search in workspace %s: %w", s.Workspace, err)
	}
	const q = `INSERT INTO saved_search (` + searchColumns + `) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE (SELECT COUNT(*) FROM saved_search WHERE workspace_id = $2) < $8`
	done, err := tx.ExecContext(ctx, q, s.ID, s.Workspace, s.Name, s.Filters.String(), s.SortBy, s.SortOrder,
		db.Time(s.CreatedAt), SearchesMax)
	if err != nil {
		return fmt.Errorf("save search in workspace %s: %w", s.Workspace, err)
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return fault.Invalid(fault.FieldError{
			Message: fmt.Sprintf("A workspace can save at most %d searches; delete one first.", SearchesMax),
		})
	}
	return err
}

// GetSearch returns a saved search. NotFound for one of another workspace, as in the other methods.
func (s *Store) GetSearch(ctx context.Context, ws id.Workspace, search id.Search) (Search, error) {
	const q = `SELECT ` + searchColumns + ` FROM saved_search WHERE workspace_id = $1 AND id = $2`
	found, err := scanSearch(s.db.Read().QueryRowContext(ctx, q, ws, search))
	if errors.Is(err, sql.ErrNoRows) {
		return Search{}, noSearch(search)
	}
	if err != nil {
		return Search{}, fmt.Errorf("saved search %s: %w", search, err)
	}
	return found, nil
}

// Searches returns the workspace's saved searches, newest first.
func (s *Store) Searches(ctx context.Context, ws id.Workspace) ([]Search, error) {
	const q = `SELECT ` + searchColumns + ` FROM saved_search WHERE workspace_id = $1 ORDER BY id DESC`
	searches, err := db.Collect(ctx, s.db.Read(), scanSearch, q, ws)
	if err != nil {
		return nil, fmt.Errorf("read saved searches of workspace %s: %w", ws, err)
	}
	return searches, nil
}

// DeleteSearch deletes a saved search.
func (s *Store) DeleteSearch(ctx context.Context, ws id.Workspace, search id.Search) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM saved_search WHERE workspace_id = $1 AND id = $2`, ws, search)
		if err != nil {
			return fmt.Errorf("delete saved search %s: %w", search, err)
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return noSearch(search)
		}
		return err
	})
}

func scanSearch(row db.Row) (Search, error) {
	var s Search
	var filters string
	var created int64
	if err := row.Scan(&s.ID, &s.Workspace, &s.Name, &filters, &s.SortBy, &s.SortOrder, &created); err != nil {
		return Search{}, err
	}
	s.CreatedAt = db.FromTime(created)
	return s, json.Unmarshal([]byte(filters), &s.Filters)
}

func noSearch(search id.Search) error {
	return fault.New(fault.NotFound, "There is no saved search %s in this workspace.", search)
}
