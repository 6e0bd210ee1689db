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
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
)

// model says in the plainest way who has paid for what.
type model struct {
	balance int64
	payer   map[company.Number]int // which export paid for a company that is owned
	orders  []*sold
}

// sold is an export as the model sees it.
type sold struct {
	export.Export
	numbers  []company.Number
	paidBy   map[company.Number]int // as its receipt has to tell
	live     bool                   // delivers, or will
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
	o := &sold{Export: e, numbers: numbers, paidBy: map[company.Number]int{}, live: true, refunded: map[company.Number]bool{}}
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

// end refunds what no export delivers any more to the export that paid for it.
func (m *model) end(i int) {
	m.orders[i].live = false
	for _, c := range m.orders[i].numbers {
		delivers := func(o *sold) bool { return o.live && slices.Contains(o.numbers, c) }
		if p, owned := m.payer[c]; owned && !slices.ContainsFunc(m.orders, delivers) {
			delete(m.payer, c)
			m.orders[p].refunded[c] = true
			m.balance++
		}
	}
}

const companiesMax = 12

// machine runs the model beside the real thing.
type machine struct {
	*shop
	model
	t      *testing.T
	book   *token.Store
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

func (m *machine) checkOrder(rt *rapid.T, o *sold) {
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
		s, err := m.book.Spending(m.t.Context(), caller.Token)
		require.NoError(rt, err)
		require.Equal(rt, spent[caller.Token], s.Spent)
		require.Equal(rt, s.Spent, s.SpentMonth)
	}
}

func (m *machine) buy(rt *rapid.T) {
	low := rapid.Int64Range(1, companiesMax).Draw(rt, "low")
	high := rapid.Int64Range(low, companiesMax).Draw(rt, "high")
	caller := m.tokens[rapid.IntRange(0, 1).Draw(rt, "token")]
	var numbers []company.Number // the company of n employees has the number n
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

// step takes one of the exports that are still to deliver, if there is any, to its end; or buys another.
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

// Whatever is bought, cancelled, failed and completed in whatever order: every credit, every unlock, every line of every
// receipt and what each token has spent are as a plain model has them.
func TestCreditsAndUnlocksMatchAPlainModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, companiesMax, 0)
		book := token.New(d, token.Options{})
		rapid.Check(t, func(rt *rapid.T) {
			const credits = 20
			m := &machine{shop: s, model: model{balance: credits, payer: map[company.Number]int{}}, t: t, book: book}
			s.caller = s.customer(t, credits)
			before, err := s.AuditBooks(t.Context()) // of workspaces whose run failed
			require.NoError(rt, err)
			for i := range m.tokens {
				_, token, err := book.Create(t.Context(), token.NewToken{
					Workspace: s.caller.Workspace, Name: fmt.Sprint("token ", i), Scope: auth.ReadWrite,
				})
				require.NoError(rt, err)
				m.tokens[i] = auth.Caller{Token: token.ID, Workspace: s.caller.Workspace}
			}
			// Few steps a run, for every one is a transaction or more: what can go wrong goes wrong with few exports.
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
