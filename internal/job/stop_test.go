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

// watched is a context that signals when a goroutine begins to wait for its end.
type watched struct {
	context.Context
	seen chan struct{}
}

// Done signals, and returns the done channel of the context.
func (w *watched) Done() <-chan struct{} {
	w.seen <- struct{}{}
	return w.Context.Done()
}

func TestStopWaitsForRunningJobsAndClaimsNoMore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := fast()
		o.Workers = 1
		q := job.New(d, o)
		working, finish := make(chan struct{}, 2), make(chan struct{})
		r := start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
			working <- struct{}{}
			<-finish
			return nil
		}}})
		running := enqueue(t, d, q, nil)
		await(t, working)
		waiting := enqueue(t, d, q, nil)

		stopped, stopping := make(chan error, 2), &watched{t.Context(), make(chan struct{}, 8)}
		for range 2 { // a second call is as good as the first
			go func() { stopped <- r.Stop(stopping) }()
			await(t, stopping.seen)
		}
		close(finish)
		require.NoError(t, await(t, stopped))
		require.NoError(t, await(t, stopped))
		require.Equal(t, row{State: "done", Attempt: 1}, read(t, d, running))
		require.NoError(t, r.Start(t.Context()), "a stopped runner stays stopped")
		require.Equal(t, row{State: "queued"}, read(t, d, waiting))
	})
}

func TestImpatientStopHandsJobsBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		working := make(chan struct{}, 1)
		r := start(t, q, map[string]job.Handler{"work": {Run: func(ctx context.Context, _ job.Job) error {
			working <- struct{}{}
			<-ctx.Done()
			return context.Cause(ctx)
		}}})
		j := enqueue(t, d, q, nil)
		await(t, working)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, r.Stop(ended))
		require.Equal(t, row{State: "queued"}, read(t, d, j), "the attempt does not count")

		start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error { return nil }}})
		require.Equal(t, row{State: "done", Attempt: 1}, awaitState(t, d, j, "done"))
	})
}

func TestStopTellsOfHandlersThatDoNotReturn(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	o := fast()
	o.HandBack = 10 * time.Millisecond
	q := job.New(d, o)
	working, finish := make(chan struct{}), make(chan struct{})
	r := start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
		close(working)
		<-finish
		return nil
	}}})
	enqueue(t, d, q, nil)
	await(t, working)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, r.Stop(ended), "1 jobs did not stop")
	close(finish)
	require.NoError(t, r.Stop(t.Context()))
}

func TestStopWithoutStartReturns(t *testing.T) {
	t.Parallel()
	r := job.NewRunner(job.New(dbtest.SQLite(t), fast()), nil)
	require.NoError(t, r.Stop(t.Context()))
	require.NoError(t, r.Stop(t.Context()))
}

func TestAuditFindsOrphans(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		silent := enqueue(t, d, q, nil)
		claimedBy(t, d, "dead", time.Now().Add(-time.Minute))
		late := enqueue(t, d, q, nil)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE job SET run_at = $1 WHERE id = $2`,
				db.Time(time.Now().Add(-time.Hour)), late)
			return err
		}))
		enqueue(t, d, q, nil) // fresh, so nothing is wrong with it

		found, err := q.Audit(t.Context())
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, "job "+silent.String(), found[0].Subject)
		require.Contains(t, found[0].Problem, "stopped responding")
		require.Equal(t, "job "+late.String(), found[1].Subject)
		require.Contains(t, found[1].Problem, "no worker takes it")
	})
}
