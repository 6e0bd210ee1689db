package list

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	Show      string  // what it shows of its matches by who owns them: new, owned, or empty for all
	NotOn     id.List // leaves out the companies of this list, unless it is zero. The list may have been deleted
	CreatedAt time.Time
}

// storedFilters is what the column filters contains.
type storedFilters struct {
	query.Filters
	Show  string  `json:"show,omitempty"`
	NotOn id.List `json:"not_on,omitzero"`
}

const searchColumns = `id, workspace_id, name, filters, sort_by, sort_order, created_at`

// SaveSearch stores a search under a name. Validation for a bad name, filters or sort, or if the workspace has SearchesMax
// searches already.
func (s *Store) SaveSearch(ctx context.Context, ws id.Workspace, search Search) (Search, error) {
	search, err := search.checked()
	if err != nil {
		return Search{}, err
	}
	search.ID, search.Workspace = id.New[id.Search](), ws
	search.CreatedAt = db.FromTime(db.Time(time.Now()))
	if err := s.db.Tx(ctx, func(tx *db.Tx) error { return insertSearch(ctx, tx, search) }); err != nil {
		return Search{}, err
	}
	return search, nil
}

// UpdateSearch replaces everything of the saved search but its id and time. Validation as in SaveSearch, NotFound.
func (s *Store) UpdateSearch(ctx context.Context, ws id.Workspace, search Search) (Search, error) {
	search, err := search.checked()
	if err != nil {
		return Search{}, err
	}
	filters, err := search.stored()
	if err != nil {
		return Search{}, err
	}
	const q = `UPDATE saved_search SET name = $3, filters = $4, sort_by = $5, sort_order = $6
		WHERE workspace_id = $1 AND id = $2 RETURNING ` + searchColumns
	var updated Search
	err = s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		updated, err = scanSearch(tx.QueryRowContext(ctx, q, ws, search.ID, search.Name, filters, search.SortBy, search.SortOrder))
		return err
	})
	return foundSearch(updated, err, search.ID)
}

// AsFilters returns filters that find what the search finds, also by who owns it and without the list that it leaves out.
func (s Search) AsFilters() query.Filters {
	f, owned := s.Filters, query.SetRef{Owned: true}
	switch s.Show {
	case "new":
		f.NotIn = append(slices.Clip(f.NotIn), owned)
	case "owned":
		// In would widen the search if it has other sets in it.
		f.NotIn = append(slices.Clip(f.NotIn), query.SetRef{Not: &owned})
	}
	if !s.NotOn.IsZero() {
		f.NotIn = append(slices.Clip(f.NotIn), query.SetRef{ListID: s.NotOn.String()})
	}
	return f
}

// checked returns the search with a clean name, or what is wrong with it.
func (s Search) checked() (Search, error) {
	var err error
	if s.Name, err = checkName(s.Name); err != nil {
		return Search{}, err
	}
	q, err := query.Parse(s.Filters)
	if err != nil {
		return Search{}, err
	}
	_, err = query.ParseSort(s.SortBy, s.SortOrder, q.HasText())
	return s, err
}

// stored returns the content of the column filters.
func (s Search) stored() (string, error) {
	text, err := json.Marshal(storedFilters{s.Filters, s.Show, s.NotOn})
	return string(text), err
}

// insertSearch locks the workspace first, so that the number of its searches cannot change after it is checked.
func insertSearch(ctx context.Context, tx *db.Tx, s Search) error {
	var ws id.Workspace
	err := tx.QueryRowContext(ctx, `SELECT id FROM workspace WHERE id = $1`+tx.ForUpdate(), s.Workspace).Scan(&ws)
	if err != nil {
		return fmt.Errorf("save search in workspace %s: %w", s.Workspace, err)
	}
	filters, err := s.stored()
	if err != nil {
		return err
	}
	const q = `INSERT INTO saved_search (` + searchColumns + `) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE (SELECT COUNT(*) FROM saved_search WHERE workspace_id = $2) < $8`
	done, err := tx.ExecContext(ctx, q, s.ID, s.Workspace, s.Name, filters, s.SortBy, s.SortOrder,
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
	return foundSearch(found, err, search)
}

func foundSearch(found Search, err error, search id.Search) (Search, error) {
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
	var stored storedFilters
	err := json.Unmarshal([]byte(filters), &stored)
	s.Filters, s.Show, s.NotOn = stored.Filters, stored.Show, stored.NotOn
	return s, err
}

func noSearch(search id.Search) error {
	return fault.New(fault.NotFound, "There is no saved search %s in this workspace.", search)
}
