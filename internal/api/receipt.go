package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// receiptSize is the default number of receipt lines on a page.
const receiptSize = 100

// ReceiptLine is the cost of one row of an export's file.
type ReceiptLine struct {
	CompanyID    id.Company `json:"company_id" format:"uuid" doc:"The id of the company."`
	Name         string     `json:"name" doc:"The current value, which may differ from the file."`
	Domain       *string    `json:"domain" doc:"The current value, which may differ from the file."`
	Status       string     `json:"status" doc:"charged: paid for by this export. owned: free, because an earlier export paid for it. refunded: paid for by this export, then refunded." example:"charged"`
	Credits      int        `json:"credits" doc:"Cost in this export after refunds: 1 or 0." example:"1"`
	UnlockedBy   id.Export  `json:"unlocked_by" format:"uuid" doc:"The export that paid for it."`
	UnlockedAt   time.Time  `json:"unlocked_at" doc:"When that export paid for it."`
	RefundedAt   *time.Time `json:"refunded_at" doc:"When the credit was refunded; null if it was not."`
	LockedFields []string   `json:"locked_fields,omitempty" doc:"As in a company: what the workspace does not see of it, such as after a refund. Missing if nothing is locked."`
}

// ReceiptResponse is one page of an export's receipt.
type ReceiptResponse struct {
	ExportID        id.Export     `json:"export_id" format:"uuid" doc:"The id of the export."`
	Status          string        `json:"status" doc:"Status of the export." example:"completed"`
	CreditsCharged  int64         `json:"credits_charged" doc:"What the export was charged when it was created." example:"180"`
	CreditsRefunded int64         `json:"credits_refunded" doc:"What was refunded since." example:"0"`
	TransactionID   *id.Entry     `json:"transaction_id" format:"uuid" doc:"The ledger entry of the charge; null if nothing was charged."`
	ReadAt          time.Time     `json:"read_at" doc:"When the receipt was read. It has no later refunds."`
	Items           []ReceiptLine `json:"items" doc:"A line for each row of the file, in the order of the file."`
	NextCursor      *string       `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
	orCSV
	signed
}

type receiptInput struct {
	oneExportInput
	Cursor string `query:"cursor" doc:"next_cursor of the previous page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Lines on a page."`
	Format string `query:"format" enum:"json,csv" default:"json" doc:"csv returns all lines at once, without pages."`
}

func (s *server) getReceipt(ctx context.Context, caller auth.Caller, in *receiptInput) (*ReceiptResponse, error) {
	page := pageInput{Cursor: in.Cursor, Limit: in.Limit}
	if err := fault.Invalid(page.unlessCSV(in.Format)...); err != nil {
		return nil, err
	}
	if in.Format == formatCSV {
		return &ReceiptResponse{orCSV: orCSV{&httpx.CSV{
			FileName: "receipt-" + in.Export.String() + ".csv", Columns: export.ReceiptColumns(),
			Rows: s.Exports.ReceiptRows(ctx, caller, in.Export),
		}}}, nil
	}
	if page.Limit == 0 {
		page.Limit = receiptSize
	}
	e, err := s.Exports.Get(ctx, caller, in.Export)
	if err != nil {
		return nil, err
	}
	lines, next, err := s.Exports.Receipt(ctx, caller, in.Export, page.Cursor, page.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]ReceiptLine, len(lines))
	for i, l := range lines {
		items[i] = receiptLineOf(l)
	}
	return &ReceiptResponse{
		ExportID: e.ID, Status: string(e.Status), CreditsCharged: e.Figures.CreditsCharged, CreditsRefunded: e.Refunded,
		TransactionID: orNull(e.Figures.TransactionID), ReadAt: time.Now().UTC().Truncate(time.Second), Items: items, NextCursor: orNull(next),
	}, nil
}

func receiptLineOf(l export.ReceiptLine) ReceiptLine {
	line := ReceiptLine{
		CompanyID: l.Company.ID, Name: l.Company.Name, Domain: orNull(l.Company.Domain),
		UnlockedBy: l.UnlockedBy, UnlockedAt: l.UnlockedAt, RefundedAt: l.RefundedAt,
		LockedFields: l.Locked.Names(),
	}
	line.Status, line.Credits = l.Price()
	return line
}
