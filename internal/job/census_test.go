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

func TestTheCensusCountsEveryStateAndTheLongestWait(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		c, err := q.Census(t.Context())
		require.NoError(t, err)
		require.Equal(t, job.Census{ByState: map[string]int64{"queued": 0, "running": 0, "done": 0, "buried": 0}}, c)

		enqueue(t, d, q, 1)
		enqueue(t, d, q, 2)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE job SET run_at = $1 WHERE payload = '2'`, db.Time(time.Now().Add(-time.Hour)))
			return err
		}))
		c, err = q.Census(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, c.ByState["queued"])
		require.InDelta(t, time.Hour, c.Overdue, float64(time.Minute))

		done := make(chan struct{}, 2)
		start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
			done <- struct{}{}
			return nil
		}}})
		await(t, done)
		await(t, done)
		require.Eventually(t, func() bool {
			c, err = q.Census(t.Context())
			return err == nil && c.ByState["done"] == 2 && c.Overdue == 0
		}, 10*time.Second, 5*time.Millisecond)
	})
}
