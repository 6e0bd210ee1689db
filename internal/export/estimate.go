package export

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
)

// Estimate is the arithmetic of Quote without its promise: it writes nothing, and a selection without companies is no
// fault. Validation, NotFound for a list of another workspace.
func (x *Exports) Estimate(ctx context.Context, caller auth.Caller, r Request) (Figures, error) {
	r, err := r.checked(false)
	if err != nil {
		return Figures{}, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Figures{}, err
	}
	s, err := x.resolve(ctx, caller.Workspace, r)
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
