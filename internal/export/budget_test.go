package export_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// token creates a token with the budget in the fixture's workspace.
func (s *fixture) token(t *testing.T, b budget.Limits) auth.Caller {
	t.Helper()
	_, token, err := s.fixture.Tokens.Create(t.Context(), token.NewToken{
		Workspace: s.caller.Workspace, Name: "metered", Scope: auth.ReadWrite, Budget: b,
	})
	require.NoError(t, err)
	return auth.Caller{Token: token.ID, Workspace: s.caller.Workspace}
}

// refusedBy returns the details of the TokenBudgetExceeded that the request must end in, and checks that nothing has
// changed.
func (s *fixture) refusedBy(t *testing.T, caller auth.Caller, r export.Request) map[string]any {
	t.Helper()
	before := s.counts(t)
	_, _, err := s.Create(t.Context(), caller, r)
	var refusal *fault.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, fault.TokenBudgetExceeded, refusal.Code)
	require.Equal(t, before, s.counts(t))
	return refusal.Details
}

func TestTokenNeverSpendsMoreThanItsBudget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 1_000)
		metered := s.token(t, budget.Limits{Total: new(int64(50))})
		s.buy(t, between(101, 200)) // by another token
		buy := func(low, high int64) export.Export {
			e, _, err := s.Create(t.Context(), metered, between(low, high))
			require.NoError(t, err)
			return e
		}
		first := buy(1, 30)
		require.Equal(t, map[string]any{
			"whose": "token", "budget": int64(50), "spent": int64(30), "left": int64(20), "needed": int64(21), "period": "all",
		}, s.refusedBy(t, metered, between(20, 51)))
		buy(1, 50)
		buy(11, 50) // companies that the workspace owns are free
		buy(101, 200)
		s.auditClean(t)

		_, err := s.Cancel(t.Context(), s.caller, first.ID)
		require.NoError(t, err)
		s.refusedBy(t, metered, between(51, 51)) // no refund: the second export delivers the companies of the first
		s.auditClean(t)
	})
}

func TestRefundRestoresTheBudgetOfTheTokenThatPaid(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		payer, other := s.token(t, budget.Limits{Total: new(int64(20))}), s.token(t, budget.Limits{Total: new(int64(5))})
		paid, _, err := s.Create(t.Context(), payer, between(1, 20))
		require.NoError(t, err)
		free, _, err := s.Create(t.Context(), other, between(1, 20))
		require.NoError(t, err)
		s.cancel(t, paid)
		s.refusedBy(t, payer, between(21, 21))
		s.fail(t, free)
		tokens := token.New(d, token.Options{})
		for _, caller := range []auth.Caller{payer, other} {
			spending, err := tokens.Spending(t.Context(), caller.Token)
			require.NoError(t, err)
			require.Zero(t, spending.Spent)
		}
		s.refusedBy(t, other, between(21, 26))
		_, _, err = s.Create(t.Context(), payer, between(21, 40))
		require.NoError(t, err)
		s.auditClean(t)
	})
}

func TestMonthlyBudgetStartsAgainEachMonth(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		metered := s.token(t, budget.Limits{Month: new(int64(20)), Total: new(int64(50))})
		e, _, err := s.Create(t.Context(), metered, between(1, 20))
		require.NoError(t, err)
		require.Equal(t, "month", s.refusedBy(t, metered, between(21, 21))["period"])

		now := time.Now().UTC()
		last := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).Add(-time.Microsecond)
		s.exec(t, `UPDATE export SET created_at = $2 WHERE id = $1`, e.ID, db.Time(last))
		_, _, err = s.Create(t.Context(), metered, between(21, 40))
		require.NoError(t, err)
		spending, err := token.New(d, token.Options{}).Spending(t.Context(), metered.Token)
		require.NoError(t, err)
		require.Equal(t, int64(40), spending.Spent)
		require.Equal(t, int64(20), spending.SpentMonth)
		s.cancel(t, e) // a refund of last month's charge does not count for this month
		require.Equal(t, int64(20), s.refusedBy(t, metered, between(41, 41))["spent"])
	})
}

func TestConcurrentPurchasesNeverExceedABudget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		metered := s.token(t, budget.Limits{Total: new(int64(45))})
		var wg sync.WaitGroup
		for i := range int64(10) {
			wg.Go(func() {
				_, _, err := s.another().Create(t.Context(), metered, between(10*i+1, 10*i+10))
				if err != nil && fault.CodeOf(err) != fault.TokenBudgetExceeded {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, int64(960), s.balance(t))
		s.auditClean(t)
	})
}

// member adds a member with the budget to the fixture's workspace.
func (s *fixture) member(t *testing.T, name string, role workspace.Role, limits budget.Limits) auth.Caller {
	t.Helper()
	f, ws := s.fixture, s.caller.Workspace
	checked, err := f.People.Check(t.Context(), account.NewPerson{Name: name, Email: name + "@example.com"})
	require.NoError(t, err)
	var person account.Person
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) (err error) {
		if person, err = f.People.Create(t.Context(), tx, checked); err != nil {
			return err
		}
		return f.Workspaces.AddMember(t.Context(), tx, ws, person.ID, role)
	}))
	require.NoError(t, f.Workspaces.SetBudget(t.Context(), ws, person.ID, limits))
	return auth.Caller{Person: person.ID, Workspace: ws, Scope: auth.ReadWrite}
}

// tokenOf creates a token that the member creates. A shared one belongs to the workspace.
func (s *fixture) tokenOf(t *testing.T, member auth.Caller, limits budget.Limits, shared bool) auth.Caller {
	t.Helper()
	n := token.NewToken{
		Workspace: member.Workspace, Name: "made", Scope: auth.ReadWrite, Creator: member.Person, Owner: member.Person, Budget: limits,
	}
	if shared {
		n.Owner = id.Person{}
	}
	_, made, err := s.fixture.Tokens.Create(t.Context(), n)
	require.NoError(t, err)
	return auth.Caller{Token: made.ID, Workspace: member.Workspace}
}

func TestMemberNeverSpendsMoreThanTheirBudget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 1_000)
		s.member(t, "Olga", workspace.Owner, budget.Limits{})
		ann := s.member(t, "Ann", workspace.Member, budget.Limits{Total: new(int64(50))})
		own, shared := s.tokenOf(t, ann, budget.Limits{}, false), s.tokenOf(t, ann, budget.Limits{}, true)
		buy := func(by auth.Caller, low, high int64) export.Export {
			e, _, err := s.Create(t.Context(), by, between(low, high))
			require.NoError(t, err)
			return e
		}
		s.buy(t, between(101, 200)) // by a token of the command line
		first := buy(ann, 1, 20)    // in the console
		buy(own, 21, 35)
		buy(shared, 36, 45)
		details := map[string]any{
			"whose": "member", "budget": int64(50), "spent": int64(45), "left": int64(5), "needed": int64(6), "period": "all",
		}
		for _, by := range []auth.Caller{ann, own, shared} {
			require.Equal(t, details, s.refusedBy(t, by, between(46, 51)))
			left, err := s.BudgetLeft(t.Context(), by)
			require.NoError(t, err)
			require.Equal(t, int64(5), *left)
			quote, err := s.Quote(t.Context(), by, between(46, 51))
			require.NoError(t, err)
			require.False(t, quote.Affordable)
			require.Equal(t, int64(5), *quote.BudgetLeft)
			quote, err = s.Quote(t.Context(), by, between(46, 50))
			require.NoError(t, err)
			require.True(t, quote.Affordable)
			estimate, err := s.Estimate(t.Context(), by, between(46, 51))
			require.NoError(t, err)
			require.Equal(t, int64(5), *estimate.BudgetLeft)
		}
		_, _, err := s.Create(t.Context(), own, between(46, 51))
		require.ErrorContains(t, err,
			"Ann may spend 50 credits in all and has 5 left; this costs 6. Nothing was charged. Ask Olga, who owns the workspace, for a higher budget.")
		buy(own, 101, 200) // what the workspace owns is free

		_, err = s.Cancel(t.Context(), s.caller, first.ID)
		require.NoError(t, err)
		buy(shared, 46, 70) // the refund restored 20
		details["spent"], details["left"], details["needed"] = int64(50), int64(0), int64(1)
		require.Equal(t, details, s.refusedBy(t, ann, between(71, 71)))
		uses, err := s.fixture.Workspaces.Budgets(t.Context(), ann.Workspace)
		require.NoError(t, err)
		one, err := s.fixture.Workspaces.Spending(t.Context(), ann.Workspace, ann.Person)
		require.NoError(t, err)
		require.Equal(t, one, uses[ann.Person])
		require.Equal(t, int64(50), one.Spent)
		require.Equal(t, int64(50), one.SpentMonth)
		require.Len(t, uses, 2)
		s.auditClean(t)
	})
}

func TestFailedExportRestoresTheBudgetOfTheMember(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		ann := s.member(t, "Ann", workspace.Member, budget.Limits{Month: new(int64(20))})
		e, _, err := s.Create(t.Context(), s.tokenOf(t, ann, budget.Limits{}, false), between(1, 20))
		require.NoError(t, err)
		require.Equal(t, "month", s.refusedBy(t, ann, between(21, 21))["period"])
		s.fail(t, e)
		_, _, err = s.Create(t.Context(), ann, between(21, 40))
		require.NoError(t, err)
		s.auditClean(t)
	})
}

func TestBothBudgetsOfATokenAreChecked(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 100, 1_000)
	ann := s.member(t, "Ann", workspace.Member, budget.Limits{Total: new(int64(30))})
	metered := s.tokenOf(t, ann, budget.Limits{Total: new(int64(10))}, false)
	require.Equal(t, "token", s.refusedBy(t, metered, between(1, 11))["whose"])
	_, _, err := s.Create(t.Context(), ann, between(1, 25))
	require.NoError(t, err)
	require.Equal(t, "member", s.refusedBy(t, metered, between(26, 31))["whose"])
}

func TestBudgetOutlastsLeavingAndReturning(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		ann := s.member(t, "Ann", workspace.Member, budget.Limits{Total: new(int64(10))})
		s.member(t, "Olga", workspace.Owner, budget.Limits{})
		_, _, err := s.Create(t.Context(), ann, between(1, 10))
		require.NoError(t, err)
		require.NoError(t, s.fixture.Memberships.Leave(t.Context(), ann.Workspace, ann.Person))
		require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
			return s.fixture.Workspaces.AddMember(t.Context(), tx, ann.Workspace, ann.Person, workspace.Member)
		}))
		s.refusedBy(t, ann, between(11, 11))
	})
}

func TestConcurrentPurchasesNeverExceedTheBudgetOfAMember(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 100, 1_000)
		ann := s.member(t, "Ann", workspace.Member, budget.Limits{Total: new(int64(45))})
		callers := []auth.Caller{ann, s.tokenOf(t, ann, budget.Limits{}, false), s.tokenOf(t, ann, budget.Limits{}, true)}
		var wg sync.WaitGroup
		for i := range int64(10) {
			wg.Go(func() {
				_, _, err := s.another().Create(t.Context(), callers[i%3], between(10*i+1, 10*i+10))
				if err != nil && fault.CodeOf(err) != fault.TokenBudgetExceeded {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, int64(960), s.balance(t))
		s.auditClean(t)
	})
}
