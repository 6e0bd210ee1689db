package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/testkit/required"
)

// node returns another server of the same database, with a data directory of its own.
func (s *fixture) node(t *testing.T) *fixture {
	t.Helper()
	other := *s
	other.data = t.TempDir()
	return &other
}

func TestAFileBoughtOnOneServerIsDownloadedFromAnotherAfterTheFirstWasKilled(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	key := filepath.Join(t.TempDir(), "shared.key")
	s := newFixture(t, 5_000, append(inBucket(store.Endpoint, store.NewBucket(t)), "CAPI_DB="+dbtest.PostgresURL(t), "CAPI_KEY_FILE="+key)...)
	s.load(t, companies(0, 3_000, nil))
	first := s.serve(t)
	a, b := s.client(first), s.client(s.node(t).serve(t))

	var page struct {
		Total  int
		Cursor *string `json:"next_cursor"`
		Items  []struct{ ID string }
	}
	search := map[string]any{"sort_by": "employee_count", "limit": 10}
	a.must(t, http.StatusOK, "POST", "/companies/search", search, &page)
	require.NotNil(t, page.Cursor)
	last := page.Items[len(page.Items)-1].ID

	var bought created
	a.must(t, http.StatusCreated, "POST", "/exports", exportOf("on the first", map[string]any{"employee_count_max": 1_999}), &bought)
	first.kill(t)
	b.wait(t, bought.Job.ID)
	require.Len(t, rows(t, b.file(t, bought.Job.ID)), 2_000)
	require.Equal(t, 3_000, b.credits(t).Balance)

	search["cursor"] = *page.Cursor
	b.must(t, http.StatusOK, "POST", "/companies/search", search, &page)
	require.Len(t, page.Items, 10)
	require.Equal(t, 3_000, page.Total)
	require.NotEqual(t, last, page.Items[0].ID)
	s.requireHealthy(t)
}

func TestANewServerFetchesTheIndexFromTheBucket(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	bucket := store.NewBucket(t)
	key := filepath.Join(t.TempDir(), "shared.key")
	s := newFixture(t, 0, append(inBucket(store.Endpoint, bucket), "CAPI_DB="+dbtest.PostgresURL(t), "CAPI_KEY_FILE="+key)...)
	s.load(t, companies(0, 3_000, nil))
	first := s.serve(t)
	require.Eventually(t, func() bool { return store.Exists(t, bucket, "capi/index/snapshot.json") }, time.Minute, 50*time.Millisecond)
	s.load(t, companies(3_000, 3_500, nil)) // after the index was stored

	second := s.node(t).serve(t)
	require.Contains(t, second.stderr.String(), "index fetched from the bucket")
	var page struct{ Total int }
	s.client(second).must(t, http.StatusOK, "POST", "/companies/search", map[string]any{}, &page)
	require.Equal(t, 3_500, page.Total, "it answers once it has caught up")
	first.stop(t)
	s.requireHealthy(t)
}

func TestAServerWithAnotherKeyDoesNotStart(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 0, "CAPI_DB="+dbtest.PostgresURL(t))
	other := s.node(t)
	out, err := other.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "the key is not the one that this database was used with; put back the file that the other servers have")

	content, err := os.ReadFile(filepath.Join(s.data, "links.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(other.data, "links.key"), content, 0o600))
	other.serve(t).stop(t)

	// The key is lost.
	require.NoError(t, os.Remove(filepath.Join(s.data, "links.key")))
	lost := s.node(t)
	lost.write(t, "links.key", "00000000000000000000000000000000000000000000000000000000000000ff\n")
	require.Contains(t, lost.capi(t, "key", "accept"), "is the right one from now on")
	require.Contains(t, lost.capi(t, "key", "accept"), "is the right one already")
	lost.serve(t).stop(t)
	require.Contains(t, lost.capi(t, "audit", "--json"), "key.accepted")
}

var haproxyBlock = regexp.MustCompile("(?s)```haproxy\n(.*?)```")

// startHAProxy runs HAProxy with the guide's own text, in which only the addresses are replaced, in front of two servers. It returns
// the address of the proxy.
func startHAProxy(t *testing.T, program, first, second string) string {
	t.Helper()
	guide, err := os.ReadFile("../docs/guide/self-hosting.md")
	require.NoError(t, err)
	block := haproxyBlock.FindStringSubmatch(string(guide))
	require.NotNil(t, block, "the guide has a configuration for HAProxy")
	text, addr := block[1], freeAddr(t)
	for old, replacement := range map[string]string{
		":443 ssl crt /etc/ssl/api.example.com/chain-and-key.pem": addr, "10.0.0.1:8080": first, "10.0.0.2:8080": second,
	} {
		require.Contains(t, text, old)
		text = strings.ReplaceAll(text, old, replacement)
	}
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	said := &lines{}
	cmd := exec.Command(program, "-db", "-f", config)
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have exited
		cmd.Wait()         //nolint:errcheck // it was killed
	})
	require.Eventually(t, func() bool {
		r, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	}, 20*time.Second, 20*time.Millisecond, "HAProxy does not answer: %s", said)
	return "http://" + addr
}

func TestARollingRestartBehindAProxyFailsNoRequest(t *testing.T) {
	t.Parallel()
	program := found("haproxy", "/usr/sbin/haproxy")
	if program == "" {
		required.Missing(t, "haproxy", "haproxy is missing")
	}
	store := s3test.Start(t)
	s := newFixture(t, 100_000, append(inBucket(store.Endpoint, store.NewBucket(t)), "CAPI_DB="+dbtest.PostgresURL(t),
		"CAPI_KEY_FILE="+filepath.Join(t.TempDir(), "shared.key"), "CAPI_SHUTDOWN_DELAY=5s")...)
	s.load(t, companies(0, 3_000, nil))
	nodes := []*fixture{s, s.node(t)}
	var servers []*server
	for _, n := range nodes {
		n.addr = freeAddr(t)
		servers = append(servers, n.serve(t))
	}
	proxy := startHAProxy(t, program, nodes[0].addr, nodes[1].addr)

	var mu sync.Mutex
	var failures []string
	var answered, bought atomic.Int32
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			c := &client{base: proxy, token: s.token}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				request := []struct {
					method, path string
					body         any
					want         int
				}{
					{"GET", "/credits", nil, http.StatusOK},
					{"POST", "/companies/search", map[string]any{"limit": 5}, http.StatusOK},
					{"POST", "/exports", exportOf(fmt.Sprint("rolling ", i, " ", n), map[string]any{"employee_count_max": 9}), http.StatusCreated},
				}[n%3]
				status, err := c.call(request.method, request.path, request.body, nil)
				if err != nil || status != request.want {
					mu.Lock()
					failures = append(failures, fmt.Sprintf("%s %s: %d, %v", request.method, request.path, status, err))
					mu.Unlock()
				}
				answered.Add(1)
				if request.want == http.StatusCreated {
					bought.Add(1)
				}
			}
		})
	}
	for i, n := range nodes {
		servers[i].stop(t)
		before := answered.Load()
		require.Eventually(t, func() bool { return answered.Load() > before+20 }, time.Minute, 10*time.Millisecond, "the other one answers")
		servers[i] = n.serve(t)
		time.Sleep(3 * time.Second) // until the proxy has asked it
	}
	close(stop)
	clients.Wait()
	require.Empty(t, failures, "of %d requests", answered.Load())
	require.Greater(t, bought.Load(), int32(20))
	s.requireHealthy(t)
}

func TestAWorkerWritesTheFilesOfAnAPIServer(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	s := newFixture(t, 1_000, append(inBucket(store.Endpoint, store.NewBucket(t)), "CAPI_DB="+dbtest.PostgresURL(t),
		"CAPI_KEY_FILE="+filepath.Join(t.TempDir(), "shared.key"))...)
	s.load(t, companies(0, 500, nil))
	api, worker := s.node(t), s.node(t)
	api.settings = append(api.settings, "CAPI_ROLE=api")
	worker.settings = append(worker.settings, "CAPI_ROLE=worker")
	c := s.client(api.serve(t))
	var bought created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("by two servers", map[string]any{"employee_count_max": 99}), &bought)
	time.Sleep(2 * time.Second) // an API server does not write it
	var e struct{ Status string }
	c.must(t, http.StatusOK, "GET", "/exports/"+bought.Job.ID, nil, &e)
	require.Equal(t, "pending", e.Status)

	w := worker.serve(t)
	c.wait(t, bought.Job.ID)
	require.Len(t, rows(t, c.file(t, bought.Job.ID)), 100)
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/v1/credits": 404, "/console/": 404, "/": 404} {
		r, err := http.Get(w.url + path)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, status, r.StatusCode, path)
	}
	w.stop(t)

	out, err := (&fixture{data: t.TempDir(), settings: []string{"CAPI_ROLE=worker"}}).command("serve").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), `--role: "worker" needs PostgreSQL`)
}
