package job

import (
	"context"
	"errors"
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
func (q *Queue) Figures(ctx context.Context) (figures []Figure, err error) {
	rows, err := q.db.Read().QueryContext(ctx, `
		SELECT kind, state, COUNT(*), MIN(created_at) FROM job GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var f Figure
		var oldest int64
		if err := rows.Scan(&f.Kind, &f.State, &f.Count, &oldest); err != nil {
			return nil, err
		}
		f.Oldest = db.FromTime(oldest)
		figures = append(figures, f)
	}
	return figures, rows.Err()
}
