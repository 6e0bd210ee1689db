package simtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// scene is one thing that can be done to a solo, and what has to be there before.
type operation struct {
	name    string
	prepare func(*sequential, context.Context)
	run     func(*sequential, context.Context)
}

func operations() []operation {
	perform := func(actions ...string) func(*sequential, context.Context) {
		return func(s *sequential, ctx context.Context) {
			for _, what := range actions {
				s.record(s.customer.Perform(ctx, s.r, what))
			}
		}
	}
	runJobs := func(brokenPercent int) func(*sequential, context.Context) {
		return func(s *sequential, ctx context.Context) {
			s.breakStore(brokenPercent)
			s.runJobs(ctx, s.node)
			s.record("work", nil)
			s.compare(ctx)
		}
	}
	// Failing gives everything back that is not delivered, so that there is always something new to buy.
	fail := runJobs(100)
	after := func(first func(*sequential, context.Context), actions ...string) func(*sequential, context.Context) {
		return func(s *sequential, ctx context.Context) {
			first(s, ctx)
			perform(actions...)(s, ctx)
		}
	}
	nothing := func(*sequential, context.Context) {}
	return []operation{
		{"buy", after(fail, "grant", "grant"), perform("buy")},
		{"buy by quote", after(fail, "grant", "quote", "quote", "quote"), perform("buy")},
		{"buy twice", after(fail, "grant"), perform("buy", "replay")},
		{"cancel", after(fail, "grant", "buy", "buy"), perform("cancel")},
		{"write the file", after(runJobs(0), "grant", "buy"), runJobs(0)},
		{"fail for good", after(runJobs(0), "grant", "buy"), runJobs(100)},
		{"quote", nothing, perform("quote")},
		{"grant", nothing, perform("grant")},
		{"import", perform("buy"), perform("import")},
		{"import and undo", perform("buy"), perform("import and undo")},
		{"create list", nothing, perform("create list")},
		{"change list", perform("create list"), perform("change list")},
		{"create token", nothing, perform("create token")},
		{"revoke token", perform("create token"), perform("revoke token")},
		{"maintain", after(runJobs(0), "import", "quote"), func(s *sequential, ctx context.Context) {
			if err := s.node.maintain(ctx); !s.node.life.isOver() {
				s.must(err, s.node)
			}
			s.record("maintain", nil)
		}},
	}
}

// A scene is played again with the same step if it lived, since how many steps it has differs: a purchase may be
// refused. It has no further step once it lived so often twice.
const triesPerStep = 4

// sweep plays the scene again and again, with a death before its first step, its second, and so on, in simulations that
// begin anew now and then, since in an old one the audits take long.
func sweep(t *testing.T, op operation, fresh func(*testing.T) string) (crashes int) {
	t.Helper()
	seed := newSeed()
	var s *sequential
	for step, lived, simulations := 0, 0, uint64(0); lived < 2; step++ {
		if s == nil || s.crashes >= crashesPerSequential {
			if s != nil {
				s.finish(t.Context())
			}
			s = newSequential(t, seed, simulations, fresh(t))
			simulations++
		}
		if s.runTo(t.Context(), op, step) {
			lived++
			continue
		}
		lived = 0
		crashes++
	}
	s.finish(t.Context())
	return crashes
}

// runTo plays the scene up to a step, after which the process dies and another one goes on, or tells that it lives on.
func (s *sequential) runTo(ctx context.Context, op operation, step int) (lived bool) {
	s.t.Helper()
	for range triesPerStep {
		op.prepare(s, ctx)
		s.logf("%s, to die after %d steps", op.name, step)
		s.node.life.crashAfter(step)
		op.run(s, ctx)
		if s.node.life.isOver() {
			s.restart(ctx)
			s.record(s.customer.Perform(ctx, s.r, "retry"))
			return false
		}
		s.node.life.keepAlive()
		s.compare(ctx)
	}
	return true
}

func TestMoneyIsRightAfterACrashAtAnyStep(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, fresh func(*testing.T) string) {
		total := 0
		for _, op := range operations() {
			crashes := sweep(t, op, fresh)
			require.GreaterOrEqual(t, crashes, 3, "%s has a begin, a statement, a commit", op.name)
			t.Logf("%s: %d crashes", op.name, crashes)
			total += crashes
		}
		t.Logf("%d crashes", total)
		require.GreaterOrEqual(t, total, 180)
	})
}
