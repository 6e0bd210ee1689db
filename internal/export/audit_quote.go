package export

import (
	"context"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

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
