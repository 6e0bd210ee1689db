package delivery

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Audit checks that a delivery belongs to the workspace of its export, that a pending one has a live job once its export is completed, and that what is
// recorded as delivered has a completed export, a time and a path. It asks no destination: the keys may only write there. It reads one
// snapshot of the database, so it may run while others write.
func (s *Deliveries) Audit(ctx context.Context) (findings []audit.Finding, err error) {
	const query = `SELECT d.export_id, CASE
			WHEN e.workspace_id <> d.workspace_id THEN 'its export belongs to another workspace'
			WHEN d.state = 'delivered' AND e.status <> 'completed' THEN 'it is recorded as delivered, but the export is ' || e.status
			WHEN d.state = 'delivered' AND (d.delivered_at IS NULL OR d.path = '') THEN 'it is recorded as delivered, but not when or where'
			WHEN d.state = 'failed' AND d.error = '' THEN 'it is recorded as failed, but not why'
			WHEN d.state = 'pending' AND e.status = 'completed' AND COALESCE(j.state, '') NOT IN ('queued', 'running')
				THEN 'the export is completed, but the job that delivers it is ' || COALESCE(j.state, 'missing')
			ELSE '' END AS problem
		FROM export_delivery d JOIN export e ON e.id = d.export_id LEFT JOIN job j ON j.id = d.job_id`
	err = s.DB.ReadTx(ctx, func(q db.Querier) error {
		findings, err = db.Collect(ctx, q, func(row db.Row) (audit.Finding, error) {
			var e id.Export
			var problem string
			err := row.Scan(&e, &problem)
			return audit.Found("delivery of export", e, problem), err
		}, `SELECT export_id, problem FROM (`+query+`) found WHERE problem <> '' ORDER BY export_id`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit deliveries: %w", err)
	}
	return findings, nil
}
