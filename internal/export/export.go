// Package export sells selections of companies: estimate, charge, write the file, hand it out, give back what failed.
// It finds no companies itself and keeps no balance; it joins the books that do, in one transaction.
package export

import (
	"encoding/json"
	"time"

	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
)

// JobKind is the kind of the jobs that write an export's file.
const JobKind = "export.run"

// Status is where an export stands.
//
//	             a worker takes it          file in place
//	pending ───────────────────▶ processing ─────────────▶ completed
//	   │                          │   │
//	   └─────────┬────────────────┘   │ the job failed for good
//	     Cancel  ▼                    ▼
//	         cancelled              failed
//
// The last three are final; of them only a completed export delivers.
type Status string

// The statuses, by their names in the API.
const (
	StatusPending    Status = "pending"
	StatusProcessing Status = "processing"
	StatusCompleted  Status = "completed"
	StatusFailed     Status = "failed"
	StatusCancelled  Status = "cancelled"
)

// endsWithoutFile holds for the final statuses of an export that delivers nothing.
func (s Status) endsWithoutFile() bool { return s == StatusFailed || s == StatusCancelled }

// Source is where an export's rows come from.
type Source string

// The sources, by their names in the API.
const (
	SourceSearch Source = "search"
	SourceList   Source = "list"
)

// Export is one order of a file. Its rows are fixed at its creation.
type Export struct {
	ID        id.Export
	Workspace id.Workspace
	Token     id.Token  // what created it; zero if a person did
	Person    id.Person // who created it in the console; zero if a token did
	Job       id.Job    // what writes the file
	Quote     id.Quote  // what it was bought by; zero without one
	Name      string
	Source    Source
	List      id.List         // zero for a search
	Filters   json.RawMessage // as the client gave them; nil for a list
	Sort      string          // as query.Sort prints it; empty for a list
	Terms     Terms
	Format    format.Format
	Options   format.Options
	Status    Status

	Figures  Figures
	Refunded int64    // of the credits charged, those given back after it failed or was cancelled; may grow later
	RefundID id.Entry // the first ledger entry of that; zero without one

	// Warnings are the values of the filters that no company has. They are told at creation, without a quote, and not kept.
	Warnings []Warning

	ProcessedRecords int
	SizeBytes        int64    // 0 until completed
	SHA256           [32]byte // of the file; zero until completed
	Error            string   // what went wrong, for people; empty unless failed

	CreatedAt   time.Time
	CompletedAt *time.Time // when it completed, failed for good or was cancelled

	asOf      uint64 // the catalog's sequence number at creation
	unlockSeq int64  // where the workspace's log of unlocks stood after the purchase; 0 if that is not known
}

// Warning is a value of a filter that no company has.
type Warning = index.Warning

// Figures are the credit math of an export or a quote, in companies, which are credits.
type Figures struct {
	RequestedCount  int   // what the source gave, after the limit and the cap
	AlreadyUnlocked int   // of these, owned before: free
	NewCount        int   // of these, to pay for
	Cost            int64 // what is paid for, in credits: NewCount, or less by what a partial purchase skips
	CreditsCharged  int64 // Cost; 0 in a quote
	WouldSkip       int   // new companies that the funds do not cover; an export is without them
	CappedAt10k     bool  // the source matched more than RowsMax, and no smaller limit was asked for

	// TransactionID is the ledger entry of the charge; zero if nothing was charged.
	TransactionID id.Entry
	// Balance is what the workspace had when the figures were made; for a created export, before its charge.
	Balance int64
}

// Rows is the number of companies that a created export delivers.
func (f Figures) Rows() int { return f.RequestedCount - f.WouldSkip }

// RowsMax is the number of companies that one export holds at most.
const RowsMax = 10_000
