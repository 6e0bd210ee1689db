package job_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/db/sqlite"
	"github.com/opencapi/capi/internal/job"
)

// crashEnv makes the test binary a worker process on the database that it names, which is then killed.
const crashEnv = "JOB_TEST_CRASH"

const shortLease = 500 * time.Millisecond

func TestMain(m *testing.M) {
	if name := os.Getenv(crashEnv); name != "" {
		fmt.Println(workUntilKilled(name))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// workUntilKilled writes to standard output when it works on a job, and never finishes it.
func workUntilKilled(name string) error {
	open := sqlite.Open
	if name[0] == 'p' {
		open = postgres.Open
	}
	ctx := context.Background()
	d, err := open(ctx, name)
	if err != nil {
		return err
	}
	o := fast()
	o.Lease = shortLease
	r := job.NewRunner(job.New(d, o), map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
		fmt.Println("working")
		select {}
	}}})
	if err := r.Start(ctx); err != nil {
		return err
	}
	select {}
}

// crash lets another process claim the job and kills that process without a warning.
func crash(t *testing.T, name string) {
	t.Helper()
	worker := exec.Command(os.Args[0])
	worker.Env = append(os.Environ(), crashEnv+"="+name)
	out, err := worker.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, worker.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, worker.Process.Kill())
	require.ErrorContains(t, worker.Wait(), "killed")
	require.Equal(t, "working\n", line)
}

// eachName is dbtest.Each, but passes the name of the database.
func eachName(t *testing.T, fn func(t *testing.T, name string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, dbtest.SQLiteFile(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, dbtest.PostgresURL(t))
	})
}

func TestJobOfKilledProcessIsResumedAfterItsLease(t *testing.T) {
	t.Parallel()
	eachName(t, func(t *testing.T, name string) {
		d := dbtest.Open(t, name)
		q := job.New(d, fast())
		j := enqueue(t, d, q, nil)
		crash(t, name)
		before := read(t, d, j)
		require.Equal(t, row{State: "running", Attempt: 1}, before)

		attempts := make(chan job.Job, 1)
		start(t, q, map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
			attempts <- j
			return nil
		}}})
		resumed := await(t, attempts)
		require.Equal(t, j, resumed.ID)
		require.Equal(t, 2, resumed.Attempt)
		awaitState(t, d, j, "done")
	})
}

func TestRunnerThatIsAloneResumesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := fast()
		o.Alone = true
		q := job.New(d, o)
		j := enqueue(t, d, q, nil)
		claimedBy(t, d, "dead", time.Now().Add(time.Hour))
		start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error { return nil }}})
		require.Equal(t, 2, awaitState(t, d, j, "done").Attempt)
	})
}

// claimedBy makes all jobs look as if the worker had claimed them.
func claimedBy(t *testing.T, d *db.DB, worker string, until time.Time) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `
			UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, lease_until = $2`, worker, db.Time(until))
		return err
	}))
}

func TestJobThatKeepsKillingItsProcessIsDiscarded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		notes := noteTable(t, d)
		q := job.New(d, fast())
		j := enqueue(t, d, q, nil)
		for range 5 {
			claimedBy(t, d, "dead", time.Now().Add(-time.Second))
		}
		start(t, q, map[string]job.Handler{"work": {
			Run:       func(context.Context, job.Job) error { panic("a sixth attempt") },
			OnDiscard: func(ctx context.Context, tx *db.Tx, _ job.Job, _ error) error { return addNote(ctx, tx) },
		}})
		require.Contains(t, awaitState(t, d, j, "buried").Error, "5 attempts ended without an outcome")
		require.Equal(t, 1, notes())
	})
}

func TestLostLeaseEndsTheHandlerAndItsCompleteFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		notes := noteTable(t, d)
		o := fast()
		o.Lease = shortLease
		q := job.New(d, o)
		working, causes, outcome := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		start(t, q, map[string]job.Handler{"work": {Run: func(ctx context.Context, j job.Job) error {
			close(working)
			<-ctx.Done()
			err := d.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error {
				if err := addNote(t.Context(), tx); err != nil {
					return err
				}
				return j.Complete(t.Context(), tx)
			})
			causes <- context.Cause(ctx)
			outcome <- err
			return err
		}}})
		j := enqueue(t, d, q, nil)
		await(t, working)
		claimedBy(t, d, "thief", time.Now().Add(time.Hour))
		require.ErrorIs(t, await(t, causes), job.ErrLost)
		require.ErrorIs(t, await(t, outcome), job.ErrLost)
		require.Zero(t, notes())
		require.Equal(t, row{State: "running", Attempt: 2}, read(t, d, j), "the thief's hold stays untouched")
	})
}

func TestHandlerEndsWhenItsLeaseCannotBeRenewed(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		o := fast()
		o.Lease = shortLease
		cut, d := open(), open()
		q := job.New(cut, o)
		working, ended := make(chan struct{}), make(chan error, 1)
		start(t, q, map[string]job.Handler{"work": {Run: func(ctx context.Context, _ job.Job) error {
			close(working)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		}}})
		j := enqueue(t, cut, q, nil)
		await(t, working)
		require.NoError(t, cut.Close()) // from now on the runner is cut off
		require.ErrorIs(t, await(t, ended), job.ErrLost)

		start(t, job.New(d, fast()), map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error { return nil }}})
		require.Equal(t, 2, awaitState(t, d, j, "done").Attempt)
	})
}

func TestLongJobKeepsItsLease(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		o := fast()
		o.Lease = shortLease
		d := open()
		q := job.New(d, o)
		working, finish := make(chan struct{}, 10), make(chan struct{})
		handlers := map[string]job.Handler{"work": {Run: func(ctx context.Context, _ job.Job) error {
			working <- struct{}{}
			select {
			case <-finish:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}}
		start(t, q, handlers)
		j := enqueue(t, d, q, nil)
		await(t, working)
		start(t, job.New(open(), o), handlers) // would take the job if it could
		first := leaseOf(t, d)
		require.Eventually(t, func() bool { return leaseOf(t, d).Sub(first) > 2*shortLease }, 30*time.Second, 10*time.Millisecond)
		close(finish)
		require.Equal(t, row{State: "done", Attempt: 1}, awaitState(t, d, j, "done"))
	})
}

func leaseOf(t *testing.T, d *db.DB) time.Time {
	t.Helper()
	var us int64
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT lease_until FROM job`).Scan(&us))
	return db.FromTime(us)
}
