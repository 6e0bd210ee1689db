package job

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Census is how many jobs there are.
type Census struct {
	ByState map[string]int64 // every state has an entry
	Overdue time.Duration    // for how long the job has been due that has waited longest; 0 if none is
}

// Census counts the jobs. It reads the whole table, so it is not to be asked all the time.
func (q *Queue) Census(ctx context.Context) (Census, error) {
	c := Census{ByState: map[string]int64{"queued": 0, "running": 0, "done": 0, "buried": 0}}
	err := db.Each(ctx, q.db.Read(), func(row db.Row) error {
		var state string
		var n int64
		err := row.Scan(&state, &n)
		c.ByState[state] = n
		return err
	}, `SELECT state, COUNT(*) FROM job GROUP BY state`)
	if err != nil {
		return Census{}, fmt.Errorf("count jobs: %w", err)
	}
	var due sql.NullInt64
	err = q.db.Read().QueryRowContext(ctx, `SELECT MIN(run_at) FROM job WHERE state = 'queued'`).Scan(&due)
	if err != nil {
		return Census{}, fmt.Errorf("look for the oldest job: %w", err)
	}
	if due.Valid {
		c.Overdue = max(time.Since(db.FromTime(due.Int64)), 0)
	}
	return c, nil
}
