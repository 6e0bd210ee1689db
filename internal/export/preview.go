package export

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/workspace"
)

// Preview is what Create would do now.
type Preview struct {
	Estimate
	Warnings []Warning
	Refusal  error // why Create would buy nothing: NoCandidates, or a fault about the price; nil if it would buy
}

// Preview returns what Create would do with the request now, and writes nothing. Faults: those of Create that are not a Refusal.
func (x *Exports) Preview(ctx context.Context, caller auth.Caller, r Request) (Preview, error) {
	r, err := x.WithPreset(ctx, caller, r)
	if err == nil {
		r, err = r.checked(true)
	}
	if err != nil {
		return Preview{}, err
	}
	if err := x.CheckDestination(ctx, caller, r.Destination); err != nil {
		return Preview{}, err
	}
	if r, err = x.bounded(ctx, caller, r); err == nil {
		err = r.refuseWidened(caller)
	}
	if err != nil {
		return Preview{}, err
	}
	s, err := x.find(ctx, caller.Workspace, r)
	if err != nil {
		return Preview{}, err
	}
	var p Preview
	if p.Warnings, err = index.Warnings(ctx, x.index, r.Query); err != nil {
		return Preview{}, err
	}
	if len(s.numbers) == 0 {
		p.Refusal = x.empty(ctx, r, s, p.Warnings)
		if fault.CodeOf(p.Refusal) != fault.NoCandidates {
			return Preview{}, p.Refusal
		}
		p.Estimate, err = x.priceOf(ctx, caller, r, s)
		return p, err
	}
	if err := x.checkLimits(ctx, caller, resolved{Request: r, selection: s}); err != nil {
		return Preview{}, err
	}
	balance, err := x.credit.Balance(ctx, caller.Workspace)
	if err != nil {
		return Preview{}, err
	}
	owned, err := x.unlock.Owned(ctx, caller.Workspace)
	if err != nil {
		return Preview{}, err
	}
	kept, figures, err := r.Terms.price(s, owned, balance)
	if err == nil {
		err = r.Terms.refusal(kept, figures)
	}
	if err == nil {
		err = x.budgetRefusal(ctx, caller, figures.Cost)
	}
	switch fault.CodeOf(err) {
	case fault.NoCandidates, fault.InsufficientBalance, fault.MaxCreditsExceeded, fault.TokenBudgetExceeded:
		p.Refusal = err
	default:
		if err != nil {
			return Preview{}, err
		}
	}
	p.Figures, p.Matches = figures, s.matches
	p.BudgetLeft, err = x.BudgetLeft(ctx, caller)
	return p, err
}

// budgetRefusal returns TokenBudgetExceeded if the cost would exceed a budget of the caller now.
func (x *Exports) budgetRefusal(ctx context.Context, caller auth.Caller, cost int64) error {
	if cost == 0 {
		return nil
	}
	return x.db.ReadTx(ctx, func(q db.Querier) error {
		holders, err := budgetsOf(ctx, q, caller, time.Now())
		if err != nil {
			return err
		}
		owners, err := workspace.OwnerNames(ctx, q, caller.Workspace)
		if err != nil {
			return err
		}
		for _, h := range holders {
			if refusal := h.Refusal(cost, owners); refusal != nil {
				return refusal
			}
		}
		return nil
	})
}

// membersSpan is how many numbers Members looks at in one step, so that its memory does not grow with the catalog.
const membersSpan = 1 << 20

// Members returns all companies of the request's source, not only those that one export holds, whatever its terms leave out. within,
// unless nil, restricts them. Faults: Validation, NotFound for a list of another workspace.
func (x *Exports) Members(ctx context.Context, caller auth.Caller, r Request, within *company.Set) (company.Set, error) {
	r, err := x.bounded(ctx, caller, r)
	if err != nil {
		return company.Set{}, err
	}
	if r.Source == SourceList {
		set, err := x.lists.Companies(ctx, caller.Workspace, r.List)
		if err == nil && within != nil {
			set = set.And(*within)
		}
		return set, err
	}
	extent, err := x.catalog.Extent(ctx)
	if err != nil {
		return company.Set{}, err
	}
	var all company.Set
	for first := uint64(1); first <= uint64(extent.Last); first += membersSpan {
		span := company.Span(company.Number(first), company.Number(min(first+membersSpan-1, uint64(extent.Last)))) //nolint:gosec // at most the last number
		if within != nil {
			span = span.And(*within)
		}
		if span.IsEmpty() {
			continue
		}
		found, err := x.index.Select(ctx, index.Selection{Query: r.Query, Sort: query.Sort{By: query.ByUpdatedAt}, Limit: span.Len(), Within: &span})
		if err != nil {
			return company.Set{}, fmt.Errorf("select companies: %w", err)
		}
		all = all.Or(company.SetOf(found.Numbers...))
	}
	return all, nil
}
