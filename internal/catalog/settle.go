package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/db"
)

const (
	newKeysMax   = 1_000_000 // above it, the small table of keys no longer fits into the cache next to the rest
	settleKeyMax = 100_000   // keys of one transaction, which takes about a quarter of a second
)

// Settle moves the keys of new companies to the large table, in the order of the keys, if there are many. An import calls it now and then
// while nobody else needs the database. Without it, everything is found, but adding companies gets slower. PostgreSQL keeps keys
// in indexes and has nothing to move.
func (s *Store) Settle(ctx context.Context) error { return s.settle(ctx, newKeysMax) }

// settle is Settle if there are more than most new keys.
func (s *Store) settle(ctx context.Context, most int) error {
	if s.db.Name() != "sqlite" {
		return nil
	}
	many, err := s.newKey(ctx, most)
	for more := many.Valid; more && err == nil; {
		more, err = s.settleSome(ctx)
	}
	if err != nil {
		return fmt.Errorf("move keys of companies: %w", err)
	}
	return nil
}

// newKey returns the new key with n smaller ones; it is not valid if there are fewer.
func (s *Store) newKey(ctx context.Context, n int) (key sql.NullInt64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT key FROM company_key_new ORDER BY key LIMIT 1 OFFSET $1`, n).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return sql.NullInt64{}, nil
	}
	return key, err
}

// settleSome moves the smallest keys, and reports whether there are more.
func (s *Store) settleSome(ctx context.Context) (more bool, err error) {
	last, err := s.newKey(ctx, settleKeyMax)
	if err != nil {
		return false, err
	}
	return last.Valid, s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO company_key_old (key, place, number) SELECT key, place, number FROM company_key_new
			WHERE $1 IS NULL OR key <= $1 ORDER BY key, place, number`, last)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM company_key_new WHERE $1 IS NULL OR key <= $1`, last)
		return err
	})
}
