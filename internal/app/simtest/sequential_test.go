// Package simtest drives the whole program through random purchases, failures and crashes, on real databases, and checks
// all guarantees after each crash. It contains only tests.
package simtest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
)

// sequential is a simulation with one process and one action at a time. A model can therefore predict every answer, and a
// seed repeats every step.
type sequential struct {
	*simulation
	node     *node
	customer *customer.Customer
	crashes  int
	actions  int
}

// sequentialJobs returns options for one worker, which looks for jobs only when notified.
func sequentialJobs() job.Options {
	return job.Options{
		Workers: 1, AttemptsMax: 2, RetryDelay: time.Millisecond, RetryDelayMax: time.Millisecond,
		Poll: time.Hour, Lease: time.Hour, HandBack: time.Minute, Alone: true,
	}
}

func newSequential(t *testing.T, seed, part uint64, name string) *sequential {
	t.Helper()
	s := &sequential{simulation: newSimulation(t, seed, part, name, sequentialJobs())}
	ctx := t.Context()
	s.node = s.boot(ctx)
	catalog := &customer.Catalog{Size: catalogSize}
	s.must(catalog.Import(ctx, s.Import), s.node)
	s.customer = s.open(ctx, s.node, catalog, s, true, func(r *http.Request) (*http.Response, error) {
		return s.node.answer(r, s.flipCoin(), s.unexplained)
	})
	return s
}

// sequential is a customer.Operator that uses the current process.

func (s *sequential) Grant(ctx context.Context, ws string, credits int, note string) error {
	return s.node.Grant(ctx, ws, credits, note)
}

func (s *sequential) Import(ctx context.Context, ndjson string) error {
	return s.node.Import(ctx, ndjson)
}

func (s *sequential) Undo(ctx context.Context) error { return s.node.Undo(ctx) }

func (s *sequential) NewToken(ctx context.Context, ws string, budget *int, member bool) (customer.Token, error) {
	return s.node.NewToken(ctx, ws, budget, member)
}

func (s *sequential) Revoke(ctx context.Context, t customer.Token) error {
	return s.node.Revoke(ctx, t)
}

// record records an action and fails the test if err is not nil.
func (s *sequential) record(what string, err error) {
	s.t.Helper()
	s.actions++
	s.logf("%s", what)
	s.must(err, s.node)
}

// act performs one random action.
func (s *sequential) act(ctx context.Context) {
	s.t.Helper()
	switch s.r.IntN(20) {
	case 0, 1, 2:
		s.breakStore([]int{0, 0, 0, 40, 100}[s.r.IntN(5)])
		s.runJobs(ctx, s.node)
		s.record("run jobs", nil)
		s.compare(ctx)
	case 3:
		err := s.node.maintain(ctx)
		if s.node.life.isOver() {
			err = nil
		}
		s.record("maintain", err)
	case 4, 5: // a client that hangs up
		ctx, hangUp := context.WithCancel(ctx)
		defer hangUp()
		s.node.life.hangUpAfter(s.r.IntN(30), hangUp)
		what, err := s.customer.DoRandom(ctx, s.r)
		s.record("client hangs up: "+what, err)
		s.node.life.hangUpAfter(0, nil)
		s.compare(context.WithoutCancel(ctx))
	default:
		s.record(s.customer.DoRandom(ctx, s.r))
	}
}

// compare compares the data of the service with what it promised. If the process crashes during the comparison, the result
// is ignored; restart compares again.
func (s *sequential) compare(ctx context.Context) {
	s.t.Helper()
	if err := s.customer.Audit(ctx); !s.node.life.isOver() {
		s.must(err, s.node)
	}
}

// restart starts the next process after a crash and checks all guarantees.
func (s *sequential) restart(ctx context.Context) {
	s.t.Helper()
	s.crashes++
	s.logf("crash %d: %s", s.crashes, s.node.life.steps[len(s.node.life.steps)-1])
	s.node = s.boot(ctx)
	s.must(s.examine(ctx, s.node), s.node)
	s.compare(ctx)
}

// finish runs all jobs to their end and checks everything.
func (s *sequential) finish(ctx context.Context) {
	s.t.Helper()
	s.node.life.keepAlive()
	s.breakStore(0)
	s.runJobs(ctx, s.node)
	s.logf("finish")
	s.must(s.checkDeliveries(ctx, s.node, func() { s.runJobs(ctx, s.node) }), s.node)
	s.must(s.customer.Check(ctx), s.node)
	s.must(s.examine(ctx, s.node), s.node)
	s.close()
}

// crashesPerSequential is the number of crashes after which a new simulation starts: audits of an old one take long.
const crashesPerSequential = 15

func TestMoneyIsRightAfterEveryCrash(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, actions, deliveries := 0, 0, 0
		for wanted := crashesWanted(4, 5); crashes < wanted; {
			s := newSequential(t, newSeed(), 0, fresh(t))
			for s.crashes < crashesPerSequential {
				s.node.life.crashAfter(s.r.IntN(100))
				for !s.node.life.isOver() {
					s.act(t.Context())
				}
				s.restart(t.Context())
			}
			s.finish(t.Context())
			crashes, actions, deliveries = crashes+s.crashes, actions+s.actions, deliveries+s.deliveries
		}
		if *seedFlag == 0 {
			require.Positive(t, deliveries)
		}
		t.Logf("%d crashes, %d actions, %d deliveries", crashes, actions, deliveries)
	})
}
