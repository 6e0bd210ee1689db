package e2e

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

// previousVersion is the commit of the version from which an upgrade is tested, the last one before migration 42. A release moves it to the
// release before.
const previousVersion = "88c87f698ec60df3cbc4748e35f9e8cd601cfaca"

// buildPrevious builds the previous version from the history of this checkout and returns the path of its program. CAPI_TEST_PREVIOUS
// names another commit. It skips the test if the history is not there, unless CAPI_TEST_REQUIRE has history.
func buildPrevious(t *testing.T) string {
	t.Helper()
	commit := cmp.Or(os.Getenv("CAPI_TEST_PREVIOUS"), previousVersion)
	if err := exec.Command("git", "cat-file", "-e", commit+"^{commit}").Run(); err != nil {
		required.Missing(t, "history", "commit %s is not in the history of this checkout; get all of it with git fetch --unshallow", commit)
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "source.tar")
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	require.NoError(t, err)
	git := exec.Command("git", "archive", "--output", archive, commit)
	git.Dir = strings.TrimSpace(string(root)) // from a folder below, git leaves out the others
	out, err := git.CombinedOutput()
	require.NoError(t, err, "%s", out)
	source, program := filepath.Join(dir, "source"), filepath.Join(dir, "capi")
	require.NoError(t, os.Mkdir(source, 0o700))
	out, err = exec.Command("tar", "--extract", "--file", archive, "--directory", source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/capi")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err = build.CombinedOutput()
	require.NoError(t, err, "build the previous version: %s", out)
	return program
}

// shoppers buy, search and download from several servers at once, and record every request that fails.
type shoppers struct {
	stop     chan struct{}
	group    sync.WaitGroup
	answered atomic.Int32

	mu       sync.Mutex
	failures []string
	charged  int
	exports  map[string]int // to their number of rows
	next     int            // the first company that nobody has bought
}

const shopperRows = 10 // companies of each purchase

// shop has a client act on its server until end.
func (x *shoppers) shop(name string, c *client) {
	x.group.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-x.stop:
				return
			default:
			}
			x.mu.Lock()
			from := x.next
			x.next += shopperRows / 2 // half of them were bought before, also on the other server
			x.mu.Unlock()
			span := map[string]any{"employee_count_min": from, "employee_count_max": from + shopperRows - 1}
			var bought created
			x.record(name, "purchase", c, http.StatusCreated, "POST", "/exports", exportOf(fmt.Sprint(name, " ", n), span), &bought)
			x.record(name, "search", c, http.StatusOK, "POST", "/companies/search", span, nil)
			x.record(name, "quote", c, http.StatusOK, "POST", "/exports/quote", exportOf("quote", span), nil)
			x.record(name, "list of exports", c, http.StatusOK, "GET", "/exports?limit=20", nil, nil)
			x.record(name, "ledger", c, http.StatusOK, "GET", "/credits/transactions?limit=20", nil, nil)
			if bought.Job.ID != "" {
				x.mu.Lock()
				x.charged += bought.Charged
				x.exports[bought.Job.ID] = bought.Requested
				x.mu.Unlock()
			}
		}
	})
}

func (x *shoppers) record(name, what string, c *client, want int, method, path string, body, into any) {
	status, err := c.call(method, path, body, into)
	if err != nil || status != want {
		x.mu.Lock()
		x.failures = append(x.failures, fmt.Sprintf("%s: %s: %d, %v", name, what, status, err))
		x.mu.Unlock()
	}
	x.answered.Add(1)
}

// moreAnswers waits until a number of further requests were answered.
func (x *shoppers) moreAnswers(t *testing.T, n int32) {
	t.Helper()
	before := x.answered.Load()
	require.Eventually(t, func() bool { return x.answered.Load() >= before+n }, 2*time.Minute, 10*time.Millisecond)
}

// An upgrade of several servers starts a new one beside the old ones. The new one migrates the database while the old ones go on.
func TestThePreviousVersionGoesOnWhileTheNextOneMigratesAndSells(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	const catalogSize, credits = 20_000, 100_000
	settings := append(inBucket(store.Endpoint, store.NewBucket(t)), "CAPI_DB="+dbtest.BarePostgresURL(t),
		"CAPI_KEY_FILE="+filepath.Join(t.TempDir(), "shared.key"))
	old := newFixtureOf(t, buildPrevious(t), credits, settings...)
	old.load(t, companies(0, catalogSize, nil))
	before := old.serve(t)
	was := old.client(before)

	x := &shoppers{stop: make(chan struct{}), exports: map[string]int{}}
	for i := range 2 {
		x.shop(fmt.Sprint("old ", i), was)
	}
	x.moreAnswers(t, 50)

	next := old.node(t)
	next.program = binary
	after := next.serve(t) // which migrates
	is := next.client(after)
	for i := range 2 {
		x.shop(fmt.Sprint("new ", i), is)
	}
	x.moreAnswers(t, 200)

	// It does not start again: only one that runs already goes on.
	again := old.node(t)
	out, err := again.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "a newer capi has used this database")
	r, err := http.Get(before.url + "/readyz")
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, http.StatusOK, r.StatusCode, "a proxy still sends requests to it")

	// Both follow an import of the new one, and see what the other sells.
	next.load(t, companies(catalogSize, catalogSize+100, nil))
	for _, c := range []*client{was, is} {
		require.Eventually(t, func() bool {
			var page struct{ Total int }
			c.must(t, http.StatusOK, "POST", "/companies/search", map[string]any{"limit": 1}, &page)
			return page.Total == catalogSize+100
		}, time.Minute, 50*time.Millisecond)
	}
	var first, second created
	span := map[string]any{"employee_count_min": catalogSize, "employee_count_max": catalogSize + 99}
	was.must(t, http.StatusCreated, "POST", "/exports", exportOf("on the old one", span), &first)
	is.must(t, http.StatusCreated, "POST", "/exports", exportOf("on the new one", span), &second)
	require.Equal(t, []int{100, 0}, []int{first.Charged, second.Charged})
	x.moreAnswers(t, 100)

	close(x.stop)
	x.group.Wait()
	before.stop(t)
	require.Empty(t, x.failures, "of %d requests", x.answered.Load())
	for export, size := range x.exports { // on either server
		is.wait(t, export)
		require.Len(t, rows(t, is.file(t, export)), size)
	}
	require.Equal(t, x.next+shopperRows/2, x.charged, "each company was charged once")
	require.Equal(t, credits-x.charged-100, is.credits(t).Balance)
	next.requireHealthy(t)
}
