package view

import (
	"context"

	"github.com/opencapi/capi/internal/export"
)

// Price is what exporting a selection would do to the balance.
type Price struct {
	Matches  int // of the whole selection
	Rows     int // of the file
	Owned    int // of Rows, free
	New      int // of Rows, to pay for
	Cost     int64
	Balance  int64
	Capped   bool // the selection holds more than a file may
	Filtered bool // of what matches, only a part is asked for
}

// After is the balance afterwards; below zero by what is missing.
func (p Price) After() int64 { return p.Balance - p.Cost }

// Short holds if the balance does not cover the cost.
func (p Price) Short() bool { return p.After() < 0 }

func PriceOf(matches int, f export.Figures) Price {
	return Price{
		Matches: matches, Rows: f.RequestedCount, Owned: f.AlreadyUnlocked, New: f.NewCount, Cost: f.Cost,
		Balance: f.Balance, Capped: f.CappedAt10k, Filtered: f.RequestedCount < matches && !f.CappedAt10k,
	}
}

// summary is the price in a sentence, for those who hear the page.
func (p Price) summary(ctx context.Context) string {
	s := Plural(ctx, p.Matches, "match", "matches") + ", " + Count(ctx, p.Owned) + " already yours, cost " +
		Plural(ctx, p.Cost, "credit", "credits") + ", "
	if p.Short() {
		return s + Plural(ctx, -p.After(), "credit", "credits") + " short."
	}
	return s + Plural(ctx, p.After(), "credit", "credits") + " left."
}
