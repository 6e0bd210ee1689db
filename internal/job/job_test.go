package job_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
)

// fast returns options with short times where a test has to wait for them. The lease stays long unless a test sets it.
func fast() job.Options {
	return job.Options{
		Poll: 10 * time.Millisecond, RetryDelay: time.Millisecond, RetryDelayMax: 5 * time.Millisecond,
		HandBack: 10 * time.Second, AttemptsMax: 5,
	}
}

func start(t *testing.T, q *job.Queue, handlers map[string]job.Handler) *job.Runner {
	t.Helper()
	r := job.NewRunner(q, handlers)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Stop(ended)
	})
	return r
}

func enqueue(t *testing.T, d *db.DB, q *job.Queue, payload any) id.Job {
	t.Helper()
	var j id.Job
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		j, err = q.Enqueue(t.Context(), tx, "work", payload)
		return err
	}))
	q.Notify()
	return j
}

// row is what the table holds about a job.
type row struct {
	State, Error string
	Attempt      int
}

func read(t *testing.T, d *db.DB, j id.Job) row {
	t.Helper()
	var r row
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT state, error, attempt FROM job WHERE id = $1`, j).
		Scan(&r.State, &r.Error, &r.Attempt))
	return r
}

// await returns the next value from the channel.
func await[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing happened within 30 s")
		panic("unreachable")
	}
}

// awaitState waits until the job has the state in the table; the last write of a job has no other signal.
func awaitState(t *testing.T, d *db.DB, j id.Job, state string) row {
	t.Helper()
	require.Eventually(t, func() bool { return read(t, d, j).State == state }, 30*time.Second, 2*time.Millisecond)
	return read(t, d, j)
}

func TestPayloadReachesItsHandler(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		got := make(chan string, 1)
		start(t, q, map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
			var payload struct{ Name string }
			err := j.Decode(&payload)
			got <- payload.Name
			return err
		}}})
		j := enqueue(t, d, q, map[string]string{"name": "Zürich \u0001"})
		require.Equal(t, "Zürich \u0001", await(t, got))
		require.Equal(t, row{State: "done", Attempt: 1}, awaitState(t, d, j, "done"))
	})
}

func TestRolledBackJobNeverRuns(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	q := job.New(d, fast())
	ran := make(chan id.Job, 2)
	start(t, q, map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
		ran <- j.ID
		return nil
	}}})
	undone := errors.New("undone")
	require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := q.Enqueue(t.Context(), tx, "work", nil)
		return errors.Join(err, undone)
	}), undone)
	j := enqueue(t, d, q, nil)
	require.Equal(t, j, await(t, ran))
	require.Empty(t, ran)
}

func TestOtherKindsAreLeftAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		var other id.Job
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) (err error) {
			other, err = q.Enqueue(t.Context(), tx, "other", nil)
			return err
		}))
		start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error { return nil }}})
		awaitState(t, d, enqueue(t, d, q, nil), "done")
		require.Equal(t, row{State: "queued"}, read(t, d, other))
	})
}

func TestConcurrentRunnersRunEachJobOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachShared(t, func(t *testing.T, open func() *db.DB) {
		const runners, jobs = 4, 100
		d := open()
		q := job.New(d, fast())
		var (
			mu   sync.Mutex
			runs = map[id.Job]int{}
			all  = make(chan struct{})
		)
		handlers := map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
			mu.Lock()
			defer mu.Unlock()
			if runs[j.ID]++; len(runs) == jobs {
				select {
				case <-all:
				default:
					close(all)
				}
			}
			return nil
		}}}
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			for range jobs {
				if _, err := q.Enqueue(t.Context(), tx, "work", nil); err != nil {
					return err
				}
			}
			return nil
		}))
		var started []*job.Runner
		for range runners {
			started = append(started, start(t, job.New(open(), fast()), handlers))
		}
		await(t, all)
		for _, r := range started {
			require.NoError(t, r.Stop(t.Context()))
		}
		require.Len(t, runs, jobs)
		for j, n := range runs {
			require.Equal(t, 1, n)
			require.Equal(t, row{State: "done", Attempt: 1}, read(t, d, j))
		}
	})
}

func TestNotifyWakesWithoutPolling(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	o := fast()
	o.Poll = time.Hour
	q := job.New(d, o)
	ran := make(chan id.Job, 1)
	start(t, q, map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
		ran <- j.ID
		return nil
	}}})
	for range 3 {
		require.Equal(t, enqueue(t, d, q, nil), await(t, ran))
	}
}
