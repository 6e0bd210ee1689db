package simtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// scene is one thing that can be done to a solo, and what has to be there before.
type scene struct {
	name string
	set  func(*solo, context.Context)
	play func(*solo, context.Context)
}

func scenes() []scene {
	perform := func(deeds ...string) func(*solo, context.Context) {
		return func(s *solo, ctx context.Context) {
			for _, what := range deeds {
				s.did(s.customer.Perform(ctx, s.r, what))
			}
		}
	}
	work := func(brokenPercent int) func(*solo, context.Context) {
		return func(s *solo, ctx context.Context) {
			s.breakStore(brokenPercent)
			s.work(ctx, s.node)
			s.did("work", nil)
			s.look(ctx)
		}
	}
	// Failing gives everything back that is not delivered, so that there is always something new to buy.
	fail := work(100)
	after := func(first func(*solo, context.Context), deeds ...string) func(*solo, context.Context) {
		return func(s *solo, ctx context.Context) {
			first(s, ctx)
			perform(deeds...)(s, ctx)
		}
	}
	nothing := func(*solo, context.Context) {}
	return []scene{
		{"buy", after(fail, "grant", "grant"), perform("buy")},
		{"buy by quote", after(fail, "grant", "quote", "quote", "quote"), perform("buy")},
		{"buy twice", after(fail, "grant"), perform("buy", "replay")},
		{"cancel", after(fail, "grant", "buy", "buy"), perform("cancel")},
		{"write the file", after(work(0), "grant", "buy"), work(0)},
		{"fail for good", after(work(0), "grant", "buy"), work(100)},
		{"quote", nothing, perform("quote")},
		{"grant", nothing, perform("grant")},
		{"import", perform("buy"), perform("import")},
		{"import and undo", perform("buy"), perform("import and undo")},
		{"create list", nothing, perform("create list")},
		{"change list", perform("create list"), perform("change list")},
		{"create token", nothing, perform("create token")},
		{"revoke token", perform("create token"), perform("revoke token")},
		{"maintain", after(work(0), "import", "quote"), func(s *solo, ctx context.Context) {
			if err := s.node.maintain(ctx); !s.node.life.isOver() {
				s.must(err, s.node)
			}
			s.did("maintain", nil)
		}},
	}
}

// A scene is played again with the same step if it lived, since how many steps it has differs: a purchase may be
// refused. It has no further step once it lived so often twice.
const triesOfStep = 4

// sweep plays the scene again and again, with a death before its first step, its second, and so on, in worlds that
// begin anew now and then, since in an old one the audits take long.
func sweep(t *testing.T, c scene, fresh func(*testing.T) string) (deaths int) {
	t.Helper()
	seed := newSeed()
	var s *solo
	for step, lived, worlds := 0, 0, uint64(0); lived < 2; step++ {
		if s == nil || s.crashes >= crashesOfWorld {
			if s != nil {
				s.end(t.Context())
			}
			s = newSolo(t, seed, worlds, fresh(t))
			worlds++
		}
		if s.playTo(t.Context(), c, step) {
			lived++
			continue
		}
		lived = 0
		deaths++
	}
	s.end(t.Context())
	return deaths
}

// playTo plays the scene up to a step, after which the process dies and another one goes on, or tells that it lives on.
func (s *solo) playTo(ctx context.Context, c scene, step int) (lived bool) {
	s.t.Helper()
	for range triesOfStep {
		c.set(s, ctx)
		s.say("%s, to die after %d steps", c.name, step)
		s.node.life.endAfter(step)
		c.play(s, ctx)
		if s.node.life.isOver() {
			s.rise(ctx)
			s.did(s.customer.Perform(ctx, s.r, "retry"))
			return false
		}
		s.node.life.goOn()
		s.look(ctx)
	}
	return true
}

func TestMoneyIsRightWhicheverStepIsTheLast(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		total := 0
		for _, c := range scenes() {
			deaths := sweep(t, c, fresh)
			require.GreaterOrEqual(t, deaths, 3, "%s has a begin, a statement, a commit", c.name)
			t.Logf("%s: %d deaths", c.name, deaths)
			total += deaths
		}
		t.Logf("%d deaths", total)
		require.GreaterOrEqual(t, total, 180)
	})
}
