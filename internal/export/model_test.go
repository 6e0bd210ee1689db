package export_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
)

// model is a simple model of a workspace: which export has paid for which company.
type model struct {
	balance int64
	payer   map[company.Number]int // which export paid for a company that is owned
	orders  []*order
}

// order is an export in the model.
type order struct {
	export.Export
	numbers  []company.Number
	paidBy   map[company.Number]int // the expected content of its receipt
	live     bool                   // it delivers its file or will deliver it
	charged  int64
	refunded map[company.Number]bool
}

func (m *model) cost(numbers []company.Number) (n int64) {
	for _, c := range numbers {
		if _, owned := m.payer[c]; !owned {
			n++
		}
	}
	return n
}

func (m *model) buy(e export.Export, numbers []company.Number) {
	o := &order{Export: e, numbers: numbers, paidBy: map[company.Number]int{}, live: true, refunded: map[company.Number]bool{}}
	m.orders = append(m.orders, o)
	o.charged = m.cost(numbers)
	m.balance -= o.charged
	for _, c := range numbers {
		if _, owned := m.payer[c]; !owned {
			m.payer[c] = len(m.orders) - 1
		}
		o.paidBy[c] = m.payer[c]
	}
}

// end ends export i without a file. Companies that no export delivers any more are refunded to the export that paid.
func (m *model) end(i int) {
	m.orders[i].live = false
	for _, c := range m.orders[i].numbers {
		delivers := func(o *order) bool { return o.live && slices.Contains(o.numbers, c) }
		if p, owned := m.payer[c]; owned && !slices.ContainsFunc(m.orders, delivers) {
			delete(m.payer, c)
			m.orders[p].refunded[c] = true
			m.balance++
		}
	}
}

const companiesMax = 12

// machine applies each operation to the model and to the real workspace, and compares them.
type machine struct {
	*fixture
	model
	t      *testing.T
	tokens [2]auth.Caller
}

func (m *machine) check(rt *rapid.T) {
	balance, err := m.credit.Balance(m.t.Context(), m.caller.Workspace)
	require.NoError(rt, err)
	require.Equal(rt, m.model.balance, balance)
	owned, err := unlock.New(m.db, unlock.Options{}).Owned(m.t.Context(), m.caller.Workspace)
	require.NoError(rt, err)
	var want []company.Number
	for c := range m.payer {
		want = append(want, c)
	}
	require.True(rt, company.SetOf(want...).Equal(owned), "owned %v", want)
}

func (m *machine) checkOrder(rt *rapid.T, o *order) {
	e, err := m.Get(m.t.Context(), m.caller, o.ID)
	require.NoError(rt, err)
	require.Equal(rt, o.charged, e.Figures.CreditsCharged)
	require.Equal(rt, int64(len(o.refunded)), e.Refunded)
	i := 0
	err = m.EachReceiptLine(m.t.Context(), m.caller, o.ID, func(l export.ReceiptLine) error {
		c := o.numbers[i]
		require.Equal(rt, c, l.Company.Number)
		require.Equal(rt, m.orders[o.paidBy[c]].ID, l.UnlockedBy, "company %d", c)
		require.Equal(rt, l.UnlockedBy == o.ID, l.Charged)
		require.Equal(rt, o.refunded[c], l.RefundedAt != nil, "company %d", c)
		i++
		return nil
	})
	require.NoError(rt, err)
	require.Len(rt, o.numbers, i)
}

func (m *machine) checkSpending(rt *rapid.T) {
	spent := map[id.Token]int64{}
	for _, o := range m.orders {
		spent[o.Token] += o.charged - int64(len(o.refunded))
	}
	for _, caller := range m.tokens {
		s, err := m.fixture.fixture.Tokens.Spending(m.t.Context(), caller.Token)
		require.NoError(rt, err)
		require.Equal(rt, spent[caller.Token], s.Spent)
		require.Equal(rt, s.Spent, s.SpentMonth)
	}
}

func (m *machine) buy(rt *rapid.T) {
	low := rapid.Int64Range(1, companiesMax).Draw(rt, "low")
	high := rapid.Int64Range(low, companiesMax).Draw(rt, "high")
	caller := m.tokens[rapid.IntRange(0, 1).Draw(rt, "token")]
	var numbers []company.Number // a company's number is its number of employees
	for n := low; n <= high; n++ {
		numbers = append(numbers, company.Number(n))
	}
	e, _, err := m.another().Create(m.t.Context(), caller, between(low, high))
	if m.cost(numbers) > m.model.balance {
		require.Equal(rt, fault.InsufficientBalance, fault.CodeOf(err))
		return
	}
	require.NoError(rt, err)
	m.model.buy(e, numbers)
}

// step ends a random pending export as name says. It buys another if there is none.
func (m *machine) step(rt *rapid.T, name string) {
	var open []int
	for i, o := range m.orders {
		if o.live && o.Status == export.StatusPending {
			open = append(open, i)
		}
	}
	if name == "buy" || len(open) == 0 {
		m.buy(rt)
		return
	}
	i := rapid.SampledFrom(open).Draw(rt, "export")
	switch name {
	case "cancel":
		_, err := m.another().Cancel(m.t.Context(), m.caller, m.orders[i].ID)
		require.NoError(rt, err)
		m.end(i)
	case "fail":
		m.fail(m.t, m.orders[i].Export)
		m.end(i)
	case "complete":
		m.exec(m.t, `UPDATE export SET status = 'completed' WHERE id = $1`, m.orders[i].ID)
		m.orders[i].Status = export.StatusCompleted
	}
}

// Exports are bought, cancelled, failed and completed in random order. Balance, unlocks, receipts and the spending of each
// token must be as in the model.
func TestCreditsAndUnlocksMatchAPlainModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, companiesMax, 0)
		effort.Check(t, 40, func(rt *rapid.T) {
			const credits = 20
			m := &machine{fixture: s, model: model{balance: credits, payer: map[company.Number]int{}}, t: t}
			s.caller = s.customer(t, credits)
			before, err := s.AuditBooks(t.Context()) // workspaces of failed runs may have findings
			require.NoError(rt, err)
			for i := range m.tokens {
				_, token, err := s.fixture.Tokens.Create(t.Context(), token.NewToken{
					Workspace: s.caller.Workspace, Name: fmt.Sprint("token ", i), Scope: auth.ReadWrite,
				})
				require.NoError(rt, err)
				m.tokens[i] = auth.Caller{Token: token.ID, Workspace: s.caller.Workspace}
			}
			// Few steps for each run, because every step is at least one transaction, and a few exports are enough to find errors.
			for range rapid.IntRange(1, 14).Draw(rt, "steps") {
				step := rapid.SampledFrom([]string{"buy", "buy", "buy", "cancel", "cancel", "fail", "complete"}).Draw(rt, "step")
				m.step(rt, step)
				m.check(rt)
			}
			for _, o := range m.orders {
				m.checkOrder(rt, o)
			}
			m.checkSpending(rt)
			findings, err := s.AuditBooks(t.Context())
			require.NoError(rt, err)
			require.Equal(rt, before, findings)
		})
	})
}
