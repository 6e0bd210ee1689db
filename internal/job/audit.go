package job

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// How late a job may be before Audit reports it as orphaned: a live Runner takes such jobs within a second.
const (
	leaseGrace = 5 * time.Second
	queueGrace = 15 * time.Minute
)

// Audit returns the running jobs whose lease ran out and the queued jobs that no worker takes, oldest first.
func (q *Queue) Audit(ctx context.Context) ([]audit.Finding, error) {
	now, err := q.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	found, err := db.Collect(ctx, q.db.Read(), func(row db.Row) (audit.Finding, error) {
		var (
			job         id.Job
			kind, state string
			since       int64
		)
		err := row.Scan(&job, &kind, &state, &since)
		at := db.FromTime(since).Format(time.RFC3339)
		problem := "it has been due since " + at + ", but no worker takes it; it runs once capi serve runs"
		if state == "running" {
			problem = "its worker stopped responding before " + at + "; it resumes once capi serve runs"
		}
		return audit.Found("job", job, kind+": "+problem), err
	}, `SELECT id, kind, state, COALESCE(lease_until, run_at) FROM job
		WHERE state = 'running' AND lease_until < $1 OR state = 'queued' AND run_at < $2
		ORDER BY created_at, id`, db.Time(now.Add(-leaseGrace)), db.Time(now.Add(-queueGrace)))
	if err != nil {
		return nil, fmt.Errorf("audit jobs: %w", err)
	}
	return found, nil
}
