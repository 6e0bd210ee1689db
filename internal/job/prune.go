package job

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Prune deletes jobs that were done or discarded longer than Options.Kept ago. Any number of processes may call it from
// time to time.
func (q *Queue) Prune(ctx context.Context) error {
	// These states are final, so they cannot change in between.
	const old = `SELECT id FROM job WHERE state IN ('done', 'buried') AND updated_at < $1 ORDER BY updated_at`
	if err := q.db.Prune(ctx, "job", "id", old, db.Time(time.Now().Add(-q.options.Kept))); err != nil {
		return fmt.Errorf("prune jobs: %w", err)
	}
	return nil
}
