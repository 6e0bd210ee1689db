package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/job"
)

func TestStatsCountEveryStateAndTheLongestWait(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		stats, err := q.Stats(t.Context())
		require.NoError(t, err)
		require.Equal(t, job.Stats{ByState: map[string]int64{"queued": 0, "running": 0, "done": 0, "buried": 0}}, stats)

		enqueue(t, d, q, 1)
		enqueue(t, d, q, 2)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE job SET run_at = $1 WHERE payload = '2'`, db.Time(time.Now().Add(-time.Hour)))
			return err
		}))
		stats, err = q.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, stats.ByState["queued"])
		require.InDelta(t, time.Hour, stats.Overdue, float64(time.Minute))

		done := make(chan struct{}, 2)
		start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
			done <- struct{}{}
			return nil
		}}})
		await(t, done)
		await(t, done)
		require.Eventually(t, func() bool {
			stats, err = q.Stats(t.Context())
			return err == nil && stats.ByState["done"] == 2 && stats.Overdue == 0
		}, 30*time.Second, 5*time.Millisecond)
	})
}

func TestStatsByKindCountJobsByKindAndState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, job.Options{})
		none, err := q.StatsByKind(t.Context())
		require.NoError(t, err)
		require.Empty(t, none)
		start := time.Now().Add(-time.Millisecond)
		for _, kind := range []string{"b", "a", "b"} {
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := q.Enqueue(t.Context(), tx, kind, nil)
				return err
			}))
		}
		got, err := q.StatsByKind(t.Context())
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, "a", got[0].Kind)
		require.Equal(t, 1, got[0].Count)
		require.Equal(t, "b", got[1].Kind)
		require.Equal(t, 2, got[1].Count)
		require.Equal(t, "queued", got[1].State)
		require.WithinRange(t, got[1].Oldest, start, time.Now())
	})
}
