package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// Removed returns the companies that were removed by undoing an import.
func (s *Store) Removed(ctx context.Context) (company.Set, error) {
	return s.RemovedIn(ctx, s.db.Read())
}

// RemovedIn is Removed, as q sees it.
func (s *Store) RemovedIn(ctx context.Context, q db.Querier) (company.Set, error) {
	return removed(ctx, q, "")
}

// Hold returns the removed companies and the catalog's sequence number, and keeps any company from being removed until
// tx ends. It waits for a removal that is in progress. Changes that are committed later have a higher number.
//
// A purchase must call it: without the lock it could sell a company that is gone when the file is written. A transaction
// that writes the catalog must not.
func (s *Store) Hold(ctx context.Context, tx *db.Tx) (company.Set, uint64, error) {
	gone, err := removed(ctx, tx, tx.ForShare())
	if err != nil {
		return company.Set{}, 0, err
	}
	// Not in the same statement: PostgreSQL would return the number from before a removal that the lock waited for.
	seq, _, err := state(ctx, tx, "")
	return gone, seq, err
}

func removed(ctx context.Context, q db.Querier, lock string) (company.Set, error) {
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT companies FROM company_removed WHERE id = 1`+lock).Scan(&packed)
	if err != nil {
		return company.Set{}, fmt.Errorf("read removed companies: %w", err)
	}
	return company.ParseSet(packed)
}

// Stubs returns the companies with only number and id, including removed ones, in no particular order.
func (s *Store) Stubs(ctx context.Context, numbers []company.Number) ([]*company.Company, error) {
	out, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (*company.Company, error) {
		c := &company.Company{}
		err := row.Scan(&c.Number, &c.ID)
		return c, err
	}, `SELECT number, id FROM company WHERE number `+s.db.InNumbers("$1"), numberArray(numbers))
	if err != nil {
		return nil, fmt.Errorf("ids of companies: %w", err)
	}
	return out, nil
}

// removal returns the removed companies and locks the set for update: purchases wait, and earlier purchases are visible.
// An edit takes this lock after catalog_state. That cannot deadlock, as a purchase takes no lock after its share lock that
// an edit could have.
func (e *edit) removal(ctx context.Context) (company.Set, error) {
	return removed(ctx, e.tx, e.tx.ForUpdate())
}

func (e *edit) saveRemoved(ctx context.Context, all company.Set) error {
	e.dirty = true
	if _, err := e.tx.ExecContext(ctx, `UPDATE company_removed SET companies = $1 WHERE id = 1`, all.Bytes()); err != nil {
		return fmt.Errorf("write removed companies: %w", err)
	}
	return nil
}
