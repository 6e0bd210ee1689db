package export

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
)

// ReceiptColumns returns the columns of a receipt as a table, in the order of the cells of ReceiptRows.
func ReceiptColumns() []string {
	return []string{"company_id", "name", "domain", "status", "credits", "unlocked_by", "unlocked_at", "refunded_at"}
}

// ReceiptRows returns a function that calls row for each line of the export's receipt, as by EachReceiptLine. A cell is a
// string, an int or a time.Time, or nil.
func (x *Exports) ReceiptRows(ctx context.Context, caller auth.Caller, export id.Export) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		return x.EachReceiptLine(ctx, caller, export, func(l ReceiptLine) error {
			status, credits := l.Price()
			var refunded any
			if l.RefundedAt != nil {
				refunded = *l.RefundedAt
			}
			return row(l.Company.ID.String(), l.Company.Name, l.Company.Domain, status, credits, l.UnlockedBy.String(),
				l.UnlockedAt, refunded)
		})
	}
}
