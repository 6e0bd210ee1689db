package token_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

func TestBudgetIsKeptAndReplaced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := token.New(d, token.Options{}), acme(t, d)
		_, limited := create(t, b, token.NewToken{Workspace: ws, Budget: budget.Limits{Total: new(int64(500))}})
		_, free := create(t, b, token.NewToken{Workspace: ws})
		budgets := func(of id.Token) budget.Limits {
			s, err := b.Spending(t.Context(), of)
			require.NoError(t, err)
			require.Zero(t, s.Spent)
			require.Zero(t, s.SpentMonth)
			return s.Limits
		}
		require.Empty(t, cmp.Diff(budget.Limits{Total: new(int64(500))}, budgets(limited.ID)))
		require.Empty(t, cmp.Diff(budget.Limits{}, budgets(free.ID)))

		want := budget.Limits{Month: new(int64(0))}
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
	negative := budget.Limits{Total: new(int64(-1)), Month: new(int64(-1))}
	_, _, err := b.Create(t.Context(), token.NewToken{Name: "x", Scope: auth.Read, Budget: negative})
	require.Equal(t, []fault.FieldError{
		{Field: "budget", Message: "must not be negative"}, {Field: "budget_month", Message: "must not be negative"},
	}, fault.Fields(err))
	nobody := id.New[id.Token]()
	require.Equal(t, fault.Validation, fault.CodeOf(b.SetBudget(t.Context(), nobody, negative)))
	require.Equal(t, fault.NotFound, fault.CodeOf(b.SetBudget(t.Context(), nobody, budget.Limits{})))
	_, err = b.Spending(t.Context(), nobody)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

func TestOwnersDecideWhoCreatesTokensWithoutABudget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := testkit.New(t, services.Parts{DB: d})
		ws := acme(t, d)
		member := func(name string, role workspace.Role) id.Person {
			checked, err := f.People.Check(t.Context(), account.NewPerson{Name: name, Email: name + "@example.com"})
			require.NoError(t, err)
			var p account.Person
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
				if p, err = f.People.Create(t.Context(), tx, checked); err != nil {
					return err
				}
				return f.Workspaces.AddMember(t.Context(), tx, ws, p.ID, role)
			}))
			return p.ID
		}
		callers := map[string]id.Person{"member": member("ann", workspace.Member), "owner": member("olga", workspace.Owner), "command line": {}}
		old := map[token.Unbudgeted]token.Token{}
		for _, test := range []struct {
			choice  token.Unbudgeted
			refused []string
		}{
			{token.Everyone, nil}, {token.Owners, []string{"member"}}, {token.Nobody, []string{"member", "owner", "command line"}},
		} {
			if test.choice != token.Everyone { // the default
				require.NoError(t, f.Workspaces.SetUnbudgetedTokens(t.Context(), ws, string(test.choice)))
			}
			for who, creator := range callers {
				n := token.NewToken{Workspace: ws, Name: who, Scope: auth.ReadWrite, Creator: creator}
				_, made, err := f.Tokens.Create(t.Context(), n)
				if slices.Contains(test.refused, who) {
					require.Equal(t, "budget", fault.Fields(err)[0].Field, "%s: %s", test.choice, who)
				} else {
					require.NoError(t, err, "%s: %s", test.choice, who)
					old[test.choice] = made
				}
				n.Budget = budget.Limits{Month: new(int64(0))}
				_, made, err = f.Tokens.Create(t.Context(), n)
				require.NoError(t, err)
				err = f.Tokens.SetBudget(t.Context(), made.ID, budget.Limits{})
				require.Equal(t, test.choice == token.Nobody, fault.CodeOf(err) == fault.Validation)
				n.Budget, n.Scope = budget.Limits{}, auth.Read // it cannot spend
				_, _, err = f.Tokens.Create(t.Context(), n)
				require.NoError(t, err)
			}
		}
		_, _, err := f.Tokens.Rotate(t.Context(), ws, old[token.Everyone].ID, 0)
		require.NoError(t, err, "existing tokens stay as they are")
		for _, stranger := range []token.NewToken{
			{Workspace: ws, Name: "x", Scope: auth.Read, Creator: id.New[id.Person]()},
			{Workspace: ws, Name: "x", Scope: auth.Read, Owner: id.New[id.Person]()},
		} {
			_, _, err := f.Tokens.Create(t.Context(), stranger)
			require.Equal(t, fault.Validation, fault.CodeOf(err))
		}
		require.Error(t, f.Workspaces.SetUnbudgetedTokens(t.Context(), ws, "somebody"))
		_, err = token.ParseUnbudgeted("somebody")
		require.Error(t, err)
	})
}
