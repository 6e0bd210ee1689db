package export

import (
	"context"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/id"
)

// record adds an event about the export to the log of its workspace, in the transaction that it reports.
func record(ctx context.Context, tx *db.Tx, t event.Type, e Export) error {
	data := map[string]any{
		"export_id": e.ID, "name": e.Name, "status": string(e.Status), "export_format": string(e.Format), "total_records": e.Figures.Rows(),
		"credits_charged": e.Figures.CreditsCharged, "credits_refunded": e.Refunded, "created_at": e.CreatedAt,
	}
	if !e.Quote.IsZero() {
		data["quote_id"] = e.Quote
	}
	switch e.Status {
	case StatusPending:
		if !e.Figures.TransactionID.IsZero() {
			data["transaction_id"] = e.Figures.TransactionID
		}
	case StatusCompleted:
		data["file_size_bytes"], data["completed_at"] = e.SizeBytes, e.CompletedAt
	case StatusFailed:
		data["error"], data["completed_at"] = e.Error, e.CompletedAt
	case StatusCancelled:
		data["completed_at"] = e.CompletedAt
	case StatusProcessing:
	}
	return event.Record(ctx, tx, e.Workspace, t, data)
}

// recordAgain is record for an export that this transaction has changed, and so must read again.
func recordAgain(ctx context.Context, tx *db.Tx, t event.Type, export id.Export) error {
	e, err := one(ctx, tx, id.Workspace{}, export)
	if err != nil {
		return err
	}
	return record(ctx, tx, t, e)
}
