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

func TestOnlyJobsThatAreLongOverArePruned(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, job.Options{Kept: time.Hour})
		aged := map[string]time.Duration{"old": 2 * time.Hour, "young": time.Minute}
		for _, state := range []string{"queued", "running", "done", "buried"} {
			for age, since := range aged {
				require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
					id, err := q.Enqueue(t.Context(), tx, state+" "+age, nil)
					if err != nil {
						return err
					}
					worker, lease := any(nil), any(nil)
					if state == "running" {
						worker, lease = "somebody", db.Time(time.Now().Add(-since))
					}
					_, err = tx.ExecContext(t.Context(), `UPDATE job SET state = $2, updated_at = $3, worker = $4, lease_until = $5
						WHERE id = $1`, id, state, db.Time(time.Now().Add(-since)), worker, lease)
					return err
				}))
			}
		}
		require.NoError(t, q.Prune(t.Context()))
		require.ElementsMatch(t, []string{
			"queued old", "queued young", "running old", "running young", "done young", "buried young",
		}, kinds(t, d))
	})
}

func TestPruningTakesAnyNumberOfJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, job.Options{Kept: time.Nanosecond})
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { return many(t.Context(), q, tx, 1_100) }))
		require.NoError(t, q.Prune(t.Context()))
		require.Empty(t, kinds(t, d))
	})
}

func many(ctx context.Context, q *job.Queue, tx *db.Tx, n int) error {
	for range n {
		if _, err := q.Enqueue(ctx, tx, "work", nil); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE job SET state = 'done', updated_at = 1`)
	return err
}

func kinds(t *testing.T, d *db.DB) []string {
	t.Helper()
	found, err := db.Collect(t.Context(), d.Read(), db.Value[string], `SELECT kind FROM job`)
	require.NoError(t, err)
	return found
}
