package export

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
)

// Estimate returns what the request would cost now. Unlike Quote, it promises nothing, writes nothing, and accepts a
// request that selects no companies. Faults: Validation, NotFound for a list of another workspace.
func (x *Exports) Estimate(ctx context.Context, caller auth.Caller, r Request) (Figures, error) {
	r, err := r.checked(false)
	if err != nil {
		return Figures{}, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Figures{}, err
	}
	s, err := x.find(ctx, caller.Workspace, r)
	if err != nil {
		return Figures{}, err
	}
	owned, err := x.unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return Figures{}, err
	}
	_, figures, err := r.Terms.price(s, owned, balance)
	if errors.Is(err, fault.New(fault.NoCandidates, "")) {
		return Figures{Balance: balance}, nil
	}
	return figures, err
}

// Matches are what a search has counted: all its matches, and those of them that the workspace has unlocked.
type Matches struct{ Total, AlreadyUnlocked int }

// EstimateMatches is Estimate for all matches of a search that has just counted them. The counts are the price, unless
// more companies match than one export holds: then it is the price of the first RowsMax in the request's order.
func (x *Exports) EstimateMatches(ctx context.Context, caller auth.Caller, r Request, m Matches) (Figures, error) {
	if m.Total > RowsMax {
		return x.Estimate(ctx, caller, r)
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Figures{}, err
	}
	fresh := m.Total - m.AlreadyUnlocked
	return Figures{
		RequestedCount: m.Total, AlreadyUnlocked: m.AlreadyUnlocked, NewCount: fresh, Cost: int64(fresh),
		WouldSkip: int(max(0, int64(fresh)-balance)), Balance: balance,
	}, nil
}
