package token_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

func TestBudgetIsKeptAndReplaced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := token.New(d, token.Options{}), acme(t, d)
		_, limited := create(t, b, token.NewToken{Workspace: ws, Budget: token.Budget{Total: new(int64(500))}})
		_, free := create(t, b, token.NewToken{Workspace: ws})
		budgets := func(of id.Token) token.Budget {
			s, err := b.Spending(t.Context(), of)
			require.NoError(t, err)
			require.Zero(t, s.Spent)
			require.Zero(t, s.SpentMonth)
			return s.Budget
		}
		require.Empty(t, cmp.Diff(token.Budget{Total: new(int64(500))}, budgets(limited.ID)))
		require.Empty(t, cmp.Diff(token.Budget{}, budgets(free.ID)))

		want := token.Budget{Month: new(int64(0))}
		require.NoError(t, b.SetBudget(t.Context(), limited.ID, want))
		require.Empty(t, cmp.Diff(want, budgets(limited.ID)))
		listed, err := b.List(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(want, listed[0].Budget))
	})
}

func TestBadBudgetsAreRefused(t *testing.T) {
	t.Parallel()
	b := token.New(dbtest.SQLite(t), token.Options{})
	negative := token.Budget{Total: new(int64(-1)), Month: new(int64(-1))}
	_, _, err := b.Create(t.Context(), token.NewToken{Name: "x", Scope: auth.Read, Budget: negative})
	require.Equal(t, []fault.FieldError{
		{Field: "budget", Message: "must not be negative"}, {Field: "budget_month", Message: "must not be negative"},
	}, fault.Fields(err))
	nobody := id.New[id.Token]()
	require.Equal(t, fault.Validation, fault.CodeOf(b.SetBudget(t.Context(), nobody, negative)))
	require.Equal(t, fault.NotFound, fault.CodeOf(b.SetBudget(t.Context(), nobody, token.Budget{})))
	_, err = b.Spending(t.Context(), nobody)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}
