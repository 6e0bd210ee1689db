package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Budget bounds the credits that a token may spend; nil for no bound.
type Budget struct {
	Total *int64 // in all
	Month *int64 // in a calendar month, UTC
}

// Spending is a token's budget and how much of it is spent: charges minus refunds. A refund counts for the month of its
// charge.
type Spending struct {
	Budget
	Spent      int64
	SpentMonth int64
}

func (b Budget) faults() []fault.FieldError {
	var faults []fault.FieldError
	bad := func(field string, credits *int64) {
		if credits != nil && *credits < 0 {
			faults = append(faults, fault.FieldError{Field: field, Message: "must not be negative"})
		}
	}
	bad("budget", b.Total)
	bad("budget_month", b.Month)
	return faults
}

// SetBudget replaces a token's budget. It applies from the next purchase on. Faults: Validation, NotFound.
func (s *Store) SetBudget(ctx context.Context, token id.Token, budget Budget) error {
	if err := fault.Invalid(budget.faults()...); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var ws id.Workspace
		err := tx.QueryRowContext(ctx, `UPDATE token SET budget = $2, budget_month = $3 WHERE id = $1 RETURNING workspace_id`,
			token, nullCredits(budget.Total), nullCredits(budget.Month)).Scan(&ws)
		if errors.Is(err, sql.ErrNoRows) {
			return noToken(token)
		}
		if err != nil {
			return fmt.Errorf("set budget of token %s: %w", token, err)
		}
		details := map[string]any{}
		budget.describe(details)
		return record(ctx, tx, auditlog.BudgetChanged, ws, token, details)
	})
}

// describe adds the bounds to the details of an audit entry.
func (b Budget) describe(details map[string]any) {
	for name, credits := range map[string]*int64{"budget": b.Total, "budget_month": b.Month} {
		if details[name] = "none"; credits != nil {
			details[name] = *credits
		}
	}
}

// Spending returns the token's budget and what it has spent. NotFound without the token.
func (s *Store) Spending(ctx context.Context, token id.Token) (Spending, error) {
	var all Spending
	err := s.db.ReadTx(ctx, func(q db.Querier) (err error) {
		var known bool
		if all.Budget, known, err = budgetOf(ctx, q, token); err != nil {
			return err
		}
		if !known {
			return noToken(token)
		}
		if all.Spent, err = spent(ctx, q, token, time.Time{}); err != nil {
			return err
		}
		all.SpentMonth, err = spent(ctx, q, token, monthOf(time.Now()))
		return err
	})
	return all, err
}

// CheckBudget returns TokenBudgetExceeded if spending cost at the given time would exceed the token's budget. The account
// of the token's workspace must be locked in tx; else two purchases could spend the same remainder.
func CheckBudget(ctx context.Context, tx *db.Tx, token id.Token, cost int64, at time.Time) error {
	b, _, err := budgetOf(ctx, tx, token)
	if err != nil {
		return err
	}
	for _, bound := range []struct {
		period string
		budget *int64
		since  time.Time
	}{{"all", b.Total, time.Time{}}, {"month", b.Month, monthOf(at)}} {
		if bound.budget == nil {
			continue
		}
		used, err := spent(ctx, tx, token, bound.since)
		if err != nil {
			return err
		}
		if cost > *bound.budget-used {
			return overBudget(bound.period, *bound.budget, used, cost)
		}
	}
	return nil
}

func overBudget(period string, budget, used, cost int64) error {
	in := "in all"
	if period == "month" {
		in = "in a calendar month"
	}
	return fault.New(fault.TokenBudgetExceeded,
		"The token may spend %s credits %s and has spent %s; %s more are needed. Nothing was charged.",
		humanize.Comma(budget), in, humanize.Comma(used), humanize.Comma(cost)).
		With("budget", budget).With("spent", used).With("needed", cost).With("period", period)
}

func budgetOf(ctx context.Context, q db.Querier, token id.Token) (b Budget, known bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT budget, budget_month FROM token WHERE id = $1`, token).Scan(&b.Total, &b.Month)
	if errors.Is(err, sql.ErrNoRows) {
		return Budget{}, false, nil
	}
	if err != nil {
		return Budget{}, false, fmt.Errorf("read budget of token %s: %w", token, err)
	}
	return b, true, nil
}

// spent returns what the token's exports since then were charged, minus refunds.
func spent(ctx context.Context, q db.Querier, token id.Token, since time.Time) (int64, error) {
	after := int64(0)
	if !since.IsZero() {
		after = db.Time(since)
	}
	var n int64
	err := q.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(credits_charged - credits_refunded), 0) AS BIGINT) FROM export
		WHERE token_id = $1 AND created_at >= $2 AND credits_charged > 0`, token, after).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("sum up what token %s has spent: %w", token, err)
	}
	return n, nil
}

func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func noToken(token id.Token) error { return fault.New(fault.NotFound, "There is no token %s.", token) }

func nullCredits(n *int64) sql.NullInt64 {
	if n == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: *n, Valid: true}
}
