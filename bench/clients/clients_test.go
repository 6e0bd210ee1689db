package clients

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/bench/workload"
)

func TestClientsShareTheTargetsAndCountAnswersByKind(t *testing.T) {
	t.Parallel()
	ops := []workload.Op{{Name: "a", Kind: workload.Search}, {Name: "b", Kind: workload.Search}, {Name: "c", Kind: workload.Buy}}
	var first, second atomic.Int32
	counted := func(n *atomic.Int32) Target {
		return func(context.Context, workload.Op) error {
			n.Add(1)
			time.Sleep(time.Millisecond)
			return nil
		}
	}
	r, err := Run(t.Context(), []Target{counted(&first), counted(&second)}, ops, Options{Clients: 4, Last: 200 * time.Millisecond})
	require.NoError(t, err)
	require.Zero(t, r.Errors)
	require.Positive(t, first.Load())
	require.Positive(t, second.Load())
	total := int(first.Load() + second.Load())
	require.InDelta(t, total, len(r.All()), 4, "the last answer of each client may come too late")
	require.InDelta(t, 2*len(r.Times[workload.Buy]), len(r.Times[workload.Search]), 8)
	require.InDelta(t, 5*len(r.All()), r.PerSecond(), 0.1)
	for _, took := range r.All() {
		require.GreaterOrEqual(t, took, time.Millisecond)
	}
}

func TestAFailureIsCountedAndReturnedWithItsOperation(t *testing.T) {
	t.Parallel()
	broken := errors.New("it is broken")
	ops := []workload.Op{{Name: "a", Kind: workload.Search}, {Name: "b", Kind: workload.Buy}}
	r, err := Run(t.Context(), []Target{func(_ context.Context, op workload.Op) error {
		time.Sleep(time.Millisecond)
		if op.Name == "b" {
			return broken
		}
		return nil
	}}, ops, Options{Clients: 2, Last: 50 * time.Millisecond})
	require.NoError(t, err)
	require.Positive(t, r.Errors)
	require.ErrorIs(t, r.First, broken)
	require.ErrorContains(t, r.First, "b: ")
	require.Empty(t, r.Times[workload.Buy])
	require.NotEmpty(t, r.Times[workload.Search])
}

func TestAnswersBeforeTheyCountAreLeftOut(t *testing.T) {
	t.Parallel()
	asked := 0
	r, err := Run(t.Context(), []Target{func(context.Context, workload.Op) error {
		asked++
		time.Sleep(time.Millisecond)
		return nil
	}}, []workload.Op{{Name: "a"}}, Options{Clients: 1, Warm: 100 * time.Millisecond, Last: 50 * time.Millisecond})
	require.NoError(t, err)
	require.Less(t, len(r.All()), asked)
	require.NotEmpty(t, r.All())
}
