package order

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
)

// overdueGrace is how late a run may be before Audit reports it: a server runs what is due within seconds.
const overdueGrace = 15 * time.Minute

// Audit checks that every run that exported has its export, which the order has bought, that every export of an order has its run, so
// that the credits of an order are those of its runs, and that no run is overdue. It reads one snapshot of the database, so it may run
// while others write.
func (x *Orders) Audit(ctx context.Context) (findings []audit.Finding, err error) {
	now, err := x.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	err = x.DB.ReadTx(ctx, func(q db.Querier) error {
		found, err := db.Collect(ctx, q, func(row db.Row) (audit.Finding, error) {
			var run id.Run
			err := row.Scan(&run)
			return audit.Found("run", run, "it is recorded as exported, but there is no such export"), err
		}, `SELECT r.id FROM order_run r LEFT JOIN export e ON e.id = r.export_id WHERE r.status = 'exported' AND e.id IS NULL ORDER BY r.id`)
		if err != nil {
			return err
		}
		findings = found
		if err := x.auditExports(ctx, q, &findings); err != nil {
			return err
		}
		if err := x.auditRuns(ctx, q, &findings); err != nil {
			return err
		}
		return x.auditDue(ctx, q, now, &findings)
	})
	if err != nil {
		return nil, fmt.Errorf("audit orders: %w", err)
	}
	return findings, nil
}

// auditDue finds the orders whose run is overdue: one that was asked for, one of the schedule, or one after an import.
func (x *Orders) auditDue(ctx context.Context, q db.Querier, now time.Time, findings *[]audit.Finding) error {
	overdue, err := db.Collect(ctx, q, func(row db.Row) (audit.Finding, error) {
		var order id.Order
		var at int64
		var why string
		err := row.Scan(&order, &at, &why)
		problem := "it has been due since " + db.FromTime(at).Format(time.RFC3339) + ", but no server runs it"
		if why != "" {
			problem += ": " + why
		}
		return audit.Found("order", order, problem), err
	}, `SELECT id, CASE WHEN asked_at < $1 THEN asked_at WHEN cron <> '' THEN next_at
				ELSE (SELECT MAX(finished_at) FROM import WHERE finished_at < $1) END AS due_at, delayed_why
			FROM standing_order
			WHERE asked_at < $1 OR paused_at IS NULL AND (next_at < $1 OR cron = '' AND (ends_at IS NULL OR ends_at > $2)
				AND imports < (SELECT COUNT(*) FROM import WHERE finished_at < $1))
			ORDER BY due_at, id`, db.Time(now.Add(-overdueGrace)), db.Time(now))
	*findings = append(*findings, overdue...)
	return err
}

// auditExports finds the exports of orders that have no run. Those of deleted orders have none.
func (x *Orders) auditExports(ctx context.Context, q db.Querier, findings *[]audit.Finding) error {
	orders := map[id.Order]bool{}
	all, err := db.Collect(ctx, q, db.Value[id.Order], `SELECT id FROM standing_order`)
	if err != nil {
		return err
	}
	for _, o := range all {
		orders[o] = true
	}
	return db.Each(ctx, q, func(row db.Row) error {
		var e id.Export
		var content string
		var terms export.Terms
		if err := row.Scan(&e, &content); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(content), &terms); err != nil {
			return err
		}
		if orders[terms.Order] {
			*findings = append(*findings, audit.Found("export", e, "the order "+terms.Order.String()+" bought it, but has no run for it"))
		}
		return nil
	}, `SELECT e.id, e.terms FROM export e WHERE e.terms LIKE '%"order_id"%'
		AND NOT EXISTS (SELECT 1 FROM order_run r WHERE r.export_id = e.id) ORDER BY e.id`)
}

// auditRuns finds runs whose credits are not those of their order: what a run has bought was bought for another one.
func (x *Orders) auditRuns(ctx context.Context, q db.Querier, findings *[]audit.Finding) error {
	return db.Each(ctx, q, func(row db.Row) error {
		var run id.Run
		var order id.Order
		var e id.Export
		var own bool
		var content string
		var terms export.Terms
		if err := row.Scan(&run, &order, &e, &own, &content); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(content), &terms); err != nil {
			return err
		}
		if !own || terms.Order != order {
			*findings = append(*findings, audit.Found("run", run, "its export "+e.String()+" was not bought by its order "+order.String()))
		}
		return nil
	}, `SELECT r.id, r.order_id, e.id, e.workspace_id = o.workspace_id, e.terms FROM order_run r JOIN standing_order o ON o.id = r.order_id
		JOIN export e ON e.id = r.export_id ORDER BY r.id`)
}
