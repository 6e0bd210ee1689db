package job

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// pruneMax bounds the jobs that one transaction deletes, so that other writers do not wait long.
const pruneMax = 500

// Prune deletes jobs that were done or discarded longer than Options.Kept ago. Any number of processes may call it from
// time to time.
func (q *Queue) Prune(ctx context.Context) error {
	before := db.Time(time.Now().Add(-q.options.Kept))
	for {
		n, err := q.pruneSome(ctx, before)
		if err != nil {
			return fmt.Errorf("prune jobs: %w", err)
		}
		if n < pruneMax {
			return nil
		}
	}
}

func (q *Queue) pruneSome(ctx context.Context, before int64) (n int64, err error) {
	const over = `SELECT id FROM job WHERE state IN ('done', 'buried') AND updated_at < $1 ORDER BY updated_at LIMIT $2`
	// Reading first keeps an idle queue from taking the write lock.
	var some bool
	err = q.db.Read().QueryRowContext(ctx, `SELECT EXISTS (`+over+`)`, before, 1).Scan(&some)
	if err != nil || !some {
		return 0, err
	}
	err = q.db.Tx(ctx, func(tx *db.Tx) error {
		// These states are final, so they cannot change in between.
		res, err := tx.ExecContext(ctx, `DELETE FROM job WHERE id IN (`+over+`)`, before, pruneMax)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
