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

// The clocks of servers differ. Here the database's is an hour ahead of this process's.
func TestLeasesFollowTheClockOfTheDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	require.NoError(t, dbtest.Open(t, url).Tx(t.Context(), func(tx *db.Tx) error {
		for _, statement := range []string{
			`CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
				$$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$`,
			`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`,
		} {
			if _, err := tx.ExecContext(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	}))
	d := dbtest.Open(t, url)

	o := fast()
	o.Lease = time.Minute
	q := job.New(d, o)
	started, end := make(chan struct{}), make(chan struct{})
	start(t, q, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
		started <- struct{}{}
		<-end
		return nil
	}}})
	j := enqueue(t, d, q, nil)
	await(t, started)
	var lease int64
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT lease_until FROM job WHERE id = $1`, j).Scan(&lease))
	require.WithinDuration(t, time.Now().Add(time.Hour+time.Minute), db.FromTime(lease), 30*time.Second)

	other := job.New(d, o)
	start(t, other, map[string]job.Handler{"work": {Run: func(context.Context, job.Job) error {
		t.Error("the job was taken from the worker that runs it")
		return nil
	}}})
	time.Sleep(100 * time.Millisecond)
	close(end)
	require.Equal(t, 1, awaitState(t, d, j, "done").Attempt)
}
