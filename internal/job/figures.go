package job

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Figure counts the jobs of one kind in one state.
type Figure struct {
	Kind, State string
	Count       int
	Oldest      time.Time // when the oldest of them was enqueued
}

// Figures counts the jobs in the table, by kind, then state; those that are over stay in it for a while.
func (q *Queue) Figures(ctx context.Context) ([]Figure, error) {
	figures, err := db.Collect(ctx, q.db.Read(), func(row db.Row) (f Figure, err error) {
		var oldest int64
		err = row.Scan(&f.Kind, &f.State, &f.Count, &oldest)
		f.Oldest = db.FromTime(oldest)
		return f, err
	}, `SELECT kind, state, COUNT(*), MIN(created_at) FROM job GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return figures, nil
}
