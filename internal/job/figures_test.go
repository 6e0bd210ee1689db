package job_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/job"
)

func TestFiguresCountJobsByKindAndState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, job.Options{})
		none, err := q.Figures(t.Context())
		require.NoError(t, err)
		require.Empty(t, none)
		start := time.Now().Add(-time.Millisecond)
		for _, kind := range []string{"b", "a", "b"} {
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := q.Enqueue(t.Context(), tx, kind, nil)
				return err
			}))
		}
		got, err := q.Figures(t.Context())
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
