package requestlog_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/requestlog"
)

func request(token id.Token, n, status int, credits int64) requestlog.Request {
	return requestlog.Request{
		ID: fmt.Sprint("r", n), Token: token, At: time.Now().UTC().Truncate(time.Microsecond), Method: http.MethodPost,
		Route: "/api/v1/exports", Status: status, Took: 1500 * time.Microsecond, Credits: credits,
	}
}

func TestRequestsAreListedNewestFirstAndCounted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := requestlog.New(d, requestlog.Options{})
		mine, other := id.New[id.Token](), id.New[id.Token]()
		for n := range 5 {
			s.Add(request(mine, n, 200+200*(n%2), int64(n)))
		}
		s.Add(request(other, 9, 200, 0))
		page, _, err := s.Recent(t.Context(), mine, id.Request{}, 10)
		require.NoError(t, err)
		require.Empty(t, page, "nothing is written yet")
		require.NoError(t, s.Flush(t.Context()))
		require.NoError(t, s.Flush(t.Context()))

		page, more, err := s.Recent(t.Context(), mine, id.Request{}, 3)
		require.NoError(t, err)
		require.True(t, more)
		require.Equal(t, []string{"r4", "r3", "r2"}, []string{page[0].ID, page[1].ID, page[2].ID})
		require.Equal(t, 400, page[1].Status)
		require.Equal(t, 1500*time.Microsecond, page[0].Took)
		require.Equal(t, int64(4), page[0].Credits)
		page, more, err = s.Recent(t.Context(), mine, page[2].Key, 3)
		require.NoError(t, err)
		require.False(t, more)
		require.Len(t, page, 2)

		hours, err := s.Hours(t.Context(), mine)
		require.NoError(t, err)
		var sum requestlog.Hour
		for _, h := range hours {
			sum.Requests, sum.Errors, sum.Credits = sum.Requests+h.Requests, sum.Errors+h.Errors, sum.Credits+h.Credits
		}
		require.Equal(t, requestlog.Hour{Requests: 5, Errors: 2, Credits: 10}, sum)
	})
}

func TestRequestsAreBoundedAndForgottenAfterAWeek(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := requestlog.New(d, requestlog.Options{})
		busy, quiet := id.New[id.Token](), id.New[id.Token]()
		s.Add(request(quiet, 0, 200, 0))
		old := request(quiet, 1, 200, 0)
		old.At = old.At.Add(-8 * 24 * time.Hour)
		s.Add(old)
		for n := range requestlog.KeptMax + 30 {
			s.Add(request(busy, n, 200, 0))
		}
		require.NoError(t, s.Flush(t.Context()))
		require.NoError(t, s.Prune(t.Context()))
		count := func(token id.Token) (n int) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM request_log WHERE token_id = $1`, token).Scan(&n))
			return n
		}
		require.Equal(t, requestlog.KeptMax, count(busy))
		require.Equal(t, 1, count(quiet))
		page, _, err := s.Recent(t.Context(), busy, id.Request{}, 1)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("r", requestlog.KeptMax+29), page[0].ID, "the newest are kept")
		hours, err := s.Hours(t.Context(), quiet)
		require.NoError(t, err)
		require.Len(t, hours, 1)
	})
}

func TestEveryRequestIsCountedEvenIfTooManyComeAtOnce(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := requestlog.New(d, requestlog.Options{Period: 5 * time.Millisecond})
	require.NoError(t, s.Start(t.Context()))
	token := id.New[id.Token]()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 2000 {
				s.Add(request(token, n, 200, 1))
			}
		})
	}
	all.Wait()
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "a second call does nothing")
	hours, err := s.Hours(t.Context(), token)
	require.NoError(t, err)
	var requests int64
	for _, h := range hours {
		requests += h.Requests
	}
	require.EqualValues(t, 16_000, requests)
}
