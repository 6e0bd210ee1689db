package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Audit runs AuditBooks and AuditFiles.
func (x *Exports) Audit(ctx context.Context) ([]audit.Finding, error) {
	books, err := x.AuditBooks(ctx)
	if err != nil {
		return nil, err
	}
	files, err := x.AuditFiles(ctx, nil)
	return append(books, files...), err
}

// AuditBooks checks that what each export charged and refunded agrees with its unlocks and the ledger, that it has as many
// rows as it says, and that an unfinished export has a live job. It also checks that each workspace has paid for exactly
// what its exports deliver, and that the catalog still has all of that. It reads one snapshot of the database, so it may
// run while others write.
func (x *Exports) AuditBooks(ctx context.Context) ([]audit.Finding, error) {
	var a auditor
	err := x.db.ReadTx(ctx, func(q db.Querier) error {
		owned := func(ws id.Workspace) (company.Set, error) { return x.unlock.OwnedIn(ctx, q, ws) }
		removed, err := x.catalog.RemovedIn(ctx, q)
		return errors.Join(err, a.books(ctx, q), a.strays(ctx, q), a.quotes(ctx, q), a.deliveries(ctx, q, owned, removed))
	})
	if err != nil {
		return nil, fmt.Errorf("audit exports: %w", err)
	}
	return a.findings, nil
}

type auditor struct{ findings []audit.Finding }

// find adds a finding about an export, or about all exports of the workspace if the export is zero.
func (a *auditor) find(ws id.Workspace, export id.Export, text string, args ...any) {
	f := audit.Found("export", export, fmt.Sprintf(text, args...))
	if export.IsZero() {
		f = audit.Found("workspace", ws, f.Problem)
	}
	a.findings = append(a.findings, f)
}

// booked is an export with what the other stores have about it.
type booked struct {
	workspace                   id.Workspace
	export                      id.Export
	status                      Status
	rows                        int64
	newCount, charged, refunded int64 // according to the export
	unlocked, takenBack         int64 // according to the unlocks
	entryAmount, refundAmount   int64 // according to the ledger
	transaction, entry          id.Entry
	refundStray                 bool  // refund_id refers to an entry that is not a refund of this export
	seq, unlockSeq              int64 // position in the log of unlocks after the purchase: in the export, in the log
	selectionBytes              int64
	jobState                    string
}

func (a *auditor) books(ctx context.Context, q db.Querier) error {
	const query = `SELECT e.id, e.workspace_id, e.requested_count - e.would_skip, e.status,
			e.new_count - e.would_skip, e.credits_charged, e.credits_refunded, e.transaction_id,
			COALESCE(u.unlocked, 0), COALESCE(u.taken, 0),
			c.id, COALESCE(c.amount, 0), COALESCE(r.amount, 0),
			e.refund_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.id = e.refund_id
				AND x.reason = 'export_refund' AND substr(x.reference, 8, 36) = e.id),
			e.unlock_seq, COALESCE(u.seq, 0),
			COALESCE(length(s.companies), 0), COALESCE(j.state, 'missing')
		FROM export e
		LEFT JOIN (SELECT workspace_id, export_id,
				MAX(CASE WHEN change > 0 THEN seq END) AS seq,
				CAST(SUM(CASE WHEN change > 0 THEN size ELSE 0 END) AS BIGINT) AS unlocked,
				CAST(SUM(CASE WHEN change < 0 THEN size ELSE 0 END) AS BIGINT) AS taken
			FROM unlock_delta GROUP BY workspace_id, export_id) u
			ON u.export_id = e.id AND u.workspace_id = e.workspace_id
		LEFT JOIN entry c ON c.workspace_id = e.workspace_id AND c.reference = 'export:' || e.id || ':create'
		LEFT JOIN (SELECT workspace_id, substr(reference, 8, 36) AS export_id, CAST(SUM(amount) AS BIGINT) AS amount
			FROM entry WHERE reason = 'export_refund' GROUP BY workspace_id, substr(reference, 8, 36)) r
			ON r.workspace_id = e.workspace_id AND r.export_id = e.id
		LEFT JOIN export_selection s ON s.export_id = e.id
		LEFT JOIN job j ON j.id = e.job_id
		ORDER BY e.created_at, e.id`
	return db.Each(ctx, q, func(row db.Row) error {
		var b booked
		if err := row.Scan(&b.export, &b.workspace, &b.rows, &b.status,
			&b.newCount, &b.charged, &b.refunded, &b.transaction, &b.unlocked, &b.takenBack,
			&b.entry, &b.entryAmount, &b.refundAmount, &b.refundStray, &b.seq, &b.unlockSeq, &b.selectionBytes,
			&b.jobState); err != nil {
			return err
		}
		a.book(b)
		return nil
	}, query)
}

func (a *auditor) book(b booked) {
	find := func(text string, args ...any) { a.find(b.workspace, b.export, text, args...) }
	if b.unlocked != b.newCount || b.charged != b.newCount || -b.entryAmount != b.charged {
		find("it buys %d companies for %d credits, unlocked %d, and the ledger has a charge of %d", b.newCount, b.charged,
			b.unlocked, -b.entryAmount)
	} else if b.entry != b.transaction {
		find("its transaction_id is %s, but the ledger has the charge %s", b.transaction, b.entry)
	}
	if b.takenBack != b.refunded || b.refundAmount != b.refunded {
		find("it gave back %d credits, took back %d unlocks, and the ledger has refunds of %d", b.refunded, b.takenBack, b.refundAmount)
	} else if b.refunded != 0 && !b.status.endsWithoutFile() {
		find("it gave back %d credits, but is %s", b.refunded, b.status)
	}
	if b.refundStray {
		find("refund_id does not refer to a refund of this export")
	}
	if b.unlockSeq != b.seq && b.unlockSeq != 0 && b.seq != 0 {
		find("its unlock_seq is %d, but its unlocks are at %d in the log", b.seq, b.unlockSeq)
	}
	if b.selectionBytes != 4*b.rows {
		find("it has %d rows and a selection of %d bytes", b.rows, b.selectionBytes)
	}
	switch b.status {
	case StatusPending, StatusProcessing:
		if b.jobState != "queued" && b.jobState != "running" {
			find("it is %s, but its job is %s", b.status, b.jobState)
		}
	case StatusCompleted, StatusFailed, StatusCancelled:
	}
}

// strays finds unlocks and ledger entries that refer to an export which does not exist.
func (a *auditor) strays(ctx context.Context, q db.Querier) error {
	const query = `SELECT d.workspace_id, d.export_id, 'unlocks companies, but there is no such export'
		FROM unlock_delta d LEFT JOIN export e ON e.id = d.export_id AND e.workspace_id = d.workspace_id
		WHERE e.id IS NULL
		UNION ALL
		SELECT n.workspace_id, substr(n.reference, 8, 36), 'the ledger has an ' || n.reason || ' for it, but there is no such export'
		FROM entry n LEFT JOIN export e ON e.id = substr(n.reference, 8, 36) AND e.workspace_id = n.workspace_id
		WHERE n.reason IN ('export_charge', 'export_refund') AND e.id IS NULL`
	return db.Each(ctx, q, func(row db.Row) error {
		var ws id.Workspace
		var export sql.NullString
		var problem string
		if err := row.Scan(&ws, &export, &problem); err != nil {
			return err
		}
		known, err := id.Parse[id.Export](export.String)
		if err != nil {
			problem = fmt.Sprintf("%s (%q)", problem, export.String)
		}
		a.find(ws, known, "%s", problem)
		return nil
	}, query)
}

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

// quotes checks that no export cost more than its quote or has other companies, as long as the quote is kept.
func (a *auditor) quotes(ctx context.Context, q db.Querier) error {
	const query = `SELECT e.workspace_id, e.id, e.credits_charged, q.cost, COALESCE(q.companies <> s.companies, 1 = 0)
		FROM export e
		JOIN quote q ON q.id = e.quote_id
		JOIN export_selection s ON s.export_id = e.id
		WHERE e.credits_charged > q.cost OR q.companies <> s.companies
		ORDER BY e.created_at, e.id`
	return db.Each(ctx, q, func(row db.Row) error {
		var ws id.Workspace
		var export id.Export
		var charged, quoted int64
		var others bool
		if err := row.Scan(&ws, &export, &charged, &quoted, &others); err != nil {
			return err
		}
		if charged > quoted {
			a.find(ws, export, "it was quoted for %d credits and charged %d", quoted, charged)
		}
		if others {
			a.find(ws, export, "its companies differ from those of its quote")
		}
		return nil
	}, query)
}
