package order_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// fixture has a workspace with credits and a token. Company number n is named Company n and has n employees, until size changes that.
type fixture struct {
	*testkit.Fixture
	caller auth.Caller
}

func open(t *testing.T, d *db.DB, companies int, credits int64) *fixture {
	t.Helper()
	s := &fixture{Fixture: testkit.New(t, services.Parts{DB: d, Orders: order.Options{Retry: time.Millisecond}})}
	s.add(t, companies)
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		ws, err := s.Workspaces.Create(t.Context(), tx, "Acme")
		if err != nil {
			return err
		}
		s.caller.Workspace = ws.ID
		if err := s.Credits.Open(t.Context(), tx, ws.ID); err != nil || credits == 0 {
			return err
		}
		_, err = s.Credits.Grant(t.Context(), tx, ws.ID, credit.Grant{Amount: credits, Reason: credit.ReasonGrant, Actor: credit.ActorSystem})
		return err
	}))
	s.caller = s.token(t, token.NewToken{})
	return s
}

func (s *fixture) token(t *testing.T, n token.NewToken) auth.Caller {
	t.Helper()
	n.Workspace, n.Name, n.Scope = s.caller.Workspace, "orders", auth.ReadWrite
	_, made, err := s.Tokens.Create(t.Context(), n)
	require.NoError(t, err)
	return auth.Caller{Token: made.ID, Workspace: n.Workspace, Scope: n.Scope, Name: n.Name}
}

// another returns the orders of another server, on its own handle of the database and with its own index.
func (s *fixture) another(t *testing.T, d *db.DB) *testkit.Fixture {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d, Blobs: s.Blobs, Index: embedded.Open(embedded.Options{}), Orders: order.Options{Retry: time.Millisecond}})
	f.Follow(t)
	return f
}

func (s *fixture) add(t *testing.T, n int) {
	t.Helper()
	extent, err := s.Catalog.Extent(t.Context())
	require.NoError(t, err)
	var all []*company.Company
	for i := range n {
		number := int64(extent.Last) + int64(i) + 1
		all = append(all, &company.Company{Name: fmt.Sprint("Company ", number), Domain: fmt.Sprintf("c%d.example", number), EmployeeCount: &number})
	}
	s.Put(t, all...)
}

// size changes the number of employees of a company.
func (s *fixture) size(t *testing.T, number, employees int64) {
	t.Helper()
	s.Put(t, &company.Company{Name: fmt.Sprint("Company ", number), Domain: fmt.Sprintf("c%d.example", number), EmployeeCount: &employees})
}

// between returns an order for the companies with low to high employees, smallest first, each Monday.
func between(low, high int64) order.Order {
	filters := query.Filters{EmployeeCountMin: &low, EmployeeCountMax: &high}
	content, err := json.Marshal(filters)
	if err != nil {
		panic(err)
	}
	q, err := query.Parse(filters)
	if err != nil {
		panic(err)
	}
	return order.Order{
		Name: "New", Schedule: order.Schedule{Cron: "0 8 * * MON", Zone: "Europe/Berlin"},
		Request: export.Request{Source: export.SourceSearch, Query: q, Filters: content, Sort: query.Sort{By: query.ByEmployeeCount}},
	}
}

func (s *fixture) create(t *testing.T, o order.Order, baseline bool) order.Order {
	t.Helper()
	made, err := s.Orders.Create(t.Context(), s.caller, o, baseline)
	require.NoError(t, err)
	return made
}

func (s *fixture) exec(t *testing.T, q string, args ...any) {
	t.Helper()
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), q, args...)
		return err
	}))
}

// due makes the next run of an order due for a time.
func (s *fixture) due(t *testing.T, o order.Order, ago time.Duration) {
	t.Helper()
	s.exec(t, `UPDATE standing_order SET next_at = $2, claimed_until = NULL WHERE id = $1`, o.ID, db.Time(time.Now().Add(-ago)))
}

// run makes the order's next run due, runs it and returns it.
func (s *fixture) run(t *testing.T, o order.Order) order.Run {
	t.Helper()
	before := len(s.runs(t, o))
	s.due(t, o, time.Second)
	require.NoError(t, s.Orders.RunDue(t.Context()))
	runs := s.runs(t, o)
	require.Len(t, runs, before+1)
	return runs[0]
}

// runs returns all runs of an order, newest first.
func (s *fixture) runs(t *testing.T, o order.Order) []order.Run {
	t.Helper()
	runs, err := s.Orders.Runs(t.Context(), s.caller.Workspace, o.ID, id.Run{}, 1000)
	require.NoError(t, err)
	return runs
}

func (s *fixture) get(t *testing.T, o order.Order) order.Order {
	t.Helper()
	got, err := s.Orders.Get(t.Context(), s.caller.Workspace, o.ID)
	require.NoError(t, err)
	return got
}

// preview returns what the order's next run would do.
func (s *fixture) preview(t *testing.T, o order.Order) order.Next {
	t.Helper()
	got, err := s.Orders.Preview(t.Context(), s.get(t, o))
	require.NoError(t, err)
	return *got.Next
}

// delivered returns the numbers of the companies that a run has bought.
func (s *fixture) delivered(t *testing.T, r order.Run) []company.Number {
	t.Helper()
	require.Equal(t, order.Exported, r.Status, "%s %s", r.Code, r.Message)
	set, err := export.Selected(t.Context(), s.DB.Read(), r.Export)
	require.NoError(t, err)
	return slices.Collect(set.All())
}

func (s *fixture) balance(t *testing.T) int64 {
	t.Helper()
	n, err := s.Credits.Balance(t.Context(), s.caller.Workspace)
	require.NoError(t, err)
	return n
}

// events returns the data of the events of orders, oldest first, and their types.
func (s *fixture) events(t *testing.T) (types []event.Type, data []map[string]any) {
	t.Helper()
	all, err := s.Events.Page(t.Context(), event.Filter{Workspace: s.caller.Workspace, Types: []event.Type{event.OrderRan, event.OrderSkipped}}, id.Event{}, 1000)
	require.NoError(t, err)
	for _, e := range all {
		var d map[string]any
		require.NoError(t, json.Unmarshal(e.Data, &d))
		types, data = append(types, e.Type), append(data, d)
	}
	return types, data
}

func (s *fixture) auditClean(t *testing.T) {
	t.Helper()
	findings, err := s.Exports.AuditBooks(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
	ledger, err := s.Credits.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, ledger)
	orders, err := s.Orders.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, orders)
	unlocks, err := s.Unlocks.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, unlocks)
}

func (s *fixture) list(t *testing.T, numbers ...company.Number) list.List {
	t.Helper()
	l, err := s.Lists.Create(t.Context(), s.caller.Workspace, "Mine")
	require.NoError(t, err)
	_, _, err = s.Lists.Add(t.Context(), s.caller.Workspace, l.ID, company.SetOf(numbers...))
	require.NoError(t, err)
	return l
}

func (s *fixture) member(t *testing.T) id.Person {
	t.Helper()
	person := id.New[id.Person]()
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		return s.Workspaces.AddMember(t.Context(), tx, s.caller.Workspace, person, workspace.Member)
	}))
	return person
}

func numbers(first, last company.Number) (all []company.Number) {
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}
