package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestServersOnOnePostgresSellNothingTwiceAndShareTheWork(t *testing.T) {
	t.Parallel()
	const (
		catalogSize = 3_000
		clients     = 40
	)
	s := newFixture(t, catalogSize, "CAPI_DB="+dbtest.PostgresURL(t))
	s.load(t, companies(0, catalogSize, nil))
	servers := []*server{s.serve(t), s.serve(t)}
	at := []*client{s.client(servers[0]), s.client(servers[1])}

	var (
		mu        sync.Mutex
		group     sync.WaitGroup
		delivered = map[int]bool{}
		charged   int
		exports   = map[string]int{} // to their number of rows
	)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range clients {
		from := random.IntN(catalogSize - 300)
		to := from + 50 + random.IntN(250)
		group.Go(func() {
			var v created
			status, err := at[i%2].call("POST", "/exports", exportOf(fmt.Sprint("client ", i),
				map[string]any{"employee_count_min": from, "employee_count_max": to}), &v)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || status != http.StatusCreated {
				t.Errorf("client %d: %d, %v", i, status, err)
				return
			}
			charged += v.Charged
			exports[v.Job.ID] = v.Requested
			for n := from; n <= to; n++ {
				delivered[n] = true
			}
		})
	}
	group.Wait()
	require.Equal(t, len(delivered), charged, "the sum charged is the number of distinct companies")
	servers[0].kill(t)
	for export, size := range exports { // those that the killed server was running included
		at[1].wait(t, export)
		require.Len(t, rows(t, at[1].file(t, export)), size)
	}
	require.Equal(t, catalogSize-charged, at[1].credits(t).Balance)
	s.requireHealthy(t)
}

func TestChangesOnOneServerApplyOnTheOtherAtTheNextRequest(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 1_000, "CAPI_DB="+dbtest.PostgresURL(t))
	s.load(t, companies(0, 200, nil))
	a, b := s.client(s.serve(t)), s.client(s.serve(t))
	of := func(low, high int) map[string]any {
		return exportOf("one of two", map[string]any{"employee_count_min": low, "employee_count_max": high})
	}

	var first, second created
	a.must(t, http.StatusCreated, "POST", "/exports", of(0, 99), &first)
	require.Equal(t, 100, first.Charged)
	var quoted created
	b.must(t, http.StatusOK, "POST", "/exports/quote", of(50, 149), &quoted)
	require.Equal(t, 50, quoted.Already, "the quote of the other server counts what was just bought")
	b.must(t, http.StatusCreated, "POST", "/exports", of(50, 149), &second)
	require.Equal(t, 50, second.Charged)

	for i := range 5 { // a revocation between two requests of one client
		var k struct{ ID, Token string }
		s.json(t, &k, "token", "create", "--workspace", s.workspace, "--name", fmt.Sprint("short ", i), "--scope", "read", "--json")
		for _, c := range []*client{a, b} {
			mine := &client{base: c.base, token: k.Token}
			mine.must(t, http.StatusOK, "GET", "/credits", nil, nil)
		}
		s.capi(t, "token", "revoke", k.ID)
		for _, c := range []*client{a, b} {
			mine := &client{base: c.base, token: k.Token}
			mine.must(t, http.StatusUnauthorized, "GET", "/credits", nil, nil)
		}
	}
	b.wait(t, first.Job.ID)
	a.wait(t, second.Job.ID)
	s.requireHealthy(t)
}

func TestServersOnOnePostgresCountRequestsTogether(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0, "CAPI_DB="+dbtest.PostgresURL(t), "CAPI_RATE_LIMITS=credits.get=6/hour")
	servers := []*client{s.client(s.serve(t)), s.client(s.serve(t))}
	for i := range 6 {
		servers[i%2].must(t, http.StatusOK, "GET", "/credits", nil, nil)
	}
	for _, c := range servers {
		c.must(t, http.StatusTooManyRequests, "GET", "/credits", nil, nil)
	}
}
