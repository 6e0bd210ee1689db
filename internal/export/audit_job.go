package export

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// AuditJobs finds live jobs for writing a file that belong to no export.
func (x *Exports) AuditJobs(ctx context.Context) ([]audit.Finding, error) {
	findings, err := db.Collect(ctx, x.db.Read(), func(row db.Row) (audit.Finding, error) {
		var job id.Job
		var kind string
		err := row.Scan(&job, &kind)
		return audit.Found("job", job, kind+": no export belongs to it"), err
	}, `SELECT j.id, j.kind FROM job j LEFT JOIN export e ON e.job_id = j.id
		WHERE j.kind = $1 AND j.state IN ('queued', 'running') AND e.id IS NULL ORDER BY j.id`, JobKind)
	if err != nil {
		return nil, fmt.Errorf("audit jobs of exports: %w", err)
	}
	return findings, nil
}
