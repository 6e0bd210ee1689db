package view

import (
	"context"

	"github.com/opencapi/capi/internal/export"
)

// Price is what a selection costs, and what its file costs, which can be smaller.
type Price struct {
	All     Split // the whole selection. Only Rows is set where the split is not counted
	File    Split
	Cost    int64 // of the file
	Balance int64
	Capped  bool // the selection is larger than a file can be

	BudgetLeft *int64 // what the viewer's budget leaves; nil without a budget
}

// Split is a number of companies: those that the workspace owns, and the new ones, which cost a credit each.
type Split struct{ Rows, Owned, New int }

// After returns the balance after the export of the file. It is negative if credits are missing.
func (p Price) After() int64 { return p.Balance - p.Cost }

// Short reports whether the balance does not cover the cost of the file.
func (p Price) Short() bool { return p.After() < 0 }

// OverBudget reports whether the viewer's budget does not cover the cost of the file.
func (p Price) OverBudget() bool { return p.BudgetLeft != nil && p.Cost > *p.BudgetLeft }

// PriceOf returns the price of a selection and of its file, and what the viewer's budget leaves; nil without a budget.
func PriceOf(all Split, f export.Figures, budgetLeft *int64) Price {
	return Price{
		BudgetLeft: budgetLeft,
		All:        all, File: Split{Rows: f.RequestedCount, Owned: f.AlreadyUnlocked, New: f.NewCount},
		Cost: f.Cost, Balance: f.Balance, Capped: f.CappedAt10k,
	}
}

// summary describes the price in sentences for screen readers.
func (p Price) summary(ctx context.Context) string {
	s := Plural(ctx, p.All.Rows, "match", "matches") + ", "
	if p.File.Rows < p.All.Rows {
		s = Count(ctx, p.File.Rows) + " of " + Plural(ctx, p.All.Rows, "match", "matches") + " in the file, "
	}
	s += Count(ctx, p.File.Owned) + " already yours, cost " + Plural(ctx, p.Cost, "credit", "credits") + ", "
	if p.OverBudget() {
		s += "more than your budget allows, "
	}
	if p.Short() {
		return s + Plural(ctx, -p.After(), "credit", "credits") + " short."
	}
	return s + Plural(ctx, p.After(), "credit", "credits") + " left."
}

// capNote describes the file of a selection that is too large for one, in the order of the sort.
func (p Price) capNote(ctx context.Context, order string) string {
	s := "A file has at most " + Count(ctx, export.RowsMax) + " companies: this one has the first " + Count(ctx, p.File.Rows) + " of " +
		Count(ctx, p.All.Rows) + ", " + order + ". "
	cost := "cost " + Plural(ctx, p.Cost, "credit", "credits") + "."
	switch {
	case p.File.New == 0:
		return s + "All of them are already yours, and free."
	case p.File.Owned == 0:
		return s + "All of them are new and " + cost
	}
	return s + Count(ctx, p.File.Owned) + " of them are already yours, the other " + Count(ctx, p.File.New) + " " + cost
}
