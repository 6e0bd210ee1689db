package ratelimit_test

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/ratelimit"
)

func TestServersOnOneDatabaseCountTogether(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	quiet := slog.New(slog.DiscardHandler)
	servers := []*ratelimit.Limiter{
		ratelimit.NewShared(dbtest.Open(t, url), quiet), ratelimit.NewShared(dbtest.Open(t, url), quiet),
	}
	for _, s := range servers {
		s.WaitForDatabase(time.Minute)
	}
	limit := ratelimit.Limit{Requests: 20, Per: time.Hour}
	var allowed atomic.Int32
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			if servers[i%2].Allow("k", limit).OK {
				allowed.Add(1)
			}
		})
	}
	group.Wait()
	require.Equal(t, int32(20), allowed.Load())
	for _, s := range servers {
		d := s.Allow("k", limit)
		require.False(t, d.OK)
		require.Zero(t, d.Remaining)
		require.InDelta(t, time.Hour, d.ResetAfter, float64(time.Minute))
		require.InDelta(t, 3*time.Minute, d.RetryAfter, float64(time.Minute))
		require.Zero(t, s.Left("k", limit))
		require.Equal(t, 20, s.Left("other", limit))
	}
	servers[0].Return("k", limit)
	require.Equal(t, 1, servers[1].Left("k", limit))
	require.True(t, servers[1].Allow("k", limit).OK)
	require.False(t, servers[0].Allow("k", limit).OK)

	lower := ratelimit.Limit{Requests: 5, Per: time.Second}
	require.False(t, servers[0].Allow("k", lower).OK)
	require.LessOrEqual(t, servers[0].Allow("k", lower).ResetAfter, time.Second, "after a limit was lowered, nobody waits longer than its period")
}

func TestFullBucketsAreDeletedFromTheDatabase(t *testing.T) {
	t.Parallel()
	d := dbtest.Postgres(t)
	l := ratelimit.NewShared(d, slog.New(slog.DiscardHandler))
	l.WaitForDatabase(time.Minute)
	l.Allow("full again at once", ratelimit.Limit{Requests: 1000, Per: time.Millisecond})
	l.Allow("half full", ratelimit.PerMinute(2))
	time.Sleep(5 * time.Millisecond)
	require.NoError(t, l.Prune(t.Context()))
	var left int
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM rate_limit`).Scan(&left))
	require.Equal(t, 1, left)
	require.Equal(t, 1, l.Left("half full", ratelimit.PerMinute(2)))
}

func TestAServerCountsForItselfWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	d, err := dbtest.TryOpen(t, dbtest.PostgresURL(t))
	require.NoError(t, err)
	l, limit := ratelimit.NewShared(d, slog.New(slog.DiscardHandler)), ratelimit.PerMinute(3)
	require.True(t, l.Allow("k", limit).OK)
	require.NoError(t, d.Close())
	began := time.Now()
	require.True(t, l.Allow("k", limit).OK)
	require.True(t, l.Allow("k", limit).OK)
	require.False(t, l.Allow("k", limit).OK, "what it counted before is not forgotten")
	require.Zero(t, l.Left("k", limit))
	l.Return("k", limit)
	require.True(t, l.Allow("k", limit).OK)
	require.Less(t, time.Since(began), 5*time.Second)
}
