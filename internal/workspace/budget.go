package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// SetBudget replaces a member's budget. It applies from the next purchase on, to what the member buys in the console and by the
// tokens that they created. Faults: Validation, NotFound if the person is not a member.
func (s *Store) SetBudget(ctx context.Context, ws id.Workspace, person id.Person, limits budget.Limits) error {
	if err := fault.Invalid(limits.Faults()...); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE member SET budget = $3, budget_month = $4
			WHERE workspace_id = $1 AND person = $2 AND left_at IS NULL`, ws, person, limits.Total, limits.Month)
		if err != nil {
			return fmt.Errorf("set budget of member %s of workspace %s: %w", person, ws, err)
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			err = noMember()
		}
		if err != nil {
			return err
		}
		details := map[string]any{}
		limits.Describe(details)
		return auditlog.Record(ctx, tx, auditlog.Event{
			Workspace: ws, Action: auditlog.MemberBudgetChanged, Subject: "person:" + person.String(), Details: details,
		})
	})
}

// Spending returns the member's budget and what they have spent. NotFound if the person is not a member.
func (s *Store) Spending(ctx context.Context, ws id.Workspace, person id.Person) (budget.Use, error) {
	var use budget.Use
	err := s.db.ReadTx(ctx, func(q db.Querier) error {
		holder, err := holderOf(ctx, q, ws, person)
		if err != nil {
			return err
		}
		if holder.Kind == "" {
			return noMember()
		}
		use.Limits = holder.Limits
		return sumUp(ctx, q, ws, person, time.Now(), &use)
	})
	return use, err
}

// Budget returns the member's budget and, if it has limits, what they have spent at the given time; zero if the person is not a
// member. In a purchase the account of the workspace must be locked; else two purchases could spend the same remainder.
func Budget(ctx context.Context, q db.Querier, ws id.Workspace, person id.Person, at time.Time) (budget.Holder, error) {
	h, err := holderOf(ctx, q, ws, person)
	if err == nil && !h.IsZero() {
		err = sumUp(ctx, q, ws, person, at, &h.Use)
	}
	return h, err
}

func holderOf(ctx context.Context, q db.Querier, ws id.Workspace, person id.Person) (budget.Holder, error) {
	var h budget.Holder
	err := q.QueryRowContext(ctx, `SELECT p.name, m.budget, m.budget_month FROM member m JOIN person p ON p.id = m.person
		WHERE m.workspace_id = $1 AND m.person = $2 AND m.left_at IS NULL`, ws, person).Scan(&h.Name, &h.Total, &h.Month)
	if errors.Is(err, sql.ErrNoRows) {
		return budget.Holder{}, nil
	}
	if err != nil {
		return budget.Holder{}, fmt.Errorf("read budget of member %s of workspace %s: %w", person, ws, err)
	}
	h.Kind, h.ID = budget.Member, person.String()
	return h, nil
}

// sumUp sets what the member has spent.
func sumUp(ctx context.Context, q db.Querier, ws id.Workspace, person id.Person, at time.Time, use *budget.Use) error {
	err := q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(net), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN created_at >= $3 THEN net ELSE 0 END), 0) AS BIGINT)
		FROM (
			SELECT credits_charged - credits_refunded AS net, created_at FROM export
			WHERE person_id = $2 AND workspace_id = $1 AND credits_charged > 0
			UNION ALL
			SELECT credits_charged - credits_refunded AS net, created_at FROM export
			WHERE token_id IN (SELECT id FROM token WHERE created_by = $2 AND workspace_id = $1) AND credits_charged > 0
		) AS bought`, ws, person, db.Time(budget.MonthOf(at))).Scan(&use.Spent, &use.SpentMonth)
	if err != nil {
		return fmt.Errorf("sum up what member %s of workspace %s has spent: %w", person, ws, err)
	}
	return nil
}

// Budgets returns the budgets of all members, with what they have spent.
func (s *Store) Budgets(ctx context.Context, ws id.Workspace) (map[id.Person]budget.Use, error) {
	all := map[id.Person]budget.Use{}
	err := db.Each(ctx, s.db.Read(), func(row db.Row) error {
		var person id.Person
		var use budget.Use
		err := row.Scan(&person, &use.Total, &use.Month, &use.Spent, &use.SpentMonth)
		all[person] = use
		return err
	}, `
		SELECT m.person, m.budget, m.budget_month, COALESCE(b.spent, 0), COALESCE(b.spent_month, 0)
		FROM member m LEFT JOIN (
			SELECT COALESCE(e.person_id, t.created_by) AS person, CAST(SUM(e.credits_charged - e.credits_refunded) AS BIGINT) AS spent,
				CAST(SUM(CASE WHEN e.created_at >= $2 THEN e.credits_charged - e.credits_refunded ELSE 0 END) AS BIGINT) AS spent_month
			FROM export e LEFT JOIN token t ON t.id = e.token_id
			WHERE e.workspace_id = $1 AND e.credits_charged > 0 GROUP BY 1
		) AS b ON b.person = m.person
		WHERE m.workspace_id = $1 AND m.left_at IS NULL`, ws, db.Time(budget.MonthOf(time.Now())))
	if err != nil {
		return nil, fmt.Errorf("read budgets of the members of workspace %s: %w", ws, err)
	}
	return all, nil
}

// OwnerNames returns the names of the owners of the workspace, in the order in which they joined.
func OwnerNames(ctx context.Context, q db.Querier, ws id.Workspace) ([]string, error) {
	names, err := db.Collect(ctx, q, db.Value[string], `SELECT p.name FROM member m JOIN person p ON p.id = m.person
		WHERE m.workspace_id = $1 AND m.role = 'owner' AND m.left_at IS NULL ORDER BY m.joined_at, m.person`, ws)
	if err != nil {
		return nil, fmt.Errorf("list owners of workspace %s: %w", ws, err)
	}
	return names, nil
}

func noMember() error { return fault.New(fault.NotFound, "This workspace has no such member.") }
