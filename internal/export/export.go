// Package export sells selections of companies: it prices them, charges for them, writes and delivers their files, and
// refunds exports that fail. It has no search and no balance of its own; it combines the stores that do, in one transaction.
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

// Status is the state of an export.
//
//	             a worker takes it          file stored
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

// endsWithoutFile reports whether the status is final and the export delivers nothing.
func (s Status) endsWithoutFile() bool { return s == StatusFailed || s == StatusCancelled }

// Final reports whether the status never changes again.
func (s Status) Final() bool { return s == StatusCompleted || s.endsWithoutFile() }

// Source is where an export's rows come from.
type Source string

// The sources, by their names in the API.
const (
	SourceSearch Source = "search"
	SourceList   Source = "list"
	SourceSet    Source = "set"
	SourceMatch  Source = "match"
)

// Export is a file that a workspace has bought. Its rows are fixed when it is created.
type Export struct {
	ID        id.Export
	Workspace id.Workspace
	Token     id.Token  // what created it; zero if a person did
	Person    id.Person // who created it in the console; zero if a token did
	Job       id.Job    // what writes the file
	Quote     id.Quote  // what it was bought with; zero without a quote
	Name      string
	Source    Source
	List      id.List         // zero unless Source is SourceList
	Match     id.MatchResult  // zero unless Source is SourceMatch; it expires
	Filters   json.RawMessage // as the client gave them; of a set, filters that have it alone; nil for a list or a match
	Sort      string          // as query.Sort prints it; empty for a list or a match
	Terms     Terms
	Format    format.Format
	Options   format.Options
	Status    Status
	Notify    bool // whether an email reports to its creator, a person, that it completed or failed

	Figures  Figures
	Refunded int64    // credits refunded of those charged, after it failed or was cancelled; may grow later
	RefundID id.Entry // the first ledger entry of a refund; zero without one

	// Destination is where it is to be delivered; zero for nowhere. Only Create sets it; later the delivery has it.
	Destination id.Destination

	// Warnings are about values of filters. Only Create sets them, unless it buys a quote; they are not stored.
	Warnings []Warning

	ProcessedRecords int
	SizeBytes        int64    // 0 until completed
	SHA256           [32]byte // of the file; zero until completed
	Error            string   // what went wrong, for people to read; empty unless failed

	CreatedAt   time.Time
	CompletedAt *time.Time // when it completed, failed for good or was cancelled

	// FileAt is when the file was written; nil if there is none: the export is unfinished, has ended without a file, or
	// PruneFiles has deleted it. Download writes a deleted file again.
	FileAt *time.Time
	// RowsAsOf is when the rows of the file were read. It is nil if they are those of the purchase.
	RowsAsOf *time.Time

	asOf      uint64 // the catalog's sequence number at creation
	revision  int64  // of the file; 0 is the one that the job has written
	unlockSeq int64  // the last position in the workspace's log of unlocks after the purchase; 0 if unknown
}

// Warning is a value of a filter that no company has.
type Warning = index.Warning

// Figures are the counts and the price of an export or a quote. A company costs one credit.
type Figures struct {
	RequestedCount  int   // companies selected, after the limit and the cap
	AlreadyUnlocked int   // of these, already unlocked: free
	NewCount        int   // of these, to pay for
	Cost            int64 // the price in credits: NewCount, less what a partial purchase skips
	CreditsCharged  int64 // Cost; 0 in a quote
	WouldSkip       int   // new companies that the balance or max_credits does not cover; an export leaves them out
	Excluded        int   // further companies that are on an excluded list; of a quote that is bought, as the quote counted them; 0 of an export that is read
	CappedAt10k     bool  // the source has more than RowsMax, and no smaller limit was asked for

	// TransactionID is the ledger entry of the charge; zero if nothing was charged.
	TransactionID id.Entry
	// Balance is the workspace's balance at the time; for an export, before its charge.
	Balance int64
}

// Rows is the number of companies that a created export delivers.
func (f Figures) Rows() int { return f.RequestedCount - f.WouldSkip }

// RowsMax is the maximum number of companies in one export.
const RowsMax = 10_000
