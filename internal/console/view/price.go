package view

import (
	"context"

	"github.com/opencapi/capi/internal/export"
)

// Price is what the export of a selection costs, and what that leaves.
type Price struct {
	Matches  int // companies in the selection
	Rows     int // companies in the file
	Owned    int // part of Rows; free
	New      int // part of Rows; to pay for
	Cost     int64
	Balance  int64
	Capped   bool // the selection is larger than a file can be
	Filtered bool // the form asks for only a part of the matches
}

// After returns the balance after the export. It is negative if credits are missing.
func (p Price) After() int64 { return p.Balance - p.Cost }

// Short reports whether the balance does not cover the cost.
func (p Price) Short() bool { return p.After() < 0 }

// PriceOf returns the price of an export with these figures out of this number of matches.
func PriceOf(matches int, f export.Figures) Price {
	return Price{
		Matches: matches, Rows: f.RequestedCount, Owned: f.AlreadyUnlocked, New: f.NewCount, Cost: f.Cost,
		Balance: f.Balance, Capped: f.CappedAt10k, Filtered: f.RequestedCount < matches && !f.CappedAt10k,
	}
}

// summary describes the price in a sentence for screen readers.
func (p Price) summary(ctx context.Context) string {
	s := Plural(ctx, p.Matches, "match", "matches") + ", " + Count(ctx, p.Owned) + " already yours, cost " +
		Plural(ctx, p.Cost, "credit", "credits") + ", "
	if p.Short() {
		return s + Plural(ctx, -p.After(), "credit", "credits") + " short."
	}
	return s + Plural(ctx, p.After(), "credit", "credits") + " left."
}
