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

// receiptSize is the number of receipt lines on a page of which no size was asked for.
const receiptSize = 100

// ReceiptLine says what one row of an export's file cost.
type ReceiptLine struct {
	CompanyID  id.Company `json:"company_id" format:"uuid"`
	Name       string     `json:"name" doc:"As it is now."`
	Domain     *string    `json:"domain" doc:"As it is now."`
	Status     string     `json:"status" doc:"charged: by this export; owned: by an earlier one, so it was free; refunded: charged by this export, and given back." example:"charged"`
	Credits    int        `json:"credits" doc:"What it costs in this export, after refunds: 1 or 0." example:"1"`
	UnlockedBy id.Export  `json:"unlocked_by" format:"uuid" doc:"The export that was charged for it."`
	UnlockedAt time.Time  `json:"unlocked_at" doc:"When that was."`
	RefundedAt *time.Time `json:"refunded_at" doc:"When its credit was given back; null if it was not."`
}

// ReceiptResponse is one page of an export's receipt.
type ReceiptResponse struct {
	ExportID        id.Export     `json:"export_id" format:"uuid"`
	Status          string        `json:"status" doc:"Of the export." example:"completed"`
	CreditsCharged  int64         `json:"credits_charged" example:"180"`
	CreditsRefunded int64         `json:"credits_refunded" example:"0"`
	TransactionID   *id.Entry     `json:"transaction_id" format:"uuid" doc:"The ledger's entry of the charge; null if nothing was charged."`
	Items           []ReceiptLine `json:"items"`
	NextCursor      *string       `json:"next_cursor"`
	orCSV
}

type receiptInput struct {
	oneExportInput
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Format string `query:"format" enum:"json,csv" default:"json" doc:"csv gives all lines at once, without pages."`
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
		TransactionID: orNull(e.Figures.TransactionID), Items: items, NextCursor: orNull(next),
	}, nil
}

func receiptLineOf(l export.ReceiptLine) ReceiptLine {
	line := ReceiptLine{
		CompanyID: l.Company.ID, Name: l.Company.Name, Domain: orNull(l.Company.Domain),
		UnlockedBy: l.UnlockedBy, UnlockedAt: l.UnlockedAt, RefundedAt: l.RefundedAt,
	}
	line.Status, line.Credits = l.Price()
	return line
}
