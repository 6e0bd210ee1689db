package simtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// operation is one action on a sequential simulation, with the actions that prepare it.
type operation struct {
	name    string
	prepare func(*sequential, context.Context)
	run     func(*sequential, context.Context)
}

func operations() []operation {
	perform := func(actions ...string) func(*sequential, context.Context) {
		return func(s *sequential, ctx context.Context) {
			for _, what := range actions {
				s.record(s.customer.DoNamed(ctx, s.r, what))
			}
		}
	}
	runJobs := func(brokenPercent int) func(*sequential, context.Context) {
		return func(s *sequential, ctx context.Context) {
			s.breakStore(brokenPercent)
			s.runJobs(ctx, s.node)
			s.record("run jobs", nil)
			s.compare(ctx)
		}
	}
	// Failing refunds everything that is not delivered, so that there is always something new to buy.
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
		{"fail permanently", after(runJobs(0), "grant", "buy"), runJobs(100)},
		{"quote", nothing, perform("quote")},
		{"grant", nothing, perform("grant")},
		{"import", perform("buy"), perform("import")},
		{"import and undo", perform("buy"), perform("import and undo")},
		{"create list", nothing, perform("create list")},
		{"change list", perform("create list"), perform("change list")},
		{"exclude list", perform("create list", "change list"), perform("exclude list")},
		{"match", nothing, perform("match")},
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

// triesPerStep is how often an operation is tried with a crash at the same step. The number of steps of an operation varies,
// since for example a purchase may be refused, so one try that ends without a crash does not prove that there are no more
// steps. A sweep ends when all tries of two consecutive steps end without a crash.
const triesPerStep = 4

// sweep repeats the operation with a crash before its first step, its second, and so on, and returns the number of crashes.
// It starts a new simulation now and then, since the audits of an old one take long.
func sweep(t *testing.T, op operation, fresh func(*testing.T) string) (crashes int) {
	t.Helper()
	seed := newSeed()
	var s *sequential
	for step, survived, simulations := 0, 0, uint64(0); survived < 2; step++ {
		if s == nil || s.crashes >= crashesPerSequential {
			if s != nil {
				s.finish(t.Context())
			}
			s = newSequential(t, seed, simulations, fresh(t))
			simulations++
		}
		if s.runTo(t.Context(), op, step) {
			survived++
			continue
		}
		survived = 0
		crashes++
	}
	s.finish(t.Context())
	return crashes
}

// runTo runs the operation with a crash after the given number of steps and restarts the process. It returns true if the
// operation ended before the crash in every try.
func (s *sequential) runTo(ctx context.Context, op operation, step int) (survived bool) {
	s.t.Helper()
	for range triesPerStep {
		op.prepare(s, ctx)
		s.logf("%s, crash after %d steps", op.name, step)
		s.node.life.crashAfter(step)
		op.run(s, ctx)
		if s.node.life.isOver() {
			s.restart(ctx)
			s.record(s.customer.DoNamed(ctx, s.r, "retry"))
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
			require.GreaterOrEqual(t, crashes, 3, "%s has at least a begin, a statement and a commit", op.name)
			t.Logf("%s: %d crashes", op.name, crashes)
			total += crashes
		}
		t.Logf("%d crashes", total)
		require.GreaterOrEqual(t, total, 180)
	})
}
