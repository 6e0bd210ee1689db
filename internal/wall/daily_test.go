package wall_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/workspace"
)

func callerOf(t *testing.T, d *db.DB, ofWorkspace, ofToken int64) auth.Caller {
	t.Helper()
	c := auth.Caller{Token: id.New[id.Token](), Wall: &auth.Wall{WorkspaceDaily: ofWorkspace, TokenDaily: ofToken}}
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		ws, err := workspace.New(d).Create(t.Context(), tx, "A workspace")
		c.Workspace = ws.ID
		return err
	}))
	return c
}

func between(first, last company.Number) company.Set {
	var numbers []company.Number
	for n := first; n <= last; n++ {
		numbers = append(numbers, n)
	}
	return company.SetOf(numbers...)
}

func TestACompanyCountsOnceADay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := wall.New(d, wall.Options{}), callerOf(t, d, 10, 0)
		left := func() int {
			today, err := s.Today(t.Context(), c)
			require.NoError(t, err)
			return today.Left()
		}
		require.Equal(t, 10, left())
		none, err := s.LimitOf(t.Context(), c.Workspace, id.Token{})
		require.NoError(t, err)
		require.Nil(t, none, "the limit that is stored")
		require.NoError(t, workspace.New(d).SetDailyCompanies(t.Context(), c.Workspace, 10))
		require.NoError(t, s.Show(t.Context(), c, between(1, 6)))
		own, err := s.LimitOf(t.Context(), c.Workspace, id.Token{})
		require.NoError(t, err)
		require.Equal(t, []int{10, 6, 4}, []int{own.Limit, own.Shown, own.Left()})
		require.NoError(t, s.Show(t.Context(), c, between(1, 6)))
		require.NoError(t, s.Show(t.Context(), c, between(4, 8)))
		require.Equal(t, 2, left())
		err = s.Show(t.Context(), c, between(7, 11))
		require.Equal(t, fault.DailyLimitExceeded, fault.CodeOf(err))
		require.ErrorContains(t, err, "3 more companies")
		require.Equal(t, 2, left(), "what is refused is not counted")
		require.NoError(t, s.Show(t.Context(), c, between(9, 10)))
		require.NoError(t, s.Show(t.Context(), c, between(1, 10)), "what was shown may be shown again")
		require.Error(t, s.Show(t.Context(), c, between(11, 11)))

		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE shown SET day = day - 2`)
			return err
		}))
		require.Equal(t, 10, left(), "another day")
		require.NoError(t, s.Prune(t.Context()))
		var rows int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM shown`).Scan(&rows))
		require.Zero(t, rows)
	})
}

// The servers of one database share the counts, so several at once never show more than the limit.
func TestConcurrentAnswersNeverExceedADailyLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		first := callerOf(t, d, 50, 30)
		second := first
		second.Token = id.New[id.Token]()
		shown := map[id.Token]company.Set{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 40 {
			c := []auth.Caller{first, second}[i%2]
			all.Go(func() {
				part := between(company.Number(1+i*3), company.Number(4+i*3)) // neighbours overlap in one
				if err := wall.New(d, wall.Options{}).Show(t.Context(), c, part); err == nil {
					mu.Lock()
					shown[c.Token] = shown[c.Token].Or(part)
					mu.Unlock()
				} else if fault.CodeOf(err) != fault.DailyLimitExceeded {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, set := range shown {
			require.LessOrEqual(t, set.Len(), 30)
		}
		require.LessOrEqual(t, shown[first.Token].Or(shown[second.Token]).Len(), 50)
		require.Greater(t, shown[first.Token].Or(shown[second.Token]).Len(), 40)
	})
}

func TestWithoutALimitNothingIsWritten(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s, c := wall.New(d, wall.Options{}), callerOf(t, d, 0, 0)
	require.NoError(t, s.Show(t.Context(), c, between(1, 1000)))
	today, err := s.Today(t.Context(), c)
	require.NoError(t, err)
	require.Nil(t, today)
	var rows int
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM shown`).Scan(&rows))
	require.Zero(t, rows)
}
