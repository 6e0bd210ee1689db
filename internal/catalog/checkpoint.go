package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// ErrRestored is returned to an index that is ahead of the catalog: its database was replaced by an older copy.
var ErrRestored = errors.New("the database was restored from a backup while the server was running; " +
	"restart the server to rebuild the index")

// SaveCheckpoint records that the index contains every change of the catalog up to seq, under a checkpoint id that was never
// used before. Of the index's older checkpoints it keeps only the one named keep. If keep is not empty and does not exist, the
// database was restored from a backup in the meantime: nothing is recorded and the error is ErrRestored. No company changes, so
// the catalog's Seq stays the same.
func (s *Store) SaveCheckpoint(ctx context.Context, index, checkpoint, keep string, seq uint64) error {
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		exists := false
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_mark WHERE index_id = $1 AND mark = $2)`,
			index, keep).Scan(&exists)
		if err != nil {
			return err
		}
		if keep != "" && !exists {
			return ErrRestored
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM catalog_mark WHERE index_id = $1 AND mark <> $2`, index, keep)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO catalog_mark (index_id, mark, seq, marked_at) VALUES ($1, $2, $3, $4)`,
			index, checkpoint, int64(seq), db.Time(time.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("save index checkpoint: %w", err)
	}
	return nil
}

// HasCheckpoint reports whether the catalog has the index's checkpoint. If it does, no restored backup has undone anything
// that came before the checkpoint.
func (s *Store) HasCheckpoint(ctx context.Context, index, checkpoint string) (exists bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM catalog_mark WHERE index_id = $1 AND mark = $2)`,
		index, checkpoint).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("read index checkpoint: %w", err)
	}
	return exists, nil
}
