package e2e

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/index/opensearch/opensearchtest"
)

// gate is a proxy in front of OpenSearch with TLS and a user, and can be shut.
type gate struct {
	*httptest.Server
	ca   string // file with the certificate
	shut atomic.Bool
}

const gateUser, gatePassword = "capi", "correct horse"

func newGate(t *testing.T, s *opensearchtest.Server) *gate {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.Addresses[0]})
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	g := &gate{}
	g.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.shut.Load() {
			panic(http.ErrAbortHandler) // closes the connection
		}
		if user, password, _ := r.BasicAuth(); user != gateUser || subtle.ConstantTimeCompare([]byte(password), []byte(gatePassword)) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	g.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
	require.NoError(t, os.WriteFile(g.ca, block, 0o600))
	return g
}

// settings are the settings of a server that reaches the index through the gate.
func (g *gate) settings(index string) []string {
	return []string{
		"CAPI_INDEX=opensearchs://" + strings.TrimPrefix(g.URL, "https://") + "/" + index,
		"CAPI_INDEX_USER=" + gateUser, "CAPI_INDEX_PASSWORD=" + gatePassword, "CAPI_INDEX_CA_FILE=" + g.ca,
	}
}

func inOpenSearch(s *opensearchtest.Server, index string) string {
	return "CAPI_INDEX=opensearch://" + strings.Join(s.Addresses, ",") + "/" + index
}

// foundPage is a page of a search.
type foundPage struct {
	Total  int
	Price  struct{ Credits int }
	Cursor *string `json:"next_cursor"`
	Items  []struct{ ID string }
}

func (c *client) all(t *testing.T) int {
	t.Helper()
	var page foundPage
	c.must(t, http.StatusOK, "POST", "/companies/search", map[string]any{"limit": 1}, &page)
	return page.Total
}

// eventually waits until the search finds a number of companies: as soon as the server that applies changes has done so, and this one
// has noticed.
func (c *client) eventually(t *testing.T, total int) {
	t.Helper()
	require.Eventually(t, func() bool { return c.all(t) == total }, time.Minute, 50*time.Millisecond)
}

func TestAServerWithItsIndexInOpenSearchSellsWhatItFinds(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	g := newGate(t, search)
	s := newFixture(t, 5_000, g.settings(search.Index(t))...)
	s.load(t, companies(0, 3_000, nil))
	require.Contains(t, s.capi(t, "index", "stats"), "There is no index")
	v := s.serve(t)
	c := s.client(v)

	filters := map[string]any{"employee_count_max": 1_999}
	var quote struct {
		Total   int
		Credits int `json:"credits_needed"`
	}
	c.must(t, http.StatusOK, "POST", "/exports/quote", exportOf("quoted", filters), &quote)
	var bought created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("bought", filters), &bought)
	c.wait(t, bought.Job.ID)
	require.Len(t, rows(t, c.file(t, bought.Job.ID)), 2_000)
	require.Equal(t, 3_000, c.credits(t).Balance)
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("again", filters), &bought)
	require.Equal(t, 3_000, c.credits(t).Balance, "what is owned is free")

	s.load(t, companies(3_000, 3_200, nil)) // while it runs
	c.eventually(t, 3_200)
	require.JSONEq(t, `{"status":"ready","index":"OpenSearch, `+s.index()+`"}`, string(fetch(t, v.url+"/readyz")))
	metrics := string(fetch(t, v.url+"/metrics"))
	require.Contains(t, metrics, `capi_index_info{kind="opensearch",name="`+s.index()+`"} 1`)
	require.Contains(t, metrics, "capi_index_up 1")
	require.Contains(t, metrics, "capi_index_leader 1")
	s.requireHealthy(t)
	require.Contains(t, s.capi(t, "index", "verify"), "3,200 companies, as in the catalog")
	stats := s.capi(t, "index", "stats")
	require.Contains(t, stats, "3,200 companies in OpenSearch")
	v.stop(t)

	began := s.indexStats(t).Index
	v = s.serve(t)
	require.Equal(t, 3_200, s.client(v).all(t))
	require.Equal(t, began, s.indexStats(t).Index, "a restart continues with the index that is there")
	require.NoFileExists(t, filepath.Join(s.data, "index"))
}

// index returns the name of the index.
func (s *fixture) index() string {
	for _, setting := range s.settings {
		if value, ok := strings.CutPrefix(setting, "CAPI_INDEX="); ok {
			return value[strings.LastIndexByte(value, '/')+1:]
		}
	}
	return ""
}

type indexStats struct {
	Index     string
	Others    []string
	Companies int
}

func (s *fixture) indexStats(t *testing.T) (stats indexStats) {
	t.Helper()
	s.json(t, &stats, "index", "stats", "--json")
	return stats
}

func TestServersOnOneIndexInOpenSearchContinueForEachOther(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	s := newFixture(t, 5_000, "CAPI_DB="+dbtest.PostgresURL(t), inOpenSearch(search, search.Index(t)), "CAPI_FILES=file")
	s.load(t, companies(0, 3_000, nil))
	first := s.serve(t)
	node := s.node(t)
	key, err := os.ReadFile(filepath.Join(s.data, "links.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(node.data, "links.key"), key, 0o600))
	second := node.serve(t)
	a, b := s.client(first), s.client(second)
	require.Contains(t, string(fetch(t, first.url+"/metrics")), "capi_index_leader 1")
	require.Contains(t, string(fetch(t, second.url+"/metrics")), "capi_index_leader 0")

	s.load(t, companies(3_000, 3_100, nil))
	a.eventually(t, 3_100)
	b.eventually(t, 3_100)

	// Paging goes on where the first server was killed, over the companies of its first page.
	seen := map[string]bool{}
	request := map[string]any{"sort_by": "employee_count", "limit": 100}
	var page foundPage
	a.must(t, http.StatusOK, "POST", "/companies/search", request, &page)
	first.kill(t)
	s.load(t, companies(3_100, 3_300, nil))
	for {
		require.Equal(t, 3_100, page.Total)
		for _, item := range page.Items {
			require.False(t, seen[item.ID], "a company came twice")
			seen[item.ID] = true
		}
		if page.Cursor == nil {
			break
		}
		request["cursor"] = *page.Cursor
		page = foundPage{}
		b.must(t, http.StatusOK, "POST", "/companies/search", request, &page)
	}
	require.Len(t, seen, 3_100)

	b.eventually(t, 3_300) // the second server applies changes now
	require.Contains(t, string(fetch(t, second.url+"/metrics")), "capi_index_leader 1")
	var bought created
	b.must(t, http.StatusCreated, "POST", "/exports", exportOf("on the second", map[string]any{"employee_count_max": 999}), &bought)
	b.wait(t, bought.Job.ID)
	require.Len(t, rows(t, b.file(t, bought.Job.ID)), 1_000)
	node.requireHealthy(t)
}

func TestSearchesGoOnWhileTheIndexInOpenSearchIsRebuilt(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	s := newFixture(t, 5_000, "CAPI_DB="+dbtest.PostgresURL(t), inOpenSearch(search, search.Index(t)))
	s.load(t, companies(0, 3_000, nil))
	v := s.serve(t)
	c := s.client(v)
	before := s.indexStats(t).Index

	done, failed := make(chan struct{}), make(chan string, 1)
	searched := 0
	go func() {
		defer close(failed)
		last, fell := 3_000, time.Time{}
		for ; ; searched++ {
			select {
			case <-done:
				return
			default:
			}
			var page foundPage
			status, err := c.call("POST", "/companies/search", map[string]any{"limit": 1}, &page)
			// The new index may lack what was imported in the moment before it took the place of the old one, but not for long.
			switch {
			case page.Total >= last:
				last, fell = page.Total, time.Time{}
			case fell.IsZero():
				fell = time.Now()
			}
			if err != nil || status != http.StatusOK || page.Total < last-100 || !fell.IsZero() && time.Since(fell) > 5*time.Second {
				failed <- strconv.Itoa(status) + " " + strconv.Itoa(page.Total)
				return
			}
		}
	}()
	rebuild := s.command("index", "rebuild", "--json")
	var printed, said bytes.Buffer
	rebuild.Stdout, rebuild.Stderr = &printed, &said
	require.NoError(t, rebuild.Start())
	for n := 3_000; n < 4_000; n += 100 {
		s.load(t, companies(n, n+100, nil))
	}
	require.NoError(t, rebuild.Wait(), said.String())
	var rebuilt struct{ Companies int }
	require.NoError(t, json.Unmarshal(printed.Bytes(), &rebuilt), printed.String())
	require.GreaterOrEqual(t, rebuilt.Companies, 3_000)
	c.eventually(t, 4_000)
	close(done)
	require.Empty(t, <-failed, "a search failed, or lost companies")
	require.Positive(t, searched)
	stats := s.indexStats(t)
	require.NotEqual(t, before, stats.Index)
	require.Equal(t, 4_000, stats.Companies)
	s.requireHealthy(t)
}

func TestWithoutOpenSearchNothingIsChargedAndTheServerRecovers(t *testing.T) {
	search := opensearchtest.Find(t) // not in parallel, because it kills what other tests use
	s := newFixture(t, 5_000, inOpenSearch(search, search.Index(t)))
	s.load(t, companies(0, 3_000, nil))
	v := s.serve(t)
	c := s.client(v)
	var bought created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("before", map[string]any{"employee_count_max": 99}), &bought)
	c.wait(t, bought.Job.ID)
	balance := c.credits(t).Balance

	for node := range search.Addresses {
		search.Kill(t, node)
	}
	for _, path := range []string{"/exports", "/exports/quote", "/companies/search"} {
		body := exportOf("refused", map[string]any{"employee_count_min": 100, "employee_count_max": 199})
		if path == "/companies/search" {
			body = map[string]any{"limit": 7}
		}
		began := time.Now()
		status, header, answer := c.post(t, path, body)
		require.Equal(t, http.StatusServiceUnavailable, status, "%s: %s", path, answer)
		require.Contains(t, answer, "INDEX_UNAVAILABLE")
		require.NotEmpty(t, header.Get("Retry-After"))
		require.Less(t, time.Since(began), 15*time.Second)
	}
	require.Equal(t, balance, c.credits(t).Balance)
	require.Len(t, rows(t, c.file(t, bought.Job.ID)), 100, "what is bought can be downloaded")
	ready := string(fetch(t, v.url+"/readyz"))
	require.Contains(t, ready, `"status":"ready"`)
	require.Contains(t, ready, "OpenSearch does not answer, so searches are refused for now")
	require.Contains(t, string(fetch(t, v.url+"/metrics")), "capi_index_up 0")
	s.load(t, companies(3_000, 3_100, nil)) // an import needs no index

	for node := range search.Addresses {
		search.Start(t, node)
	}
	require.Eventually(t, func() bool {
		status, _, _ := c.post(t, "/companies/search", map[string]any{"limit": 1})
		return status == http.StatusOK
	}, time.Minute, 100*time.Millisecond)
	c.eventually(t, 3_100)
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("after", map[string]any{"employee_count_min": 100, "employee_count_max": 199}), &bought)
	require.Equal(t, balance-100, c.credits(t).Balance)
	c.wait(t, bought.Job.ID)
	s.requireHealthy(t)
}

// post sends a request and returns all of the answer.
func (c *client) post(t *testing.T, path string, body any) (status int, header http.Header, answer string) {
	t.Helper()
	content, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.base+"/api/v1"+path, bytes.NewReader(content))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	read, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.StatusCode, w.Header, string(read)
}

func TestAnIndexInOpenSearchThatCannotBeUsedIsAnErrorAtTheStart(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	g := newGate(t, search)
	secure := strings.TrimPrefix(g.URL, "https://")
	index := search.Index(t)
	taken := search.Index(t)
	status, body := search.Do(t.Context(), t, http.MethodPut, "/"+taken, `{}`)
	require.Equal(t, http.StatusOK, status, body)
	user := []string{"CAPI_INDEX_USER=" + gateUser, "CAPI_INDEX_PASSWORD=" + gatePassword}
	ca := "CAPI_INDEX_CA_FILE=" + g.ca
	for name, c := range map[string]struct {
		settings []string
		says     []string
	}{
		"wrong port":        {[]string{"CAPI_INDEX=opensearch://" + freeAddr(t) + "/" + index}, []string{"--index: ", "does not answer", "connection refused"}},
		"wrong host":        {[]string{"CAPI_INDEX=opensearch://no-such-host.invalid:9200/" + index}, []string{"--index: ", "no-such-host.invalid"}},
		"TLS without TLS":   {[]string{"CAPI_INDEX=opensearchs://" + search.Addresses[0] + "/" + index}, []string{"--index: ", "begins with opensearch://"}},
		"no TLS but needed": {append(user, "CAPI_INDEX=opensearch://"+secure+"/"+index), []string{"--index: ", "opensearchs://"}},
		"unknown authority": {append(user, "CAPI_INDEX=opensearchs://"+secure+"/"+index), []string{"--index: ", "--index-ca-file"}},
		"no user":           {[]string{"CAPI_INDEX=opensearchs://" + secure + "/" + index, ca}, []string{"--index-user: ", "refuses the user, the password or the certificate"}},
		"wrong password": {
			[]string{"CAPI_INDEX=opensearchs://" + secure + "/" + index, ca, "CAPI_INDEX_USER=" + gateUser, "CAPI_INDEX_PASSWORD=wrong horse"},
			[]string{"--index-user: ", "refuses the user, the password or the certificate"},
		},
		"another program's index": {[]string{"CAPI_INDEX=opensearch://" + search.Addresses[0] + "/" + taken}, []string{"--index: ", "Nothing was changed", "Choose another name"}},
		"no name":                 {[]string{"CAPI_INDEX=opensearch://" + search.Addresses[0]}, []string{"--index: ", "lacks the name of the index"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &fixture{data: t.TempDir(), settings: c.settings}
			cmd := s.command("serve", "--addr", "127.0.0.1:0")
			cmd.Env = append(cmd.Env, "CAPI_DATA="+filepath.Join(s.data, "data"))
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			for _, part := range c.says {
				require.Contains(t, string(out), part)
			}
			require.NotContains(t, string(out), "horse")
			require.NoDirExists(t, filepath.Join(s.data, "data"), "nothing was written")
		})
	}
}

func TestAnIndexOfAnotherCatalogIsReplacedOnRequestOnly(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	index := search.Index(t)
	s := newFixture(t, 0, inOpenSearch(search, index))
	s.load(t, companies(0, 200, nil))
	s.serve(t).stop(t)
	before := s.indexStats(t)
	require.Equal(t, 200, before.Companies)

	other := newFixture(t, 0, inOpenSearch(search, index))
	other.load(t, companies(0, 300, nil))
	for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0"}, {"index", "stats"}, {"index", "rebuild"}} {
		out, err := other.command(args...).CombinedOutput()
		require.Error(t, err, args)
		require.Contains(t, string(out), "is the index of another catalog")
		require.Contains(t, string(out), "capi index rebuild --replace")
	}
	require.Equal(t, before, s.indexStats(t))
	require.Contains(t, other.capi(t, "index", "rebuild", "--replace"), "Indexed 300 companies")
	require.Equal(t, 300, other.client(other.serve(t)).all(t))
}

func TestABackupIsRestoredBesideAnIndexInOpenSearch(t *testing.T) {
	t.Parallel()
	search := opensearchtest.Find(t)
	s := newFixture(t, 0, inOpenSearch(search, search.Index(t)))
	s.load(t, companies(0, 200, nil))
	v := s.serve(t)
	to := filepath.Join(t.TempDir(), "backup")
	s.capi(t, "backup", to)
	s.load(t, companies(200, 300, nil))
	s.client(v).eventually(t, 300)
	v.stop(t)
	s.capi(t, "restore", to)

	out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "restored from a backup")
	require.Contains(t, string(out), "capi index rebuild --replace")
	s.capi(t, "index", "rebuild", "--replace")
	require.Equal(t, 200, s.client(s.serve(t)).all(t))
	s.requireHealthy(t)
}
