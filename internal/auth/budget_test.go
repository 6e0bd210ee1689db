package auth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

func TestBudgetIsKeptAndReplaced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := auth.New(d, auth.Options{}), acme(t, d)
		_, token := create(t, b, auth.NewToken{Workspace: ws, Budget: auth.Budget{Total: new(int64(500))}})
		_, free := create(t, b, auth.NewToken{Workspace: ws})
		budgets := func(token id.Token) auth.Budget {
			s, err := b.Spending(t.Context(), token)
			require.NoError(t, err)
			require.Zero(t, s.Spent)
			require.Zero(t, s.SpentMonth)
			return s.Budget
		}
		require.Empty(t, cmp.Diff(auth.Budget{Total: new(int64(500))}, budgets(token.ID)))
		require.Empty(t, cmp.Diff(auth.Budget{}, budgets(free.ID)))

		want := auth.Budget{Month: new(int64(0))}
		require.NoError(t, b.SetBudget(t.Context(), token.ID, want))
		require.Empty(t, cmp.Diff(want, budgets(token.ID)))
		listed, err := b.List(t.Context(), ws)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(want, listed[0].Budget))
	})
}

func TestBadBudgetsAreRefused(t *testing.T) {
	t.Parallel()
	b := auth.New(dbtest.SQLite(t), auth.Options{})
	negative := auth.Budget{Total: new(int64(-1)), Month: new(int64(-1))}
	_, _, err := b.Create(t.Context(), auth.NewToken{Name: "x", Scope: auth.Read, Budget: negative})
	var refusal *fault.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, []fault.FieldError{
		{Field: "budget", Message: "must not be negative"}, {Field: "budget_month", Message: "must not be negative"},
	}, refusal.Details["errors"])
	nobody := id.New[id.Token]()
	require.Equal(t, fault.Validation, fault.CodeOf(b.SetBudget(t.Context(), nobody, negative)))
	require.Equal(t, fault.NotFound, fault.CodeOf(b.SetBudget(t.Context(), nobody, auth.Budget{})))
	_, err = b.Spending(t.Context(), nobody)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}
