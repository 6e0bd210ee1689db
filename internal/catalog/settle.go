package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/db"
)

const (
	newKeysMax   = 1_000_000 // above it, the small table no longer fits into the cache next to the rest
	settleKeyMax = 100_000   // keys of one transaction, which takes about a quarter of a second
)

// keyTables are the tables that SQLite has twice, as _new and _old, with their columns. All columns are the primary key.
var keyTables = []keyTable{{"company_key", "key", "key, place, number"}, {"connection_by_target", "target", "target, source"}}

type keyTable struct{ name, first, columns string }

// Settle moves the keys of new companies and connections to the large tables, in the order of the keys, if there are many. An import
// calls it now and then while nobody else needs the database. Without it, everything is found, but adding gets slower. PostgreSQL
// keeps the keys in indexes and has nothing to move.
func (s *Store) Settle(ctx context.Context) error { return s.settle(ctx, newKeysMax) }

// settle is Settle for tables with more than most new keys.
func (s *Store) settle(ctx context.Context, most int) error {
	if s.db.Name() != "sqlite" {
		return nil
	}
	for _, t := range keyTables {
		many, err := s.newKey(ctx, t, most)
		for more := many.Valid; more && err == nil; {
			more, err = s.settleSome(ctx, t)
		}
		if err != nil {
			return fmt.Errorf("move %s: %w", t.name, err)
		}
	}
	return nil
}

// newKey returns the new key with n smaller ones; it is not valid if there are fewer.
func (s *Store) newKey(ctx context.Context, t keyTable, n int) (key sql.NullInt64, err error) {
	q := `SELECT ` + t.first + ` FROM ` + t.name + `_new ORDER BY ` + t.first + ` LIMIT 1 OFFSET $1`
	err = s.db.Read().QueryRowContext(ctx, q, n).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return sql.NullInt64{}, nil
	}
	return key, err
}

// settleSome moves the smallest keys, and reports whether there are more.
func (s *Store) settleSome(ctx context.Context, t keyTable) (more bool, err error) {
	last, err := s.newKey(ctx, t, settleKeyMax)
	if err != nil {
		return false, err
	}
	return last.Valid, s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO `+t.name+`_old (`+t.columns+`) SELECT `+t.columns+` FROM `+t.name+`_new
			WHERE $1 IS NULL OR `+t.first+` <= $1 ORDER BY `+t.columns+` ON CONFLICT DO NOTHING`, last)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM `+t.name+`_new WHERE $1 IS NULL OR `+t.first+` <= $1`, last)
		return err
	})
}
