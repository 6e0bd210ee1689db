package api

import (
	"context"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// LedgerEntry is a complete ledger entry.
type LedgerEntry struct {
	ID           id.Entry   `json:"id" format:"uuid" doc:"The id of the entry."`
	Amount       int64      `json:"amount" doc:"Negative for charges." example:"-180"`
	BalanceAfter int64      `json:"balance_after" doc:"The balance right after this entry." example:"1250"`
	Reason       string     `json:"reason" doc:"grant, purchase, adjustment, export_charge or export_refund." example:"export_charge"`
	Reference    *string    `json:"reference" doc:"What was charged or refunded; null for grants."`
	ExportID     *id.Export `json:"export_id" format:"uuid" doc:"The export that was charged or refunded; null for other entries."`
	Actor        Actor      `json:"actor" doc:"Who made the entry."`
	Note         *string    `json:"note" doc:"Reason given by the person who made the entry; null without one."`
	CreatedAt    time.Time  `json:"created_at" doc:"When the entry was made."`
}

// Actor is the token, person or system that made an entry.
type Actor struct {
	Type string  `json:"type" doc:"token, person, or system for automatic entries such as the refund of a failed export." example:"token"`
	ID   *string `json:"id" doc:"Id of the token, or of the person in the console; null for others."`
	Name *string `json:"name" doc:"The token's or the person's name; null for the system."`
}

// TransactionsResponse is one page of the ledger.
type TransactionsResponse struct {
	Items      []LedgerEntry `json:"items" doc:"The entries of this page, newest first."`
	NextCursor *string       `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
	orCSV
}

type transactionsInput struct {
	From   time.Time `query:"from" doc:"Only entries at or after this time (RFC 3339)."`
	To     time.Time `query:"to" doc:"Only entries before this time (RFC 3339)."`
	Reason string    `query:"reason" enum:"grant,purchase,adjustment,export_charge,export_refund" doc:"Only entries with this reason."`
	Format string    `query:"format" enum:"json,csv" default:"json" doc:"csv returns all entries at once, without pages."`
	pageInput
}

// check returns a Validation fault if the parameters contradict each other.
func (in *transactionsInput) check() error {
	errs := in.unlessCSV(in.Format)
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		errs = append(errs, fault.FieldError{Field: "to", Message: "must be later than from"})
	}
	return fault.Invalid(errs...)
}

// unlessCSV returns the errors of paging parameters for CSV, which has no pages.
func (p pageInput) unlessCSV(format string) []fault.FieldError {
	var errs []fault.FieldError
	if format != formatCSV {
		return nil
	}
	if p.Cursor != "" {
		errs = append(errs, fault.FieldError{Field: "cursor", Message: "is only for format json; csv has no pages"})
	}
	if p.Limit != 0 {
		errs = append(errs, fault.FieldError{Field: "limit", Message: "is only for format json; csv has no pages"})
	}
	return errs
}

func (s *server) listTransactions(ctx context.Context, caller auth.Caller, in *transactionsInput) (*TransactionsResponse, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	filter := credit.Filter{From: in.From, To: in.To, Reason: credit.Reason(in.Reason)}
	if in.Format == formatCSV {
		return &TransactionsResponse{orCSV: orCSV{&httpx.CSV{
			FileName: "transactions.csv", Columns: credit.Columns(), Rows: s.Credits.Rows(ctx, caller.Workspace, filter),
		}}}, nil
	}
	scope := ledgerScope(caller.Workspace, filter)
	before, err := readCursor(scope, in.Cursor, parseSeq)
	if err != nil {
		return nil, err
	}
	entries, err := s.Credits.Page(ctx, caller.Workspace, filter, before, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &TransactionsResponse{Items: []LedgerEntry{}}
	if len(entries) > in.size() {
		entries = entries[:in.size()]
		out.NextCursor = nextCursor(scope, entries[len(entries)-1].Seq)
	}
	for _, e := range entries {
		out.Items = append(out.Items, ledgerEntryOf(e))
	}
	return out, nil
}

func ledgerEntryOf(e credit.Entry) LedgerEntry {
	return LedgerEntry{
		ID: e.ID, Amount: e.Amount, BalanceAfter: e.BalanceAfter, Reason: string(e.Reason), Reference: orNull(e.Reference),
		ExportID: orNull(e.Export()), Actor: actorOf(e), Note: orNull(e.Note), CreatedAt: e.CreatedAt,
	}
}

func actorOf(e credit.Entry) Actor {
	kind, actor, name := e.ActorParts()
	return Actor{Type: kind, ID: orNull(actor), Name: orNull(name)}
}

// ledgerScope is what a cursor of the ledger belongs to. The ledger only grows at its other end, so no entry comes twice
// or is passed over.
func ledgerScope(ws id.Workspace, f credit.Filter) cursor.Scope {
	return cursor.NewScope("ledger", ws, f.From.UnixMicro(), f.To.UnixMicro(), f.Reason)
}

func parseSeq(s string) (int64, error) {
	seq, err := strconv.ParseInt(s, 10, 64)
	if err == nil && seq < 1 {
		err = strconv.ErrRange
	}
	return seq, err
}
