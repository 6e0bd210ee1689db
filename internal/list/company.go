package list

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Companies returns the companies on the list.
func (s *Store) Companies(ctx context.Context, ws id.Workspace, list id.List) (company.Set, error) {
	l, err := s.Get(ctx, ws, list)
	if err != nil {
		return company.Set{}, err
	}
	return s.companies(ctx, l)
}

// companies returns the companies of the list, from memory if they have not changed. Sets that are equal are then one, whose slots
// an index has cached.
func (s *Store) companies(ctx context.Context, l List) (company.Set, error) {
	if set, ok := s.sets.get(l); ok {
		return set, nil
	}
	l, set, err := read(ctx, s.db.Read(), l.Workspace, l.ID, "")
	if err != nil {
		return company.Set{}, err
	}
	s.sets.put(l, set)
	return set, nil
}

// Excluded returns the companies of each list that is left out of everything.
func (s *Store) Excluded(ctx context.Context, ws id.Workspace) ([]company.Set, error) {
	const q = `SELECT ` + columns + ` FROM list WHERE workspace_id = $1 AND excluded = 1 ORDER BY id`
	lists, err := db.Collect(ctx, s.db.Read(), scan, q, ws)
	if err != nil {
		return nil, fmt.Errorf("read excluded lists of workspace %s: %w", ws, err)
	}
	var sets []company.Set
	for _, l := range lists {
		set, err := s.companies(ctx, l)
		if fault.CodeOf(err) == fault.NotFound {
			continue // deleted in the meantime
		}
		if err != nil {
			return nil, err
		}
		if !set.IsEmpty() {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// Numbers returns up to limit companies of the list with a number above after, ascending; 0 starts at the first. more
// reports whether there are further ones.
func (s *Store) Numbers(
	ctx context.Context, ws id.Workspace, list id.List, after company.Number, limit int,
) (numbers []company.Number, more bool, err error) {
	set, err := s.Companies(ctx, ws, list)
	if err != nil {
		return nil, false, err
	}
	it := set.Bitmap().Iterator()
	if it.AdvanceIfNeeded(uint32(after)); it.HasNext() && it.PeekNext() == uint32(after) {
		it.Next()
	}
	for it.HasNext() && len(numbers) < limit {
		numbers = append(numbers, company.Number(it.Next()))
	}
	return numbers, it.HasNext(), nil
}

// Change is what adding or removing companies did to a list.
type Change struct {
	List List
	By   int // companies added or removed
}

// Add puts companies on the list and returns how many were not on it before. The steps run in the same transaction.
func (s *Store) Add(
	ctx context.Context, ws id.Workspace, list id.List, companies company.Set, then ...db.Step[Change],
) (List, int, error) {
	return s.change(ctx, ws, list, func(now company.Set) company.Set { return now.Or(companies) }, then...)
}

// Remove takes companies off the list and returns how many were on it.
func (s *Store) Remove(ctx context.Context, ws id.Workspace, list id.List, companies company.Set) (List, int, error) {
	l, grown, err := s.change(ctx, ws, list, func(now company.Set) company.Set { return now.Minus(companies) })
	return l, -grown, err
}

// change locks the list, replaces its set, and returns by how many companies it grew.
func (s *Store) change(
	ctx context.Context, ws id.Workspace, list id.List, next func(company.Set) company.Set, then ...db.Step[Change],
) (l List, grown int, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		var now company.Set
		l, now, err = read(ctx, tx, ws, list, tx.ForUpdate())
		if err != nil {
			return err
		}
		set := next(now)
		if grown = set.Len() - now.Len(); grown != 0 {
			if l, err = write(ctx, tx, l, set); err != nil {
				return err
			}
		}
		return db.Then(ctx, tx, Change{List: l, By: grown}, then)
	})
	return l, grown, err
}

func read(ctx context.Context, q db.Querier, ws id.Workspace, list id.List, lock string) (List, company.Set, error) {
	const query = `SELECT ` + columns + `, companies FROM list WHERE workspace_id = $1 AND id = $2`
	var companies []byte
	l, err := scanWith(q.QueryRowContext(ctx, query+lock, ws, list), &companies)
	if l, err = found(l, err, list); err != nil {
		return List{}, company.Set{}, err
	}
	set, err := company.ParseSet(companies)
	if err != nil {
		return List{}, company.Set{}, fmt.Errorf("list %s: %w", list, err)
	}
	return l, set, nil
}

func write(ctx context.Context, tx *db.Tx, l List, set company.Set) (List, error) {
	const q = `UPDATE list SET size = $2, companies = $3, updated_at = $4, version = version + 1 WHERE id = $1`
	l.Version++
	l.Len, l.UpdatedAt = set.Len(), db.FromTime(db.Time(time.Now()))
	if _, err := tx.ExecContext(ctx, q, l.ID, l.Len, set.Bytes(), db.Time(l.UpdatedAt)); err != nil {
		return List{}, fmt.Errorf("write companies of list %s: %w", l.ID, err)
	}
	return l, nil
}
