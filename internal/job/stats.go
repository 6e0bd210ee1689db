package job

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// Stats counts all jobs.
type Stats struct {
	ByState map[string]int64 // every state has an entry
	Overdue time.Duration    // how long the job that has waited longest has been due; 0 if none is due
}

// Stats counts the jobs by state. It reads the whole table, so do not call it for every request.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	s := Stats{ByState: map[string]int64{"queued": 0, "running": 0, "done": 0, "buried": 0}}
	err := db.Each(ctx, q.db.Read(), func(row db.Row) error {
		var state string
		var n int64
		err := row.Scan(&state, &n)
		s.ByState[state] = n
		return err
	}, `SELECT state, COUNT(*) FROM job GROUP BY state`)
	if err != nil {
		return Stats{}, fmt.Errorf("count jobs: %w", err)
	}
	var due sql.NullInt64
	err = q.db.Read().QueryRowContext(ctx, `SELECT MIN(run_at) FROM job WHERE state = 'queued'`).Scan(&due)
	if err != nil {
		return Stats{}, fmt.Errorf("look for the oldest job: %w", err)
	}
	if due.Valid {
		s.Overdue = max(time.Since(db.FromTime(due.Int64)), 0)
	}
	return s, nil
}

// KindStats counts the jobs of one kind in one state.
type KindStats struct {
	Kind, State string
	Count       int
	Oldest      time.Time // when the oldest of them was enqueued
}

// StatsByKind counts the jobs by kind and state, in that order. Finished jobs count until Prune deletes them.
func (q *Queue) StatsByKind(ctx context.Context) ([]KindStats, error) {
	stats, err := db.Collect(ctx, q.db.Read(), func(row db.Row) (s KindStats, err error) {
		var oldest int64
		err = row.Scan(&s.Kind, &s.State, &s.Count, &oldest)
		s.Oldest = db.FromTime(oldest)
		return s, err
	}, `SELECT kind, state, COUNT(*), MIN(created_at) FROM job GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return stats, nil
}
