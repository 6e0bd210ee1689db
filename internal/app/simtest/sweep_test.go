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
				s.did(s.witness.Perform(ctx, s.r, what))
			}
		}
	}
	work := func(brokenPercent int) func(*solo, context.Context) {
		return func(s *solo, ctx context.Context) {
			s.breakStore(brokenPercent)
			s.work(ctx, s.node)
			s.did("work", nil)
		}
	}
	// fail gives everything back that is not delivered, so that there is always something new to buy.
	fail := func(s *solo, ctx context.Context) {
		work(100)(s, ctx)
		s.look(ctx)
	}
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
		{"write the file", after(nothing, "grant", "buy"), work(0)},
		{"fail for good", after(nothing, "grant", "buy", "buy"), work(100)},
		{"quote", nothing, perform("quote")},
		{"grant", nothing, perform("grant")},
		{"import", perform("buy"), perform("import")},
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

// enough is after how many plays without a death in a row a scene has no further step: how many it has differs a bit.
const enough = 4

// sweep plays the scene again and again, with a death before its first step, its second, and so on.
func (s *solo) sweep(ctx context.Context, c scene) {
	s.t.Helper()
	for step, lived := 0, 0; lived < enough; step++ {
		s.node.life.goOn()
		c.set(s, ctx)
		s.say("%s, to die after %d steps", c.name, step)
		s.node.life.endAfter(step)
		c.play(s, ctx)
		if !s.node.life.isOver() {
			lived++
			s.node.life.goOn()
			s.look(ctx)
			continue
		}
		lived = 0
		s.rise(ctx)
		s.did(s.witness.Perform(ctx, s.r, "retry"))
	}
}

func TestMoneyIsRightWhicheverStepIsTheLast(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		total := 0
		for _, c := range scenes() {
			seed, more := seeds(t)()
			require.True(t, more)
			s := newSolo(t, seed, fresh(t))
			s.sweep(t.Context(), c)
			s.end(t.Context())
			require.GreaterOrEqual(t, s.crashes, 3, "%s has a begin, a statement, a commit", c.name)
			total += s.crashes
		}
		t.Logf("%d deaths", total)
		require.GreaterOrEqual(t, total, 150)
	})
}
