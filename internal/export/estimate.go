package export

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/auth"
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
	r, err := r.checked(false)
	if err != nil {
		return Estimate{}, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Estimate{}, err
	}
	left, err := x.BudgetLeft(ctx, caller)
	if err != nil {
		return Estimate{}, err
	}
	s, err := x.find(ctx, caller.Workspace, r)
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

// Matches are what a search has counted: all its matches, and those of them that the workspace has unlocked.
type Matches struct{ Total, AlreadyUnlocked int }

// EstimateMatches is Estimate for all matches of a search that has just counted them. The counts are the price, unless
// more companies match than one export holds: then it is the price of the first RowsMax in the request's order.
func (x *Exports) EstimateMatches(ctx context.Context, caller auth.Caller, r Request, m Matches) (Estimate, error) {
	if m.Total > RowsMax {
		return x.Estimate(ctx, caller, r)
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
