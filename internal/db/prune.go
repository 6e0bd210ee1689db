package db

import (
	"context"
	"fmt"
)

// pruneMax bounds the rows that one transaction of Prune deletes: other writers, such as purchases, wait for it on SQLite.
const pruneMax = 500

// Prune deletes the rows of a table whose key is in what a SELECT of the key returns, in as many short transactions as it takes. Any
// number of processes may do so. Without such rows it takes no lock.
func (d *DB) Prune(ctx context.Context, table, key, old string, args ...any) error {
	for {
		var some bool
		if err := d.Read().QueryRowContext(ctx, `SELECT EXISTS (`+old+`)`, args...).Scan(&some); err != nil || !some {
			return err
		}
		err := d.Tx(ctx, func(tx *Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s WHERE %s IN (%s LIMIT %d)`, table, key, old, pruneMax), args...)
			return err
		})
		if err != nil {
			return err
		}
	}
}
