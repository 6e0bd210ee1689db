package app_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestAPurchaseWithoutDiskSpaceIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Companies: threeCompanies, Credits: 3})
	setPageMax := func(n int) {
		t.Helper()
		require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error { // the only connection that writes
			_, err := tx.ExecContext(t.Context(), "PRAGMA max_page_count="+strconv.Itoa(n))
			return err
		}))
	}
	setPageMax(1)               // SQLite takes the current size instead, and then fails as on a full disk
	for full := false; !full; { // until the pages that are there are full
		status, answer := buy(t, s, "")
		if full = status != http.StatusCreated; full {
			require.Equal(t, http.StatusServiceUnavailable, status, answer)
			require.Contains(t, answer, "SERVICE_UNAVAILABLE")
			require.Contains(t, answer, "The disk of the database is full. Try again in 10 s.")
		}
	}
	before := balance(t, s)
	setPageMax(1 << 30)
	status, answer := buy(t, s, "")
	require.Equal(t, http.StatusCreated, status, answer)
	require.LessOrEqual(t, balance(t, s), before)
}

func TestADatabaseThatIsAwayAnswers503AndARetryBuysOnce(t *testing.T) {
	t.Parallel()
	database := newProxy(t, dbtest.PostgresURL(t))
	s := apptest.Start(t, apptest.Options{
		Companies: threeCompanies, Credits: 3,
		Config: func(c *config.Config) { c.DB = database.url },
	})
	_, err := s.Client().Credits(t.Context()) // it has started
	require.NoError(t, err)
	database.cut()
	status, answer := buy(t, s, "the-key")
	require.Equal(t, http.StatusServiceUnavailable, status, answer)
	require.Contains(t, answer, "SERVICE_UNAVAILABLE")
	require.Contains(t, answer, "same Idempotency-Key")
	page, err := http.Get(s.URL + "/console/sign-in")
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())

	database.restore()
	for range 2 { // a connection of the pool that was cut fails once more
		require.Eventually(t, func() bool {
			status, _ = buy(t, s, "the-key")
			return status == http.StatusCreated
		}, 30*time.Second, 100*time.Millisecond)
	}
	require.EqualValues(t, 0, balance(t, s), "three companies, bought once")
}

// buy exports every company and returns the answer. It checks that a 503 says when to try again.
func buy(t *testing.T, s *apptest.Server, key string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/exports",
		strings.NewReader(`{"name": "all", "source_type": "search", "search_filters": {}}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	if answer.StatusCode == http.StatusServiceUnavailable {
		require.Equal(t, "10", answer.Header.Get("Retry-After"))
	}
	return answer.StatusCode, string(content)
}

func balance(t *testing.T, s *apptest.Server) int64 {
	t.Helper()
	n, err := s.Credits.Balance(t.Context(), s.Workspace)
	require.NoError(t, err)
	return n
}

// proxy forwards connections to a PostgreSQL server, until it is cut.
type proxy struct {
	url string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	target, err := url.Parse(server)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	network, address := "tcp", target.Host
	if socket := target.Query().Get("host"); strings.HasPrefix(socket, "/") {
		port := target.Query().Get("port")
		if port == "" {
			port = "5432"
		}
		network, address = "unix", socket+"/.s.PGSQL."+port
	}
	through := *target
	through.Host = listener.Addr().String()
	query := through.Query()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	through.RawQuery = query.Encode()
	p := &proxy{url: through.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.forward(client, network, address)
		}
	}()
	t.Cleanup(p.cut)
	return p
}

func (p *proxy) forward(client net.Conn, network, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	server, err := net.Dial(network, address)
	if p.down || err != nil {
		_ = client.Close()
		return
	}
	p.conns = append(p.conns, client, server)
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
		}()
	}
}

// cut closes all connections and accepts no more.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
