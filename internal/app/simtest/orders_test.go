package simtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/customer"
	"github.com/opencapi/capi/internal/token"
)

// ordering is a simulation with standing orders: runs, imports, purchases, cancellations and failures at random, and a process that crashes
// at any step.
type ordering struct {
	*simulation
	node    *node
	caller  auth.Caller
	catalog *customer.Catalog
	orders  []order.Order
	due     map[id.Order][]int64 // scheduled instants that were due
	crashes int
	runs    int
}

func newOrdering(t *testing.T, seed uint64, name string) *ordering {
	t.Helper()
	ctx := t.Context()
	s := &ordering{simulation: newSimulation(t, seed, 7, name, sequentialJobs()), catalog: &customer.Catalog{Size: 40}, due: map[id.Order][]int64{}}
	s.node = s.boot(ctx)
	s.must(s.catalog.Import(ctx, s.node.Import), s.node)
	ws, err := s.node.CreateWorkspace(ctx, "Sim", 60)
	s.must(err, s.node)
	_, made, err := s.node.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "orders", Scope: auth.ReadWrite})
	s.must(err, s.node)
	s.caller = auth.Caller{Token: made.ID, Workspace: ws.ID, Scope: auth.ReadWrite}
	weekly, free := order.Schedule{Cron: "0 8 * * MON", Zone: "Europe/Berlin"}, new(int64(0))
	for _, o := range []order.Order{
		{Deliver: order.Added, Schedule: weekly, AboveCap: order.Fill, MaxCredits: new(int64(3)), Request: employing(1, 20)},
		{Deliver: order.Added, Schedule: weekly, MaxCredits: new(int64(8)), MaxCreditsTotal: new(int64(12)), Request: employing(15, 22)},
		{Deliver: order.Changed, Schedule: weekly, AboveCap: order.Fill, MaxCreditsTotal: new(int64(10)), Request: employing(18, 35)},
		{Deliver: order.Changed, AboveCap: order.Fill, MaxCredits: free, Request: employing(1, 40)}, // after imports
		{Deliver: order.All, Schedule: weekly, Missed: order.Skip, Request: employing(30, 33)},
	} {
		o.Name = fmt.Sprint(o.Deliver)
		o, err := s.node.Orders.Create(ctx, s.caller, o, false)
		s.must(err, s.node)
		s.orders = append(s.orders, o)
	}
	return s
}

func employing(low, high int64) export.Request {
	f := query.Filters{EmployeeCountMin: &low, EmployeeCountMax: &high}
	q, err := query.Parse(f)
	if err != nil {
		panic(err)
	}
	return export.Request{Source: export.SourceSearch, Query: q, Filters: json.RawMessage(f.String()), Sort: query.Sort{By: query.ByEmployeeCount}}
}

// schedule makes the next run of an order due, unless one is.
func (s *ordering) schedule(ctx context.Context, o order.Order, ago time.Duration) {
	now := time.Now()
	at := now.Add(-ago).UnixMicro()
	s.must(s.raw.Tx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE standing_order SET next_at = $2 WHERE id = $1 AND paused_at IS NULL AND next_at > $3`, o.ID, at, now.UnixMicro())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		s.due[o.ID] = append(s.due[o.ID], at)
		return nil
	}), s.node)
}

// act does one thing at random. What fails because the process has crashed is expected to.
func (s *ordering) act(ctx context.Context) {
	s.t.Helper()
	o := s.orders[s.r.IntN(len(s.orders))]
	var what string
	var err error
	switch s.r.IntN(11) {
	case 0, 1, 2, 3:
		what = "run what is due"
		s.schedule(ctx, o, time.Duration(s.r.IntN(800))*time.Second) // up to 13 minutes: a missed run, and not yet a finding of the doctor
		err = s.node.Orders.RunDue(ctx)
	case 4:
		what = "run on request"
		_, err = s.node.Orders.Run(ctx, s.caller, o.ID)
	case 5:
		what, err = "import", s.catalog.Import(ctx, s.node.Import)
	case 6:
		what = "buy"
		low := int64(1 + s.r.IntN(40))
		r := employing(low, low+3)
		r.Name = "x"
		_, _, err = s.node.Exports.Create(ctx, s.caller, r)
	case 7:
		what = "cancel"
		var all []export.Export
		if all, _, err = s.node.Exports.List(ctx, s.caller, "", 5); err == nil && len(all) > 0 {
			_, err = s.node.Exports.Cancel(ctx, s.caller, all[s.r.IntN(len(all))].ID)
		}
	case 8:
		what = "run jobs"
		s.breakStore([]int{0, 0, 100}[s.r.IntN(3)])
		s.runJobs(ctx, s.node)
	case 9:
		what = "grant"
		err = s.node.Grant(ctx, s.caller.Workspace.String(), 1+s.r.IntN(5), "")
	default:
		what = "preview"
		var got order.Order
		if got, err = s.node.Orders.Get(ctx, s.caller.Workspace, o.ID); err == nil {
			_, err = s.node.Orders.Preview(ctx, got)
		}
	}
	s.logf("%s: %v", what, err)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind() != fault.KindInternal || s.node.life.isOver() {
		err = nil
	}
	s.must(err, s.node)
}

// restart starts the next process and checks everything.
func (s *ordering) restart(ctx context.Context) {
	s.t.Helper()
	s.crashes++
	s.logf("crash %d: %s", s.crashes, s.node.life.steps[len(s.node.life.steps)-1])
	s.must(s.raw.Tx(ctx, func(tx *db.Tx) error { // the lease runs out
		_, err := tx.ExecContext(ctx, `UPDATE standing_order SET claimed_until = NULL`)
		return err
	}), nil)
	s.node = s.boot(ctx)
	s.must(errors.Join(s.examine(ctx, s.node), s.ordered(ctx)), s.node)
}

// ordered returns what is wrong with the orders and their runs.
func (s *ordering) ordered(ctx context.Context) error {
	wrong, err := db.Collect(ctx, s.raw.Read(), db.Value[string], `
		SELECT 'run ' || r.id || ' has no export' FROM order_run r
		WHERE r.status = 'exported' AND NOT EXISTS (SELECT 1 FROM export e WHERE e.id = r.export_id AND e.terms LIKE '%"order_id":"' || r.order_id || '"%')
		UNION ALL
		SELECT 'export ' || e.id || ' has no run' FROM export e
		WHERE e.terms LIKE '%"order_id"%' AND NOT EXISTS (SELECT 1 FROM order_run r WHERE r.export_id = e.id)
		UNION ALL
		SELECT 'run ' || r.id || ' cost ' || e.credits_charged FROM order_run r JOIN export e ON e.id = r.export_id JOIN standing_order o ON o.id = r.order_id
		WHERE e.credits_charged > o.max_credits
		UNION ALL
		SELECT 'order ' || o.id || ' has spent ' || SUM(e.credits_charged - e.credits_refunded)
		FROM standing_order o JOIN order_run r ON r.order_id = o.id JOIN export e ON e.id = r.export_id
		GROUP BY o.id, o.max_credits_total HAVING SUM(e.credits_charged - e.credits_refunded) > o.max_credits_total
		UNION ALL
		SELECT 'run ' || r.id || ' has not one event' FROM order_run r
		WHERE (SELECT COUNT(*) FROM event e WHERE e.type IN ('order.ran', 'order.skipped') AND e.data LIKE '%"run_id":"' || r.id || '"%') <> 1
		UNION ALL
		SELECT 'events of ' || COUNT(*) || ' runs' FROM event WHERE type IN ('order.ran', 'order.skipped') HAVING COUNT(*) <> (SELECT COUNT(*) FROM order_run)`)
	for _, w := range wrong {
		err = errors.Join(err, errors.New(w))
	}
	return err
}

// delivered returns the companies of the exports of an order that have not failed, with repetitions.
func (s *ordering) delivered(ctx context.Context, o order.Order) (all []company.Number) {
	s.t.Helper()
	runs, err := s.node.Orders.Runs(ctx, s.caller.Workspace, o.ID, id.Run{}, 10_000)
	s.must(err, s.node)
	for _, r := range runs {
		if r.Export.IsZero() {
			continue
		}
		set, _, err := export.Delivered(ctx, s.raw.Read(), s.caller.Workspace, r.Export)
		s.must(err, s.node)
		all = slices.AppendSeq(all, set.All())
	}
	return all
}

// finish makes everything that is due happen, and checks that each scheduled instant had one run and that the orders missed nothing.
func (s *ordering) finish(ctx context.Context) {
	s.t.Helper()
	s.node.life.keepAlive()
	s.breakStore(0)
	s.must(s.node.Grant(ctx, s.caller.Workspace.String(), 1_000, ""), s.node)
	for range 12 { // an order that buys three companies at a time needs a while
		for _, o := range s.orders {
			s.schedule(ctx, o, time.Second)
		}
		s.must(s.node.Orders.RunDue(ctx), s.node)
		s.runJobs(ctx, s.node)
	}
	s.logf("finish")
	s.must(errors.Join(s.examine(ctx, s.node), s.ordered(ctx)), s.node)
	for _, o := range s.orders {
		runs, err := s.node.Orders.Runs(ctx, s.caller.Workspace, o.ID, id.Run{}, 10_000)
		s.must(err, s.node)
		s.runs += len(runs)
		times := map[int64]int{}
		for _, r := range runs {
			times[r.ScheduledAt.UnixMicro()]++
		}
		for _, at := range s.due[o.ID] {
			if times[at] != 1 {
				s.must(fmt.Errorf("order %s, due at %d, ran %d times then", o.Name, at, times[at]), s.node)
			}
		}
	}
	got := s.delivered(ctx, s.orders[0])
	slices.Sort(got)
	want := slices.Collect(company.Span(1, 20).All())
	if !slices.Equal(got, want) {
		s.must(fmt.Errorf("the order of what was added delivered %v, want each of %v once", got, want), s.node)
	}
	s.close()
}

// crashesPerOrdering is the number of crashes after which a new simulation starts.
const crashesPerOrdering = 15

func TestOrdersBuyOnceAndMissNothingAfterEveryCrash(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, runs := 0, 0
		for wanted := crashesWanted(1, 10); crashes < wanted; {
			s := newOrdering(t, newSeed(), fresh(t))
			for s.crashes < crashesPerOrdering {
				s.node.life.crashAfter(s.r.IntN(80))
				for !s.node.life.isOver() {
					s.act(t.Context())
				}
				s.restart(t.Context())
			}
			s.finish(t.Context())
			crashes, runs = crashes+s.crashes, runs+s.runs
		}
		require.Greater(t, runs, crashes)
		t.Logf("%d crashes, %d runs", crashes, runs)
	})
}
