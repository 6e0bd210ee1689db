// Package simtest drives the whole program through random purchases, failures and deaths, on real databases, and holds
// it to all that it promises after each death. It has no code of its own to offer.
package simtest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
)

// solo is a world with one process, and one thing done to it at a time, so that every answer is foretold, and a seed
// repeats every step.
type solo struct {
	*world
	node     *node
	customer *customer.Customer
	crashes  int
	deeds    int
}

// soloJobs make one worker, which looks for work when it is told to.
func soloJobs() job.Options {
	return job.Options{
		Workers: 1, AttemptsMax: 2, RetryDelay: time.Millisecond, RetryDelayMax: time.Millisecond,
		Poll: time.Hour, Lease: time.Hour, HandBack: time.Minute, Alone: true,
	}
}

func newSolo(t *testing.T, seed, part uint64, name string) *solo {
	t.Helper()
	s := &solo{world: newWorld(t, seed, part, name, soloJobs())}
	ctx := t.Context()
	s.node = s.boot(ctx)
	stock := &customer.Stock{Size: stockSize}
	s.must(stock.Load(ctx, s.Import), s.node)
	s.customer = s.open(ctx, s.node, stock, s, true, func(r *http.Request) (*http.Response, error) {
		return s.node.answer(r, s.isLucky(), s.unexplained)
	})
	return s
}

// The operator is whichever process lives.

func (s *solo) Grant(ctx context.Context, ws string, credits int, note string) error {
	return s.node.Grant(ctx, ws, credits, note)
}

func (s *solo) Import(ctx context.Context, ndjson string) error { return s.node.Import(ctx, ndjson) }

func (s *solo) Undo(ctx context.Context) error { return s.node.Undo(ctx) }

func (s *solo) NewToken(ctx context.Context, ws string, budget *int) (customer.Token, error) {
	return s.node.NewToken(ctx, ws, budget)
}
func (s *solo) Revoke(ctx context.Context, t customer.Token) error { return s.node.Revoke(ctx, t) }

// did takes in what a deed came to.
func (s *solo) did(told string, err error) {
	s.t.Helper()
	s.deeds++
	s.say("%s", told)
	s.must(err, s.node)
}

// deed does one thing at random.
func (s *solo) deed(ctx context.Context) {
	s.t.Helper()
	switch s.r.IntN(20) {
	case 0, 1, 2:
		s.breakStore([]int{0, 0, 0, 40, 100}[s.r.IntN(5)])
		s.work(ctx, s.node)
		s.did("work", nil)
		s.look(ctx)
	case 3:
		err := s.node.maintain(ctx)
		if s.node.life.isOver() {
			err = nil
		}
		s.did("maintain", err)
	case 4, 5: // a client that hangs up
		ctx, cut := context.WithCancel(ctx)
		defer cut()
		s.node.life.hangUpAfter(s.r.IntN(30), cut)
		told, err := s.customer.Act(ctx, s.r)
		s.did("hanging up: "+told, err)
		s.node.life.hangUpAfter(0, nil)
		s.look(context.WithoutCancel(ctx))
	default:
		s.did(s.customer.Act(ctx, s.r))
	}
}

// look compares what the service has with what it promised; a process that dies meanwhile leaves that to the next one.
func (s *solo) look(ctx context.Context) {
	s.t.Helper()
	if err := s.customer.Look(ctx); !s.node.life.isOver() {
		s.must(err, s.node)
	}
}

// rise starts the next process after a death, and holds it to everything.
func (s *solo) rise(ctx context.Context) {
	s.t.Helper()
	s.crashes++
	s.say("death %d: %s", s.crashes, s.node.life.steps[len(s.node.life.steps)-1])
	s.node = s.boot(ctx)
	s.must(s.examine(ctx, s.node), s.node)
	s.look(ctx)
}

// end lets everything that was begun end, and looks at all of it.
func (s *solo) end(ctx context.Context) {
	s.t.Helper()
	s.node.life.goOn()
	s.breakStore(0)
	s.work(ctx, s.node)
	s.say("the end")
	s.must(s.customer.Check(ctx), s.node)
	s.must(s.examine(ctx, s.node), s.node)
	s.close()
}

// crashesOfWorld is how many deaths a world sees: in an old one the audits take long.
const crashesOfWorld = 15

func TestMoneyIsRightAfterEveryDeathOfTheProcess(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		crashes, deeds := 0, 0
		for wanted := deathsWanted(4, 5); crashes < wanted; {
			s := newSolo(t, newSeed(), 0, fresh(t))
			for s.crashes < crashesOfWorld {
				s.node.life.endAfter(s.r.IntN(100))
				for !s.node.life.isOver() {
					s.deed(t.Context())
				}
				s.rise(t.Context())
			}
			s.end(t.Context())
			crashes, deeds = crashes+s.crashes, deeds+s.deeds
		}
		t.Logf("%d deaths, %d deeds", crashes, deeds)
	})
}
