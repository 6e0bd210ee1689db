package order_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/testkit"
)

var errCrashed = errors.New("the process has crashed")

// mortal is a guard that ends a process before one of its steps: from then on every step fails.
type mortal struct {
	mu    sync.Mutex
	left  int // steps before the crash; negative for never
	taken int
}

func (m *mortal) guard(p db.GuardPoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return errCrashed
	}
	if p != db.Read { // a crash before a read leaves the same data as one before the next step
		m.left--
		m.taken++
	}
	return nil
}

func (m *mortal) dieAfter(steps int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = steps
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left == 0
}

// Whatever step of a run a process crashes at, the next process makes the run, or finds it made, and everything is there once.
func TestARunIsBoughtOnceWhateverStepCrashes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 4, 10_000)
		life := &mortal{left: -1}
		doomed := s.another(t, d.Guarded(life.guard))
		newest := func() order.Order {
			s.add(t, 1)
			extent, err := s.Catalog.Extent(t.Context())
			require.NoError(t, err)
			return between(int64(extent.Last), int64(extent.Last))
		}
		for what, prepare := range map[string]func() order.Order{
			"a run that buys":          newest,
			"a run that finds nothing": func() order.Order { return between(7_000, 8_000) },
			"a run that is skipped": func() order.Order {
				o := newest()
				o.MaxCredits = new(int64(0))
				return o
			},
		} {
			crashes := 0
			for steps := 1; ; steps++ {
				made := s.create(t, prepare(), false)
				doomed.Follow(t)
				s.due(t, made, time.Second)
				life.dieAfter(steps)
				err := doomed.Orders.RunDue(t.Context())
				crashed := life.isDead()
				life.dieAfter(-1)
				if crashed {
					require.Error(t, err)
					crashes++
					s.exec(t, `UPDATE standing_order SET claimed_until = 1 WHERE claimed_until IS NOT NULL`) // the lease runs out
				}
				require.NoError(t, s.Orders.RunDue(t.Context()))
				runs := s.runs(t, made)
				require.Len(t, runs, 1, "%s, crash after %d steps", what, steps)
				require.True(t, s.get(t, made).NextAt.After(time.Now()))
				s.one(t, made, runs[0])
				require.NoError(t, s.Orders.Delete(t.Context(), s.caller.Workspace, made.ID))
				if !crashed {
					break
				}
			}
			require.GreaterOrEqual(t, crashes, 6, what)
		}
		s.auditClean(t)
	})
}

// one checks that there is one export, one event and one charge for the run.
func (s *fixture) one(t *testing.T, o order.Order, r order.Run) {
	t.Helper()
	exports, _, err := s.Exports.List(t.Context(), s.caller, "", 100)
	require.NoError(t, err)
	var charged int64
	n := 0
	for _, e := range exports {
		if e.Terms.Order == o.ID {
			n, charged = n+1, charged+e.Figures.CreditsCharged
			require.Equal(t, r.Export, e.ID)
		}
	}
	require.Equal(t, map[order.Status]int{order.Exported: 1}[r.Status], n)
	require.Equal(t, r.Charged, charged)
	kinds, data := s.events(t)
	n = 0
	for i, d := range data {
		if d["order_id"] == o.ID.String() {
			n++
			require.Equal(t, r.ID.String(), d["run_id"])
			require.Equal(t, r.Status == order.Skipped, kinds[i] == event.OrderSkipped)
		}
	}
	require.Equal(t, 1, n)
}

func TestSeveralServersBuyARunOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, opened func() *db.DB) {
		s := open(t, opened(), 30, 1_000)
		servers := []*testkit.Fixture{s.Fixture, s.another(t, opened()), s.another(t, opened())}
		var orders []order.Order
		for i := range int64(6) {
			o := between(1+5*i, 5+5*i)
			o.AboveCap, o.MaxCreditsTotal = order.Fill, new(int64(4))
			made := s.create(t, o, false)
			s.due(t, made, time.Second)
			orders = append(orders, made)
		}
		var group sync.WaitGroup
		for i, server := range servers {
			for range 2 {
				group.Go(func() {
					if err := server.Orders.RunDue(context.WithoutCancel(t.Context())); err != nil {
						t.Error(err)
					}
				})
			}
			group.Go(func() { // somebody asks for a run at the same time
				_, err := server.Orders.Run(context.WithoutCancel(t.Context()), s.caller, orders[i].ID)
				if err != nil && fault.CodeOf(err) != fault.MaxCreditsExceeded {
					t.Error(err)
				}
			})
		}
		group.Wait()
		s.exec(t, `UPDATE standing_order SET claimed_until = NULL`)
		require.NoError(t, s.Orders.RunDue(t.Context()))
		for _, o := range orders {
			scheduled := 0
			for _, r := range s.runs(t, o) {
				if r.Cause == order.OnSchedule {
					scheduled++
				}
			}
			require.Equal(t, 1, scheduled)
			require.EqualValues(t, 4, s.get(t, o).Spent)
		}
		require.EqualValues(t, 1_000-6*4, s.balance(t))
		s.auditClean(t)
	})
}

// While other purchases, changes and refunds happen, each run costs what its preview says, delivers what a plain model expects, and no
// limit is exceeded.
func TestRunsMatchAPlainModelAndTheirPreview(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		s := open(t, d, 30, 10_000)
		size := map[company.Number]int64{}
		for n := range company.Number(30) {
			size[n+1] = int64(n + 1)
		}
		type modelled struct {
			order.Order
			known map[company.Number]bool
			most  int
		}
		var orders []*modelled
		for i, deliver := range []order.Deliver{order.Added, order.Changed, order.All, order.Added} {
			o := between(10, 25)
			o.Name, o.Deliver = fmt.Sprint(deliver, i), deliver
			m := &modelled{known: map[company.Number]bool{}, most: 1_000}
			if i == 3 {
				o.AboveCap, o.MaxCredits, m.most = order.Fill, new(int64(2)), 2
			}
			m.Order = s.create(t, o, false)
			orders = append(orders, m)
		}
		owned := map[company.Number]bool{}
		for range 40 {
			switch n := company.Number(r.IntN(30) + 1); r.IntN(3) {
			case 0:
				if to := int64(r.IntN(40) + 1); to != size[n] {
					s.size(t, int64(n), to)
					size[n] = to
					delete(orders[1].known, n)
				}
			case 1:
				_, _, err := s.Exports.Create(t.Context(), s.caller, export.Request{Name: "x", Source: export.SourceList, List: s.list(t, n).ID})
				require.NoError(t, err)
				owned[n] = true
			default:
				o := orders[r.IntN(len(orders))]
				var want []company.Number
				fresh := 0
				for to := int64(10); to <= 25; to++ { // in the order of the file
					for n := company.Number(1); n <= 30; n++ {
						if size[n] != to || o.Deliver != order.All && o.known[n] || !owned[n] && fresh == o.most {
							continue
						}
						if want = append(want, n); !owned[n] {
							fresh++
						}
					}
				}
				preview := s.preview(t, o.Order)
				run := s.run(t, o.Order)
				require.Equal(t, preview.Status, run.Status)
				if len(want) == 0 {
					require.Equal(t, order.NothingNew, run.Status)
					continue
				}
				require.Equal(t, preview.Preview.Cost, run.Charged)
				require.EqualValues(t, fresh, run.Charged)
				require.ElementsMatch(t, want, s.delivered(t, run))
				for _, n := range want {
					o.known[n], owned[n] = true, true
				}
			}
		}
		require.EqualValues(t, 10_000-len(owned), s.balance(t))
		s.auditClean(t)
	})
}

func TestATokenThatIsRotatedKeepsItsOrders(t *testing.T) {
	t.Parallel()
	s := open(t, dbtest.SQLite(t), 3, 10)
	made := s.create(t, between(1, 3), false)
	_, _, err := s.Tokens.Rotate(t.Context(), s.caller.Workspace, s.caller.Token, 0)
	require.NoError(t, err)
	require.Len(t, s.delivered(t, s.run(t, made)), 3)
	acting, err := s.Tokens.Acting(t.Context(), s.caller.Token)
	require.NoError(t, err)
	require.Equal(t, auth.ReadWrite, acting.Scope)
}
