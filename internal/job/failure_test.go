package job_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/db/sqlite"
	"github.com/opencapi/capi/internal/job"
)

var errBroken = errors.New("disk\x00 full")

// noteTable makes a table that stands for one of the package that enqueues jobs.
func noteTable(t *testing.T, d *db.DB) (count func() int) {
	t.Helper()
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `CREATE TABLE note (content TEXT NOT NULL)`)
		return err
	}))
	return func() (n int) {
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM note`).Scan(&n))
		return n
	}
}

func addNote(ctx context.Context, tx *db.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO note (content) VALUES ('x')`)
	return err
}

func TestFailedJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, fast())
		start(t, q, map[string]job.Handler{"work": {Run: func(_ context.Context, j job.Job) error {
			switch j.Attempt {
			case 1:
				return errBroken
			case 2:
				panic("index out of range")
			}
			return nil
		}}})
		require.Equal(t, row{State: "done", Attempt: 3}, awaitState(t, d, enqueue(t, d, q, nil), "done"))
	})
}

func TestPausesDoubleAfterEachFailure(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLiteFile(t)
	synctest.Test(t, func(t *testing.T) {
		d, err := sqlite.Open(t.Context(), filepath.Clean(path))
		require.NoError(t, err)
		q := job.New(d, job.Options{RetryDelay: time.Minute, RetryDelayMax: 3 * time.Minute, AttemptsMax: 6})
		var at []time.Time
		discarded := make(chan struct{})
		r := job.NewRunner(q, map[string]job.Handler{"work": {
			Run: func(context.Context, job.Job) error {
				at = append(at, time.Now())
				return errBroken
			},
			OnDiscard: func(context.Context, *db.Tx, job.Job, error) error {
				close(discarded)
				return nil
			},
		}})
		require.NoError(t, r.Start(t.Context()))
		enqueue(t, d, q, nil)
		<-discarded
		require.NoError(t, r.Stop(t.Context()))
		require.NoError(t, d.Close())

		require.Len(t, at, 6)
		for i, minutes := range []float64{1, 2, 3, 3, 3} {
			// A quarter of jitter, and the next poll.
			require.InDelta(t, minutes, at[i+1].Sub(at[i]).Minutes(), minutes/4+0.01)
		}
	})
}

func TestJobsOutliveHalfAnHourOfFailures(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLiteFile(t)
	synctest.Test(t, func(t *testing.T) {
		d, err := sqlite.Open(t.Context(), filepath.Clean(path))
		require.NoError(t, err)
		q := job.New(d, job.Options{Poll: 10 * time.Second}) // seldom: half an hour of looking takes its time too
		done := make(chan struct{})
		began := time.Now()
		r := job.NewRunner(q, map[string]job.Handler{"work": {
			Run: func(context.Context, job.Job) error {
				if time.Since(began) < 30*time.Minute {
					return errBroken
				}
				close(done)
				return nil
			},
			OnDiscard: func(context.Context, *db.Tx, job.Job, error) error {
				t.Errorf("discarded after %v", time.Since(began))
				close(done)
				return nil
			},
		}})
		require.NoError(t, r.Start(t.Context()))
		enqueue(t, d, q, nil)
		<-done
		require.NoError(t, r.Stop(t.Context()))
		require.NoError(t, d.Close())
	})
}

func TestLastFailureDiscardsWithOnDiscardInOneTransaction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		notes := noteTable(t, d)
		o := fast()
		o.AttemptsMax = 3
		q := job.New(d, o)
		start(t, q, map[string]job.Handler{"work": {
			Run: func(context.Context, job.Job) error { return errBroken },
			OnDiscard: func(ctx context.Context, tx *db.Tx, j job.Job, cause error) error {
				if err := addNote(ctx, tx); err != nil {
					return err
				}
				if j.Attempt == 3 {
					return errors.New("not now") // undoes the note, and the job is discarded at the next attempt
				}
				if !j.CreatedAt.IsZero() && cause != nil {
					return nil
				}
				return errors.New("job or cause missing")
			},
		}})
		j := enqueue(t, d, q, nil)
		discarded := awaitState(t, d, j, "buried")
		require.Equal(t, 4, discarded.Attempt)
		require.Equal(t, 1, notes())
	})
}

func TestFatalErrorDiscardsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		notes := noteTable(t, d)
		q := job.New(d, fast())
		start(t, q, map[string]job.Handler{"work": {
			Run:       func(context.Context, job.Job) error { return job.Fatal(errBroken) },
			OnDiscard: func(ctx context.Context, tx *db.Tx, _ job.Job, _ error) error { return addNote(ctx, tx) },
		}})
		j := enqueue(t, d, q, nil)
		require.Equal(t, row{State: "buried", Error: "disk full", Attempt: 1}, awaitState(t, d, j, "buried"))
		require.Equal(t, 1, notes())
	})
}

func TestCompleteIsPartOfTheHandlersTransaction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		notes := noteTable(t, d)
		q := job.New(d, fast())
		start(t, q, map[string]job.Handler{"work": {Run: func(ctx context.Context, j job.Job) error {
			err := d.Tx(ctx, func(tx *db.Tx) error {
				if err := errors.Join(addNote(ctx, tx), j.Complete(ctx, tx)); err != nil {
					return err
				}
				if j.Attempt == 1 {
					return errBroken // undoes the note and the end of the job
				}
				return nil
			})
			if j.Attempt == 1 {
				return err
			}
			return errors.Join(err, errors.New("too late to fail: the job is done"))
		}}})
		j := enqueue(t, d, q, nil)
		require.Equal(t, row{State: "done", Attempt: 2}, awaitState(t, d, j, "done"))
		require.Equal(t, 1, notes())
	})
}

func TestAHandlerChoosesWhenItIsTriedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		cause := errors.New("busy")
		require.NoError(t, job.RetryAfter(nil, time.Hour))
		require.ErrorIs(t, job.RetryAfter(cause, time.Hour), cause)
		q := job.New(d, job.Options{RetryDelay: time.Millisecond, Poll: 5 * time.Millisecond})
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := q.Enqueue(t.Context(), tx, "later", nil)
			return err
		}))
		ran := make(chan struct{}, 10)
		r := job.NewRunner(q, map[string]job.Handler{"later": {Run: func(context.Context, job.Job) error {
			ran <- struct{}{}
			return job.RetryAfter(cause, time.Hour)
		}}})
		require.NoError(t, r.Start(t.Context()))
		<-ran
		require.NoError(t, r.Stop(t.Context()))
		require.Empty(t, ran)
		var state string
		var runAt int64
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT state, run_at FROM job`).Scan(&state, &runAt))
		require.Equal(t, "queued", state)
		require.WithinDuration(t, time.Now().Add(time.Hour), db.FromTime(runAt), time.Minute)
	})
}
