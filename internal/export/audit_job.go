package export

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/job"
)

// AuditJobs finds the live jobs that are to write the file of an export which is not there.
func (x *Exports) AuditJobs(ctx context.Context) ([]job.Finding, error) {
	findings, err := db.Collect(ctx, x.db.Read(), func(row db.Row) (job.Finding, error) {
		f := job.Finding{Problem: "no export waits for it"}
		err := row.Scan(&f.Job, &f.Kind)
		return f, err
	}, `SELECT j.id, j.kind FROM job j LEFT JOIN export e ON e.job_id = j.id
		WHERE j.kind = $1 AND j.state IN ('queued', 'running') AND e.id IS NULL ORDER BY j.id`, JobKind)
	if err != nil {
		return nil, fmt.Errorf("audit jobs of exports: %w", err)
	}
	return findings, nil
}
