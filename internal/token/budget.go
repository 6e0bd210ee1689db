package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Unbudgeted is who may create tokens that can export but have no budget, in a workspace.
type Unbudgeted string

// The choices. Only owners can remove the budget of a token, so Owners and Everyone differ for new tokens alone.
const (
	Everyone Unbudgeted = "everyone" // the default
	Owners   Unbudgeted = "owners"   // and the command line
	Nobody   Unbudgeted = "nobody"
)

// ParseUnbudgeted parses the name of a choice.
func ParseUnbudgeted(s string) (Unbudgeted, error) {
	if u := Unbudgeted(s); u == Everyone || u == Owners || u == Nobody {
		return u, nil
	}
	return "", fmt.Errorf("%q is not a choice; use %s, %s or %s", s, Everyone, Owners, Nobody)
}

// NeedsBudget reports whether a new token needs a budget. A token that cannot export needs none.
func (u Unbudgeted) NeedsBudget(scope auth.Scope, byOwner bool) bool {
	return scope.Allows(auth.ReadWrite) && (u == Nobody || u == Owners && !byOwner)
}

// fault returns the fault of a token without the budget that it needs.
func (u Unbudgeted) fault() error {
	message := "is required: the owners of this workspace allow no tokens without a budget. Set a total or a monthly limit."
	if u == Owners {
		message = "is required: only owners of this workspace may create tokens without a budget. Set a total or a monthly limit."
	}
	return fault.Invalid(fault.FieldError{Field: "budget", Message: message})
}

// SetBudget replaces a token's budget. It applies from the next purchase on. Faults: Validation, also if the workspace allows no
// token without a budget, NotFound.
func (s *Store) SetBudget(ctx context.Context, token id.Token, limits budget.Limits) error {
	if err := fault.Invalid(limits.Faults()...); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var ws id.Workspace
		var scope auth.Scope
		var allowed Unbudgeted
		err := tx.QueryRowContext(ctx, `UPDATE token SET budget = $2, budget_month = $3 WHERE id = $1
			RETURNING workspace_id, scope, COALESCE((SELECT unbudgeted_tokens FROM workspace w WHERE w.id = token.workspace_id), 'everyone')`,
			token, limits.Total, limits.Month).Scan(&ws, &scope, &allowed)
		if errors.Is(err, sql.ErrNoRows) {
			return noToken(token)
		}
		if err != nil {
			return fmt.Errorf("set budget of token %s: %w", token, err)
		}
		if limits.IsZero() && allowed.NeedsBudget(scope, true) {
			return allowed.fault()
		}
		details := map[string]any{}
		limits.Describe(details)
		return record(ctx, tx, auditlog.BudgetChanged, ws, token, details)
	})
}

// Spending returns the token's budget and what it has spent. NotFound without the token.
func (s *Store) Spending(ctx context.Context, token id.Token) (budget.Use, error) {
	var use budget.Use
	err := s.db.ReadTx(ctx, func(q db.Querier) error {
		holder, _, err := holderOf(ctx, q, token)
		if err != nil {
			return err
		}
		if holder.Kind == "" {
			return noToken(token)
		}
		use.Limits = holder.Limits
		return sumUp(ctx, q, token, time.Now(), &use)
	})
	return use, err
}

// Budget returns the token's budget and, if it has limits, what it has spent at the given time; also who created it. They are zero
// without the token. In a purchase the account of the token's workspace must be locked; else two purchases could spend the same
// remainder.
func Budget(ctx context.Context, q db.Querier, token id.Token, at time.Time) (budget.Holder, id.Person, error) {
	h, creator, err := holderOf(ctx, q, token)
	if err == nil && !h.IsZero() {
		err = sumUp(ctx, q, token, at, &h.Use)
	}
	return h, creator, err
}

func holderOf(ctx context.Context, q db.Querier, token id.Token) (budget.Holder, id.Person, error) {
	var h budget.Holder
	var creator id.Person
	err := q.QueryRowContext(ctx, `SELECT name, budget, budget_month, created_by FROM token WHERE id = $1`, token).
		Scan(&h.Name, &h.Total, &h.Month, &creator)
	if errors.Is(err, sql.ErrNoRows) {
		return budget.Holder{}, id.Person{}, nil
	}
	if err != nil {
		return budget.Holder{}, id.Person{}, fmt.Errorf("read budget of token %s: %w", token, err)
	}
	h.Kind, h.ID = budget.Token, token.String()
	return h, creator, nil
}

// sumUp sets what the token has spent.
func sumUp(ctx context.Context, q db.Querier, token id.Token, at time.Time, use *budget.Use) error {
	err := q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(credits_charged - credits_refunded), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN created_at >= $2 THEN credits_charged - credits_refunded ELSE 0 END), 0) AS BIGINT)
		FROM export WHERE token_id = $1 AND credits_charged > 0`, token, db.Time(budget.MonthOf(at))).Scan(&use.Spent, &use.SpentMonth)
	if err != nil {
		return fmt.Errorf("sum up what token %s has spent: %w", token, err)
	}
	return nil
}

func noToken(token id.Token) error { return fault.New(fault.NotFound, "There is no token %s.", token) }
