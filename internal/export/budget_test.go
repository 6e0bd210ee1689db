package export_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/token"
)

// token creates a token with the budget in the fixture's workspace.
func (s *fixture) token(t *testing.T, b token.Budget) auth.Caller {
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
		metered := s.token(t, token.Budget{Total: new(int64(50))})
		s.buy(t, between(101, 200)) // by another token
		buy := func(low, high int64) export.Export {
			e, _, err := s.Create(t.Context(), metered, between(low, high))
			require.NoError(t, err)
			return e
		}
		first := buy(1, 30)
		require.Equal(t, map[string]any{
			"budget": int64(50), "spent": int64(30), "needed": int64(21), "period": "all",
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
		payer, other := s.token(t, token.Budget{Total: new(int64(20))}), s.token(t, token.Budget{Total: new(int64(5))})
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
		metered := s.token(t, token.Budget{Month: new(int64(20)), Total: new(int64(50))})
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
		metered := s.token(t, token.Budget{Total: new(int64(45))})
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
