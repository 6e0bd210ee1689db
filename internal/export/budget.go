package export

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// budgetsOf returns the budgets that a purchase of the caller spends: the token's, and that of the member who buys or who created
// the token.
func budgetsOf(ctx context.Context, q db.Querier, caller auth.Caller, at time.Time) ([]budget.Holder, error) {
	var holders []budget.Holder
	person := caller.Person
	if !caller.Token.IsZero() {
		h, creator, err := token.Budget(ctx, q, caller.Token, at)
		if err != nil {
			return nil, err
		}
		holders, person = append(holders, h), creator
	}
	if person.IsZero() {
		return holders, nil
	}
	h, err := workspace.Budget(ctx, q, caller.Workspace, person, at)
	return append(holders, h), err
}

// checkBudgets returns TokenBudgetExceeded if the cost would exceed a budget of the caller, and records an event for each share of
// a budget that the cost reaches. The account of the workspace must be locked in tx.
func checkBudgets(ctx context.Context, tx *db.Tx, caller auth.Caller, cost int64, at time.Time) error {
	holders, err := budgetsOf(ctx, tx, caller, at)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if h.Refusal(cost, nil) == nil {
			if err := recordCrossings(ctx, tx, caller.Workspace, h, cost); err != nil {
				return err
			}
			continue
		}
		owners, err := workspace.OwnerNames(ctx, tx, caller.Workspace)
		if err != nil {
			return err
		}
		return h.Refusal(cost, owners)
	}
	return nil
}

func recordCrossings(ctx context.Context, tx *db.Tx, ws id.Workspace, h budget.Holder, cost int64) error {
	idName := "token_id"
	if h.Kind == budget.Member {
		idName = "person_id"
	}
	for _, c := range h.Crossings(cost) {
		err := event.Record(ctx, tx, ws, event.BudgetThreshold, map[string]any{
			"whose": string(h.Kind), idName: h.ID, "name": h.Name, "percent": c.Percent, "period": c.Period, "budget": c.Limit, "spent": c.Spent,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// BudgetLeft returns how many credits the budgets of the caller leave; nil if they have none. It is not negative.
func (x *Exports) BudgetLeft(ctx context.Context, caller auth.Caller) (*int64, error) {
	var left *int64
	err := x.db.ReadTx(ctx, func(q db.Querier) error {
		holders, err := budgetsOf(ctx, q, caller, time.Now())
		for _, h := range holders {
			if n := h.Left(); n != nil && (left == nil || *n < *left) {
				left = n
			}
		}
		return err
	})
	if left != nil {
		*left = max(0, *left)
	}
	return left, err
}

// within reports whether what is left of a budget, nil for any number, covers the cost. What costs nothing needs no budget.
func within(left *int64, cost int64) bool { return left == nil || cost == 0 || cost <= *left }
