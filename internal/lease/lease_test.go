package lease_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/lease"
)

func start(t *testing.T, d *db.DB, length time.Duration) *lease.Lease {
	t.Helper()
	l := lease.New(d, lease.Options{Name: "test", For: length, Poll: 10 * time.Millisecond})
	require.NoError(t, l.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, l.Stop(context.WithoutCancel(t.Context()))) })
	return l
}

func TestOneServerHasTheLeaseUntilItStops(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		first, second := start(t, open(), time.Minute), start(t, open(), time.Minute)
		held := first.Held()
		require.NotNil(t, held)
		require.Nil(t, second.Held())

		require.NoError(t, first.Stop(t.Context()))
		require.NoError(t, first.Stop(t.Context()))
		require.Error(t, held.Err())
		require.Nil(t, first.Held())
		require.Eventually(t, func() bool { return second.Held() != nil }, 30*time.Second, time.Millisecond)
		require.NoError(t, second.Held().Err())
	})
}

// A server that cannot reach the database stops before another one may begin.
func TestALeaseEndsWhereTheDatabaseIsAwayBeforeAnotherServerGetsIt(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		var cut atomic.Bool
		first := start(t, open().Guarded(func(db.GuardPoint) error {
			if cut.Load() {
				return context.DeadlineExceeded
			}
			return nil
		}), 2*time.Second)
		held := first.Held()
		require.NotNil(t, held)
		second := start(t, open(), time.Minute)
		cut.Store(true)
		require.Eventually(t, func() bool { return second.Held() != nil }, 30*time.Second, time.Millisecond)
		require.Error(t, held.Err(), "both servers have the lease")
		require.Nil(t, first.Held())

		cut.Store(false)
		time.Sleep(50 * time.Millisecond) // the first asks again, in vain
		require.Nil(t, first.Held())
		require.NotNil(t, second.Held())
	})
}

func TestALeaseIsRenewed(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		first := start(t, open(), 3*time.Second)
		held := first.Held()
		second := start(t, open(), 3*time.Second)
		select {
		case <-held.Done():
			t.Fatal("the lease was lost")
		case <-time.After(5 * time.Second):
		}
		require.Nil(t, second.Held())
	})
}
