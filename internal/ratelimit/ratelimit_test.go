package ratelimit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/ratelimit"
)

func TestLookingAtABucketTakesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, limit := ratelimit.New(), ratelimit.PerMinute(5)
		require.Equal(t, 5, l.Left("a", limit))
		for left := 4; left >= 0; left-- {
			require.Equal(t, left, l.Allow("a", limit).Remaining)
			require.Equal(t, left, l.Left("a", limit))
			require.Equal(t, left, l.Left("a", limit))
		}
		require.Equal(t, 5, l.Left("b", limit))
		require.Zero(t, l.Left("a", ratelimit.Limit{}), "a limit that is off")
	})
}

func TestBucketHoldsItsSizeAndRefillsSteadily(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, limit := ratelimit.New(), ratelimit.PerMinute(5)
		for i := range 5 {
			d := l.Allow("k", limit)
			require.True(t, d.OK)
			require.Equal(t, 5, d.Limit)
			require.Equal(t, 4-i, d.Remaining)
			require.Equal(t, time.Duration(i+1)*12*time.Second, d.ResetAfter)
		}
		refused := ratelimit.Decision{Limit: 5, ResetAfter: time.Minute, RetryAfter: 12 * time.Second}
		require.Equal(t, refused, l.Allow("k", limit))
		require.Equal(t, refused, l.Allow("k", limit), "a refused request takes nothing")

		time.Sleep(12*time.Second - 1)
		require.False(t, l.Allow("k", limit).OK)
		time.Sleep(time.Nanosecond)
		require.True(t, l.Allow("k", limit).OK)
		require.False(t, l.Allow("k", limit).OK)
		require.True(t, l.Allow("other", limit).OK, "each key has a bucket of its own")

		time.Sleep(time.Hour)
		require.Equal(t, 4, l.Allow("k", limit).Remaining, "a bucket holds no more than its size")
	})
}

func TestRetryAfterIsWhenTheNextRequestPasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := ratelimit.Limit{
			Requests: rapid.IntRange(1, 1000).Draw(rt, "requests"),
			Per:      time.Duration(rapid.IntRange(1, int(time.Hour)).Draw(rt, "per")),
		}
		waits := rapid.SliceOfN(rapid.IntRange(0, int(limit.Per)), 1, 50).Draw(rt, "waits")
		synctest.Test(t, func(t *testing.T) {
			l := ratelimit.New()
			for _, wait := range waits {
				time.Sleep(time.Duration(wait))
				d := l.Allow("k", limit)
				if d.Remaining < 0 || d.Remaining >= limit.Requests || !d.OK && d.RetryAfter <= 0 {
					t.Fatalf("%+v", d)
				}
				if d.OK {
					continue
				}
				time.Sleep(d.RetryAfter)
				if d := l.Allow("k", limit); !d.OK {
					t.Fatalf("still refused: %+v", d)
				}
			}
		})
	})
}

func TestConcurrentRequestsShareABucket(t *testing.T) {
	t.Parallel()
	l, limit := ratelimit.New(), ratelimit.Limit{Requests: 100, Per: time.Hour}
	var (
		allowed atomic.Int64
		wg      sync.WaitGroup
	)
	for range 10 {
		wg.Go(func() {
			for range 50 {
				if l.Allow("k", limit).OK {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 100, allowed.Load())
}

func TestLimitThatIsOffAllowsEverything(t *testing.T) {
	t.Parallel()
	l := ratelimit.New()
	for range 1000 {
		require.Equal(t, ratelimit.Decision{OK: true}, l.Allow("k", ratelimit.Limit{}))
	}
}

func TestSettingsOverrideLimits(t *testing.T) {
	t.Parallel()
	builtIn := ratelimit.PerMinute(5)
	for setting, want := range map[string]ratelimit.Limit{
		"":                                  builtIn,
		"credits.get=1/s":                   builtIn,
		"off":                               {},
		" OFF ":                             {},
		"exports.create=off":                {},
		"exports.create=50/min":             ratelimit.PerMinute(50),
		"a=1/s, exports.create = 7 / hour,": {Requests: 7, Per: time.Hour},
	} {
		t.Run(setting, func(t *testing.T) {
			o, err := ratelimit.Parse(setting)
			require.NoError(t, err, setting)
			require.Equal(t, want, o.For("exports.create", builtIn), setting)
		})
	}
	o, err := ratelimit.Parse("b=1/s,a=off")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, o.Names())
}

func TestEveryUnreadableSettingIsNamed(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"on", "a", "a=", "=5/min", "a=5", "a=/min", "a=-1/min", "a=0/min", "a=5/year", "a=9999999/s", "a=1.5/s"} {
		_, err := ratelimit.Parse("x=1/s," + part + ",worse")
		require.ErrorContains(t, err, fmt.Sprintf("%q", part))
		require.ErrorContains(t, err, `"worse"`)
	}
}

func BenchmarkAllow(b *testing.B) {
	l, limit := ratelimit.New(), ratelimit.PerMinute(60)
	for i := 0; b.Loop(); i++ {
		l.Allow(fmt.Sprintf("key %d", i%10_000), limit)
	}
}
