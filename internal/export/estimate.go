package export

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
)

// Estimate is what a request would cost now, and how many companies it could select.
type Estimate struct {
	Figures
	Matches    int    // companies that the source has under the terms, before the limit and the cap
	BudgetLeft *int64 // what the caller's budgets leave; nil if they have none
}

// Estimate returns what the request would cost now. Unlike Quote, it promises nothing, writes nothing, and accepts a
// request that selects no companies. Faults: Validation, NotFound for a list of another workspace.
func (x *Exports) Estimate(ctx context.Context, caller auth.Caller, r Request) (Estimate, error) {
	r, err := x.WithPreset(ctx, caller, r)
	if err == nil {
		r, err = r.checked(false)
	}
	if err != nil {
		return Estimate{}, err
	}
	if r, err = x.bounded(ctx, caller, r); err != nil {
		return Estimate{}, err
	}
	s, err := x.find(ctx, caller.Workspace, r)
	if err != nil {
		return Estimate{}, err
	}
	return x.priceOf(ctx, caller, r, s)
}

// priceOf returns what the selection would cost now.
func (x *Exports) priceOf(ctx context.Context, caller auth.Caller, r Request, s selection) (Estimate, error) {
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Estimate{}, err
	}
	left, err := x.BudgetLeft(ctx, caller)
	if err != nil {
		return Estimate{}, err
	}
	owned, err := x.unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return Estimate{}, err
	}
	_, figures, err := r.Terms.price(s, owned, balance)
	if errors.Is(err, fault.New(fault.NoCandidates, "")) {
		return Estimate{Figures: Figures{Balance: balance}, BudgetLeft: left}, nil
	}
	return Estimate{figures, s.matches, left}, err
}

// Matches are what a search has counted: all its matches, and those of them that the workspace has unlocked. First are the
// first RowsMax in its order, if it has found them.
type Matches struct {
	Total, AlreadyUnlocked int
	First                  []company.Number
}

// EstimateMatches is Estimate for all matches of a search that has just counted them. The counts are the price, unless
// more companies match than one export holds: then it is the price of the first RowsMax in the request's order.
func (x *Exports) EstimateMatches(ctx context.Context, caller auth.Caller, r Request, m Matches) (Estimate, error) {
	if m.Total > RowsMax {
		return x.estimateFirst(ctx, caller, r, m)
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Estimate{}, err
	}
	left, err := x.BudgetLeft(ctx, caller)
	if err != nil {
		return Estimate{}, err
	}
	fresh := m.Total - m.AlreadyUnlocked
	return Estimate{Matches: m.Total, BudgetLeft: left, Figures: Figures{
		RequestedCount: m.Total, AlreadyUnlocked: m.AlreadyUnlocked, NewCount: fresh, Cost: int64(fresh),
		WouldSkip: int(max(0, int64(fresh)-balance)), Balance: balance,
	}}, nil
}

// estimateFirst is Estimate for the first of more matches than one export holds. It selects them again if the search has not
// found them, or if one was removed in the meantime.
func (x *Exports) estimateFirst(ctx context.Context, caller auth.Caller, r Request, m Matches) (Estimate, error) {
	if len(m.First) != RowsMax || r.Terms.rowsMax() != RowsMax {
		return x.Estimate(ctx, caller, r)
	}
	removed, err := x.catalog.Removed(ctx)
	if err != nil {
		return Estimate{}, err
	}
	s := selection{numbers: m.First, set: company.SetOf(m.First...), matches: m.Total, capped: true}
	if s.set.AndLen(removed) > 0 {
		return x.Estimate(ctx, caller, r)
	}
	return x.priceOf(ctx, caller, r, s)
}
