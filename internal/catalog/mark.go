package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// ErrSetBack is the answer to an index that knows what the catalog has never seen, or sees no more.
var ErrSetBack = errors.New("the database was set back under the running server; a restart builds the index anew")

// Mark notes, under a mark that was never used, that the index knows the catalog up to seq. Of the index's older marks it
// leaves the one to keep and forgets the rest; without that one the catalog was set back since, and nothing is noted. An
// empty one is none. It changes no company, so Seq stays.
func (b *Store) Mark(ctx context.Context, index, mark, keep string, seq uint64) error {
	err := b.db.Tx(ctx, func(tx *db.Tx) error {
		held := false
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_mark WHERE index_id = $1 AND mark = $2)`,
			index, keep).Scan(&held)
		if err != nil {
			return err
		}
		if keep != "" && !held {
			return ErrSetBack
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM catalog_mark WHERE index_id = $1 AND mark <> $2`, index, keep)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO catalog_mark (index_id, mark, seq, marked_at) VALUES ($1, $2, $3, $4)`,
			index, mark, int64(seq), db.Time(time.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("mark catalog: %w", err)
	}
	return nil
}

// Marked holds if the catalog has the index's mark: then nothing that came before it was undone by a restored backup.
func (b *Store) Marked(ctx context.Context, index, mark string) (marked bool, err error) {
	err = b.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_mark WHERE index_id = $1 AND mark = $2)`,
		index, mark).Scan(&marked)
	if err != nil {
		return false, fmt.Errorf("read mark of catalog: %w", err)
	}
	return marked, nil
}
