package api

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
)

// ExportResponse is the created export and its credit math.
type ExportResponse struct {
	ExportJob ExportJob `json:"export_job" doc:"The export that was created."`
	Figures
	ExcludedCount int       `json:"excluded_count" doc:"Further companies that match and were left out because they are on an excluded list; with a quote_id, as the quote counted them." example:"0"`
	TransactionID *id.Entry `json:"transaction_id" format:"uuid" doc:"The ledger entry of the charge; null if nothing was charged."`
	Warnings      []Warning `json:"warnings" doc:"Filter values and words that no company has, values that are both included and excluded, and operators that mean nothing in query. Empty with a quote_id, because the quote listed them."`
}

// ExportJob is an export in short.
type ExportJob struct {
	ID           id.Export `json:"id" format:"uuid" doc:"The id of the export: poll Get an export with it."`
	Name         string    `json:"name" doc:"The label from the request."`
	Status       string    `json:"status" doc:"pending, processing, completed or failed." example:"pending"`
	ExportFormat string    `json:"export_format" doc:"The format of the file: csv, json, ndjson, parquet or xlsx." example:"csv"`
	SourceType   string    `json:"source_type" doc:"Where the rows come from: search, list, set or match." example:"search"`
}

// Figures are the credit math of an export. A new company costs one credit.
type Figures struct {
	RequestedCount  int   `json:"requested_count" doc:"Companies selected, after limit and cap." example:"500"`
	AlreadyUnlocked int   `json:"already_unlocked" doc:"Of these, exported by the workspace before; they are free." example:"320"`
	NewCount        int   `json:"new_count" doc:"Of these, new." example:"180"`
	Cost            int64 `json:"cost" doc:"In credits: new_count less what a partial export skips." example:"180"`
	CreditsCharged  int64 `json:"credits_charged" doc:"0 in a quote." example:"180"`
	WouldSkip       int   `json:"would_skip" doc:"New companies that the balance or max_credits does not cover. They are not in the file, which has requested_count - would_skip rows." example:"0"`
	CappedAt10k     bool  `json:"capped_at_10k" doc:"Whether more companies matched than one export can hold, and no smaller limit was set."`
}

// QuoteResponse is the current cost of an export, which is also its highest cost until the quote expires.
type QuoteResponse struct {
	QuoteID   id.Quote  `json:"quote_id" format:"uuid" doc:"Send it to Create an export for exactly these companies at no more than this cost."`
	ExpiresAt time.Time `json:"expires_at" doc:"15 minutes from now."`
	Figures
	ExcludedCount int    `json:"excluded_count" doc:"Further companies that match and are left out because they are on an excluded list." example:"0"`
	Balance       int64  `json:"balance" doc:"Credits that the workspace has now." example:"1250"`
	BudgetLeft    *int64 `json:"budget_left" doc:"What the budgets of the token, and of the member who created it, leave; null without a budget." example:"320"`
	Affordable    bool   `json:"affordable" doc:"Whether the balance, max_credits and the budgets cover the cost now."`

	Warnings []Warning `json:"warnings" doc:"Filter values and words that no company has (in an exclude_ filter, such a value excludes nothing), values that are both included and excluded, and operators that mean nothing in query."`
}

func figuresOf(f export.Figures) Figures {
	return Figures{
		RequestedCount: f.RequestedCount, AlreadyUnlocked: f.AlreadyUnlocked, NewCount: f.NewCount, Cost: f.Cost,
		CreditsCharged: f.CreditsCharged, WouldSkip: f.WouldSkip, CappedAt10k: f.CappedAt10k,
	}
}

type exportInput struct{ Body ExportRequest }

func (s *server) createExport(ctx context.Context, caller auth.Caller, in *exportInput, a *idempotency.Attempt) error {
	_, figures, err := s.Exports.Create(ctx, caller, in.Body.request(), idempotency.Last(a, rendered(exportResponseOf)))
	spent(ctx, figures.CreditsCharged)
	return err
}

func exportResponseOf(e export.Export) ExportResponse {
	return ExportResponse{
		ExportJob: ExportJob{
			ID: e.ID, Name: e.Name, Status: string(e.Status), ExportFormat: string(e.Format), SourceType: string(e.Source),
		},
		Figures: figuresOf(e.Figures), ExcludedCount: e.Figures.Excluded, TransactionID: orNull(e.Figures.TransactionID), Warnings: warningsOf(e.Warnings),
	}
}

type quoteInput struct{ Body QuoteRequest }

func (s *server) quoteExport(ctx context.Context, caller auth.Caller, in *quoteInput, a *idempotency.Attempt) error {
	_, err := s.Exports.Quote(ctx, caller, in.Body.request(in.Body.Name), idempotency.Last(a, rendered(quoteResponseOf)))
	return err
}

func quoteResponseOf(q export.Quote) QuoteResponse {
	return QuoteResponse{
		QuoteID: q.ID, ExpiresAt: q.ExpiresAt,
		Figures: figuresOf(q.Figures), ExcludedCount: q.Figures.Excluded, Balance: q.Figures.Balance, BudgetLeft: q.BudgetLeft, Affordable: q.Affordable, Warnings: warningsOf(q.Warnings),
	}
}

// ExportDetail is an export with its progress and cost.
type ExportDetail struct {
	ID               id.Export    `json:"id" format:"uuid" doc:"The id of the export."`
	WorkspaceID      id.Workspace `json:"workspace_id" format:"uuid" doc:"The workspace that the export belongs to."`
	Name             string       `json:"name" doc:"The label from the request."`
	ExportFormat     string       `json:"export_format" doc:"The format of the file: csv, json, ndjson, parquet or xlsx." example:"csv"`
	HeaderRow        string       `json:"header_row" doc:"name or label: what the header row of a csv or xlsx file says." example:"name"`
	Compression      string       `json:"compression" doc:"none, gzip or zstd: how the file is compressed." example:"none"`
	SourceType       string       `json:"source_type" doc:"Where the rows come from: search, list, set or match." example:"search"`
	Status           string       `json:"status" doc:"pending, processing, completed, failed or cancelled." example:"completed"`
	TotalRecords     int          `json:"total_records" doc:"Rows that the file will have."`
	ProcessedRecords int          `json:"processed_records" doc:"Rows that are written so far."`
	FileSizeBytes    *int64       `json:"file_size_bytes" doc:"null until completed."`
	CreatedAt        time.Time    `json:"created_at" doc:"When the export was created and charged."`
	CompletedAt      *time.Time   `json:"completed_at" doc:"When it completed, failed for good or was cancelled."`
	Figures
	TransactionID   *id.Entry       `json:"transaction_id" format:"uuid" doc:"The ledger entry of the charge; null if nothing was charged."`
	CreditsRefunded int64           `json:"credits_refunded" doc:"The part of credits_charged that was refunded because the export failed or was cancelled. It can grow later, when another export of the same companies fails or is cancelled too."`
	Error           *string         `json:"error" doc:"Why the export failed; null if it did not."`
	SearchFilters   storedFilters   `json:"search_filters" doc:"The filters as requested; null for a list."`
	ListID          *id.List        `json:"list_id" format:"uuid" doc:"null unless source_type is list."`
	MatchID         *id.MatchResult `json:"match_id" format:"uuid" doc:"null unless source_type is match. The match itself is kept for 15 minutes."`
	QuoteID         *id.Quote       `json:"quote_id" format:"uuid" doc:"The quote that the export was created from; null without one."`

	Limit                 *int     `json:"limit" doc:"As requested, like the next five fields; null without one."`
	OnlyNew               bool     `json:"only_new" doc:"Whether companies that the workspace had unlocked were left out."`
	OnlyOwned             bool     `json:"only_owned" doc:"Whether companies that the workspace had not unlocked were left out."`
	ExcludeListID         *id.List `json:"exclude_list_id" format:"uuid" doc:"The list whose companies were left out; null without one."`
	OnInsufficientBalance string   `json:"on_insufficient_balance" doc:"fail or partial: what was to happen if the balance did not cover the cost." example:"fail"`
	MaxCredits            *int64   `json:"max_credits" doc:"The most credits that the export was allowed to cost; null without a limit."`

	OrderID *id.Order `json:"order_id" format:"uuid" doc:"The standing order that bought it; null without one."`
	Deliver *string   `json:"deliver" doc:"added, changed, left or all: what the order delivers of its source; null without an order." example:"added"`

	Delivery *ExportDelivery `json:"delivery" doc:"The delivery to the destination of the request; null without one."`
}

// TransformSchema allows null for the delivery.
func (*ExportDetail) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNullSchema(s, "delivery")
}

// storedFilters is the stored JSON of filters, or null.
type storedFilters json.RawMessage

// MarshalJSON returns the stored JSON.
func (f storedFilters) MarshalJSON() ([]byte, error) { return json.RawMessage(f).MarshalJSON() }

// Schema describes the filters in the OpenAPI document.
func (storedFilters) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		{Type: huma.TypeObject, AdditionalProperties: true}, {Type: "null"},
	}}
}

// exportDetailOf returns an export with its delivery among the given ones.
func exportDetailOf(e export.Export, deliveries map[id.Export]delivery.Delivery) ExportDetail {
	d := ExportDetail{
		ID: e.ID, WorkspaceID: e.Workspace, Name: e.Name, ExportFormat: string(e.Format), SourceType: string(e.Source),
		HeaderRow: cmp.Or(string(e.Options.Headers), string(format.HeadersName)), Compression: cmp.Or(string(e.Options.Compression), string(format.None)),
		Status: string(e.Status), TotalRecords: e.Figures.Rows(), ProcessedRecords: e.ProcessedRecords,
		CreatedAt: e.CreatedAt, CompletedAt: e.CompletedAt,
		Figures: figuresOf(e.Figures), TransactionID: orNull(e.Figures.TransactionID), CreditsRefunded: e.Refunded,
		Error: orNull(e.Error), SearchFilters: storedFilters(e.Filters), ListID: orNull(e.List), MatchID: orNull(e.Match),
		QuoteID: orNull(e.Quote), Limit: orNull(e.Terms.Limit), OnlyNew: e.Terms.OnlyNew, OnlyOwned: e.Terms.OnlyOwned,
		ExcludeListID: orNull(e.Terms.NotOn), OnInsufficientBalance: balanceFail,
		MaxCredits: e.Terms.MaxCredits, OrderID: orNull(e.Terms.Order), Deliver: orNull(e.Terms.Deliver),
	}
	if to, found := deliveries[e.ID]; found {
		d.Delivery = new(exportDeliveryOf(to.Of(e.Status)))
	}
	if e.Terms.Partial {
		d.OnInsufficientBalance = balancePartial
	}
	if e.Status == export.StatusCompleted {
		d.FileSizeBytes = &e.SizeBytes
	}
	return d
}

type oneExportInput struct {
	Export id.Export `path:"export_id" format:"uuid" doc:"The id of the export."`
}

func (s *server) getExport(ctx context.Context, caller auth.Caller, in *oneExportInput) (*ExportDetail, error) {
	e, err := s.Exports.Get(ctx, caller, in.Export)
	if err != nil {
		return nil, err
	}
	return s.exportDetail(ctx, e)
}

func (s *server) exportDetail(ctx context.Context, e export.Export) (*ExportDetail, error) {
	deliveries, err := s.Deliveries.Of(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	return new(exportDetailOf(e, deliveries)), nil
}

// ExportsResponse is one page of exports.
type ExportsResponse struct {
	Items      []ExportDetail `json:"items" doc:"The exports of this page, newest first."`
	NextCursor *string        `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

func (s *server) listExports(ctx context.Context, caller auth.Caller, in *pageInput) (*ExportsResponse, error) {
	exports, next, err := s.Exports.List(ctx, caller, in.Cursor, in.size())
	if err != nil {
		return nil, err
	}
	ids := make([]id.Export, len(exports))
	for i, e := range exports {
		ids[i] = e.ID
	}
	deliveries, err := s.Deliveries.Of(ctx, ids...)
	if err != nil {
		return nil, err
	}
	items := make([]ExportDetail, len(exports))
	for i, e := range exports {
		items[i] = exportDetailOf(e, deliveries)
	}
	return &ExportsResponse{Items: items, NextCursor: orNull(next)}, nil
}
