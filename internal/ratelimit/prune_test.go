package ratelimit

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFullBucketsAreDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New()
		l.Allow("short", Limit{Requests: 10, Per: time.Second})
		l.Allow("long", Limit{Requests: 1, Per: time.Hour})
		time.Sleep(2 * prunePeriod)
		l.Allow("new", PerMinute(1))
		require.Len(t, l.full, 2)
		require.Contains(t, l.full, "long")
	})
}
