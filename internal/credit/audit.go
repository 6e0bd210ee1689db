package credit

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// checks are queries that return the workspace and the problem of each violation.
var checks = []string{
	`SELECT w.id, 'has no account' FROM workspace w LEFT JOIN account a ON a.workspace_id = w.id
		WHERE a.workspace_id IS NULL`,

	`SELECT a.workspace_id, 'balance is ' || a.balance || ', but the entries add up to ' || COALESCE(s.total, 0)
		FROM account a
		LEFT JOIN (SELECT workspace_id, SUM(amount) AS total FROM entry GROUP BY workspace_id) s
			ON s.workspace_id = a.workspace_id
		WHERE a.balance <> COALESCE(s.total, 0)`,

	`SELECT a.workspace_id, 'counts ' || a.seq || ' entries, the ledger has ' || COALESCE(s.n, 0)
		FROM account a
		LEFT JOIN (SELECT workspace_id, COUNT(*) AS n FROM entry GROUP BY workspace_id) s
			ON s.workspace_id = a.workspace_id
		WHERE a.seq <> COALESCE(s.n, 0)`,

	`SELECT workspace_id, 'entry ' || id || ' has a balance of ' || balance_after || ' after it, but the sum is ' || total
		FROM (SELECT workspace_id, id, balance_after,
			SUM(amount) OVER (PARTITION BY workspace_id ORDER BY seq) AS total FROM entry) s
		WHERE balance_after <> total`,

	`SELECT workspace_id, 'entry ' || id || ' has the number ' || seq || ' instead of ' || place
		FROM (SELECT workspace_id, id, seq,
			ROW_NUMBER() OVER (PARTITION BY workspace_id ORDER BY seq) AS place FROM entry) s
		WHERE seq <> place`,

	`SELECT workspace_id, 'entry ' || id || ' is a ' || reason || ' of ' || amount
		FROM entry
		WHERE (reason = 'export_charge' AND amount > 0)
			OR (reason IN ('grant', 'purchase', 'export_refund') AND amount < 0)
			OR reason NOT IN ('grant', 'purchase', 'adjustment', 'export_charge', 'export_refund')`,
}

// Audit checks the ledger: each balance is the sum of its entries, also after each entry, and no entry is missing.
// It reads one state of the database, so it is correct while others write.
func (s *Store) Audit(ctx context.Context) ([]audit.Finding, error) {
	var findings []audit.Finding
	err := s.db.ReadTx(ctx, func(q db.Querier) error {
		for _, check := range checks {
			found, err := db.Collect(ctx, q, func(row db.Row) (audit.Finding, error) {
				var ws id.Workspace
				var problem string
				err := row.Scan(&ws, &problem)
				return audit.Found("workspace", ws, problem), err
			}, check)
			if err != nil {
				return err
			}
			findings = append(findings, found...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit ledger: %w", err)
	}
	return findings, nil
}
