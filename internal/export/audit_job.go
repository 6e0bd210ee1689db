package export

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/job"
)

// AuditJobs finds the live jobs that are to write the file of an export which is not there.
func (x *Exports) AuditJobs(ctx context.Context) (findings []job.Finding, err error) {
	const q = `SELECT j.id, j.kind FROM job j LEFT JOIN export e ON e.job_id = j.id
		WHERE j.kind = $1 AND j.state IN ('queued', 'running') AND e.id IS NULL ORDER BY j.id`
	rows, err := x.db.Read().QueryContext(ctx, q, JobKind)
	if err != nil {
		return nil, fmt.Errorf("audit jobs of exports: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		f := job.Finding{Problem: "no export waits for it"}
		if err := rows.Scan(&f.Job, &f.Kind); err != nil {
			return nil, fmt.Errorf("audit jobs of exports: %w", err)
		}
		findings = append(findings, f)
	}
	return findings, rows.Err()
}
