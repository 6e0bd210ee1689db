package opensearch_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/opensearch"
	"github.com/opencapi/capi/internal/index/opensearch/opensearchtest"
	"github.com/opencapi/capi/internal/query"
)

// wire sends requests, unless meddle answers them or changes the answers.
type wire struct {
	mu     sync.Mutex
	sent   []string // method and path
	meddle func(*http.Request) (*http.Response, error)
	after  func(*http.Request, *http.Response) error
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, r.Method+" "+r.URL.Path)
	meddle, after := w.meddle, w.after
	w.mu.Unlock()
	if meddle != nil {
		if a, err := meddle(r); a != nil || err != nil {
			return a, err
		}
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && after != nil {
		err = after(r, a)
	}
	return a, err
}

func (w *wire) set(meddle func(*http.Request) (*http.Response, error), after func(*http.Request, *http.Response) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meddle, w.after = meddle, after
}

// questions are one call of each method that asks the index.
func questions(ix *opensearch.Index) map[string]func(*testing.T) error {
	q, err := query.Parse(query.Filters{Query: "acme robots"})
	if err != nil {
		panic(err)
	}
	return map[string]func(*testing.T) error{
		"Search": func(t *testing.T) error {
			_, err := ix.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 3, FacetLimit: 3})
			return err
		},
		"Select": func(t *testing.T) error {
			_, err := ix.Select(t.Context(), index.Selection{Sort: query.Sort{By: query.ByName}, Limit: 3})
			return err
		},
		"Compare": func(t *testing.T) error {
			_, err := ix.Compare(t.Context(), index.Comparison{Sets: []query.Query{q, {}}})
			return err
		},
		"Pivot": func(t *testing.T) error {
			_, err := ix.Pivot(t.Context(), index.PivotRequest{
				Rows: index.PivotAxis{Facet: "cities", Limit: 2}, Columns: index.PivotAxis{Facet: "industries", Limit: 2},
			})
			return err
		},
		"Lookup": func(t *testing.T) error {
			_, err := ix.Lookup(t.Context(), []query.Given{{Field: query.FieldCity, Value: "bern"}, {Field: query.FieldCity, Value: "basel"}})
			return err
		},
		"Check": func(t *testing.T) error { return ix.Check(t.Context()) },
	}
}

func named(n company.Number, name, city string) index.Change {
	return index.Change{Number: n, Company: &company.Company{Number: n, Name: name, City: city}}
}

func requireUnavailable(t *testing.T, err error, what string) {
	t.Helper()
	require.Equal(t, fault.IndexUnavailable, fault.CodeOf(err), "%s: %v", what, err)
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Details, "retry_after", what)
}

// wired returns an index and what all its requests go through.
func wired(t *testing.T) (*opensearch.Index, *wire) {
	t.Helper()
	w := &wire{}
	o := options(t)
	o.Transport = w
	return open(t, o), w
}

func TestAPartialAnswerIsAnError(t *testing.T) {
	t.Parallel()
	ix, w := wired(t)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich")}, 1))
	w.set(nil, func(_ *http.Request, a *http.Response) error {
		p, err := io.ReadAll(a.Body)
		p = bytes.ReplaceAll(p, []byte(`"failed":0`), []byte(`"failed":1`))
		a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(p)), int64(len(p))
		return err
	})
	for name, ask := range questions(ix) {
		requireUnavailable(t, ask(t), name)
	}
	requireUnavailable(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2), "Apply")
	w.set(nil, nil)
	for name, ask := range questions(ix) {
		require.NoError(t, ask(t), name)
	}
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2))
	require.Equal(t, 2, ix.Len())
}

func TestAnEngineThatIsAwayIsAnErrorUntilItIsBack(t *testing.T) {
	t.Parallel()
	ix, w := wired(t)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich")}, 1))
	answer := func(status int) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(`{"error":"busy"}`)), Header: http.Header{}, Request: r}, nil
		}
	}
	for name, away := range map[string]func(*http.Request) (*http.Response, error){
		"refused": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"503":     answer(http.StatusServiceUnavailable),
		"429":     answer(http.StatusTooManyRequests),
		"html": func(r *http.Request) (*http.Response, error) {
			a, err := answer(http.StatusOK)(r)
			a.Body = io.NopCloser(strings.NewReader("<html>"))
			return a, err
		},
	} {
		w.set(away, nil)
		for method, ask := range questions(ix) {
			requireUnavailable(t, ask(t), name+": "+method)
		}
		requireUnavailable(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2), name)
		require.Equal(t, uint64(1), ix.Seq(), name)
		w.set(nil, nil)
		for method, ask := range questions(ix) {
			require.NoError(t, ask(t), "after %s: %s", name, method)
		}
	}
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2))
	require.Equal(t, 2, ix.Len())
}

func TestASlowEngineIsAnErrorInTime(t *testing.T) {
	t.Parallel()
	o, hangs := options(t), &wire{}
	o.Transport = hangs
	slow := open(t, o)
	require.NoError(t, slow.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich")}, 1))
	slow.SetTimeout(100 * time.Millisecond)
	defer slow.SetTimeout(o.Timeout)
	defer hangs.set(nil, nil)
	hangs.set(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}, nil)
	for name, ask := range questions(slow) {
		requireUnavailable(t, ask(t), name)
	}
}

func TestSnapshotsThatTheEngineLostAreOpenedAgain(t *testing.T) {
	t.Parallel()
	ix := open(t, options(t))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich"), named(2, "Bravo", "Bern")}, 1))
	for name, ask := range questions(ix) {
		require.NoError(t, ix.Forget(t.Context()))
		require.NoError(t, ask(t), name)
	}
}

// Each of many searches would otherwise try in turn, the last one after all others.
func TestSearchesThatLoseTheirSnapshotTogetherFailTogether(t *testing.T) {
	t.Parallel()
	const searches = 30
	ix, w := wired(t)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich")}, 1))
	require.NoError(t, ix.Forget(t.Context()))
	var lost, tries atomic.Int32
	w.set(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/_search/point_in_time") {
			return nil, nil //nolint:nilnil // sent on
		}
		tries.Add(1)
		for lost.Load() < searches && r.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return refuses(http.StatusServiceUnavailable, "cluster_block_exception", "no cluster manager"), nil
	}, func(r *http.Request, a *http.Response) error {
		if a.StatusCode == http.StatusNotFound {
			lost.Add(1)
		}
		return nil
	})
	var group sync.WaitGroup
	errs := make([]error, searches)
	for i := range searches {
		group.Go(func() {
			_, errs[i] = ix.Select(t.Context(), index.Selection{Sort: query.Sort{By: query.ByName}, Limit: 3})
		})
	}
	group.Wait()
	for _, err := range errs {
		requireUnavailable(t, err, "Select")
	}
	require.Less(t, int(tries.Load()), searches, "most of them took the result of another one")
	w.set(nil, nil)
	for name, ask := range questions(ix) {
		require.NoError(t, ask(t), name)
	}
}

// onlyBegin sends only the first lines of a request that writes documents, in a form that makes them visible, and fails.
func onlyBegin(r *http.Request, lines int) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		return nil, nil //nolint:nilnil // sent on
	}
	p, err := io.ReadAll(r.Body)
	p = bytes.Join(bytes.SplitAfter(p, []byte("\n"))[:lines], nil)
	again, err2 := http.NewRequestWithContext(r.Context(), r.Method, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path+"?refresh=true", bytes.NewReader(p))
	again.Header.Set("Content-Type", "application/x-ndjson")
	a, err3 := http.DefaultTransport.RoundTrip(again)
	if err3 == nil {
		a.Body.Close()
	}
	return nil, errors.Join(errors.New("killed"), err, err2, err3)
}

func refuses(status int, kind, reason string) *http.Response {
	body := fmt.Sprintf(`{"error":{"type":"search_phase_execution_exception","root_cause":[{"type":%q,"reason":%q}]},"status":%d}`, kind, reason, status)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// OpenSearch keeps a limited number of points in time for all that use it.
func TestSnapshotsForCursorsMakeWayForNewOnes(t *testing.T) {
	t.Parallel()
	ix, w := wired(t)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern")}, 1))
	first, err := ix.Search(t.Context(), index.Request{Sort: query.Sort{By: query.ByName}, Limit: 1})
	require.NoError(t, err)
	require.NotNil(t, first.Next)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(3, "Charlie", "Bern")}, 2)) // the first state is kept for the cursor
	var full atomic.Bool
	full.Store(true)
	w.set(func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Method == http.MethodDelete && r.URL.Path == "/_search/point_in_time":
			full.Store(false)
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/_search/point_in_time") && full.Load():
			return refuses(http.StatusTooManyRequests, "rejected_execution_exception",
				"Trying to create too many Point In Time contexts. Must be less than or equal to: [300]."), nil
		}
		return nil, nil
	}, nil)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(4, "Delta", "Bern")}, 3))
	require.False(t, full.Load(), "it closed what it kept")
	rest, err := ix.Search(t.Context(), index.Request{Sort: query.Sort{By: query.ByName}, Limit: 9, Cursor: first.Next})
	require.NoError(t, err)
	require.Equal(t, []company.Number{2, 3, 4}, rest.Page)

	full.Store(true) // others keep them all
	requireUnavailable(t, ix.Apply(t.Context(), []index.Change{named(5, "Echo", "Bern")}, 4), "nothing to close")
	full.Store(false)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(5, "Echo", "Bern")}, 4))
}

func TestABusyEngineIsAskedAgain(t *testing.T) {
	t.Parallel()
	ix, w := wired(t)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich"), named(2, "Bravo", "Bern")}, 1))
	for name, ask := range questions(ix) {
		var busy atomic.Int32
		busy.Store(2)
		w.set(func(*http.Request) (*http.Response, error) {
			if busy.Add(-1) >= 0 {
				return refuses(http.StatusTooManyRequests, "circuit_breaking_exception", "[parent] Data too large"), nil
			}
			return nil, nil
		}, nil)
		require.NoError(t, ask(t), name)
		require.Negative(t, busy.Load(), name)
	}
	w.set(func(*http.Request) (*http.Response, error) {
		return refuses(http.StatusTooManyRequests, "circuit_breaking_exception", "[parent] Data too large"), nil
	}, nil)
	for name, ask := range questions(ix) {
		requireUnavailable(t, ask(t), name)
	}
	w.set(nil, nil)
}

// An Apply that is interrupted leaves some of its changes behind. Nobody may see them without the others, and the next Apply, of
// this server or another one, completes them.
func TestAnInterruptedApplyIsNeverSeen(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 3} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			t.Parallel()
			o := options(t)
			o.Shards = shards
			w := &wire{}
			o.Transport = w
			ix := open(t, o)
			require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme Robots", "Zürich")}, 1))
			changes := []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern"), named(3, "Charlie", "Bern")}
			var cut atomic.Bool
			w.set(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/_bulk") {
					cut.Store(true)
				}
				return onlyBegin(r, 2*shards+2) // the states that begin it, and the first company
			}, nil)
			require.Error(t, ix.Apply(t.Context(), changes, 2))
			require.True(t, cut.Load())
			w.set(nil, nil)

			r, err := ix.Search(t.Context(), index.Request{Limit: 10, FacetLimit: 5, Facets: []index.Facet{"cities"}})
			require.NoError(t, err)
			require.Equal(t, []index.Count{{Value: "Zürich", Count: 1}}, r.Facets.Values["cities"])
			require.Equal(t, uint64(1), ix.Seq())

			other, err := opensearch.Open(t.Context(), o)
			require.NoError(t, err)
			defer other.Close()
			require.Equal(t, uint64(1), other.Seq(), "it continues from there")
			for name, ask := range questions(other) {
				requireUnavailable(t, ask(t), name)
			}
			require.NoError(t, other.Apply(t.Context(), changes, 2))
			require.Equal(t, 3, other.Len())
			require.Equal(t, uint64(2), other.Seq())
			require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 3}}, 3))
			require.Equal(t, 2, ix.Len())
		})
	}
}

// By default OpenSearch creates an index for a document that it has none for.
func TestALateWriteBringsNoDeletedIndexBack(t *testing.T) {
	t.Parallel()
	w := &wire{}
	o := options(t)
	o.Transport = w
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
	var late *http.Request
	w.set(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			return nil, nil //nolint:nilnil // sent on
		}
		p, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		late = r.Clone(context.Background())
		late.Body = io.NopCloser(bytes.NewReader(p))
		return nil, errors.New("no answer")
	}, nil)
	requireUnavailable(t, ix.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern")}, 2), "Apply")
	w.set(nil, nil)
	require.NoError(t, ix.Drop(t.Context()))
	a, err := http.DefaultTransport.RoundTrip(late)
	require.NoError(t, err)
	p, err := io.ReadAll(a.Body)
	require.NoError(t, errors.Join(err, a.Body.Close()))
	require.Contains(t, string(p), "index_not_found_exception")
	_, left := opensearchtest.Find(t).Do(t.Context(), t, http.MethodGet, "/_cat/indices/"+o.Name+"*?h=index", "")
	require.Empty(t, left)
}

func TestAnIndexThatIsDeletedWhileItIsWrittenToIsBuiltAgain(t *testing.T) {
	t.Parallel()
	for what, path := range map[string]string{"the index": "/%s", "its alias for writes": "/%s/_alias/%[1]s-writes"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := &wire{}
			o := options(t)
			o.Transport = w
			ix := open(t, o)
			require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
			stats, err := ix.Stats(t.Context())
			require.NoError(t, err)
			var deleted atomic.Bool
			w.set(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/_bulk") && deleted.CompareAndSwap(false, true) {
					remove(t, o.Addresses[0], fmt.Sprintf(path, stats.Index))
				}
				return nil, nil //nolint:nilnil // sent on
			}, nil)
			changes := []index.Change{named(1, "Acme", "Bern"), named(2, "Bravo", "Bern")}
			require.Equal(t, uint64(1), ix.Seq())
			require.ErrorIs(t, ix.Apply(t.Context(), changes[1:], 2), index.ErrReplaced)
			w.set(nil, nil)
			require.Eventually(t, func() bool { // as a follower of the catalog
				if ix.Seq() > 0 {
					return ix.Apply(t.Context(), changes[1:], 2) == nil
				}
				return ix.Apply(t.Context(), nil, 0) == nil && ix.Apply(t.Context(), changes, 2) == nil
			}, time.Minute, 10*time.Millisecond)
			require.Equal(t, []company.Number{1, 2}, all(t, ix))
		})
	}
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`)
	}))
	defer other.Close()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"version":{"distribution":"opensearch","number":"2.11.1"}}`)
	}))
	defer old.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Unauthorized", http.StatusUnauthorized) }))
	defer locked.Close()
	for name, row := range map[string]struct {
		change func(*opensearch.Options)
		want   string
	}{
		"no server":      {func(o *opensearch.Options) { o.Addresses = []string{"http://127.0.0.1:1"} }, "connection refused"},
		"another engine": {func(o *opensearch.Options) { o.Addresses = []string{other.URL} }, "not OpenSearch"},
		"an old version": {func(o *opensearch.Options) { o.Addresses = []string{old.URL} }, "2.11.1; 2.17 or newer is needed"},
		"no user":        {func(o *opensearch.Options) { o.Addresses = []string{locked.URL} }, "check the user, the password"},
		"no address":     {func(o *opensearch.Options) { o.Addresses = nil }, "no address"},
		"a bad name":     {func(o *opensearch.Options) { o.Name = "Companies*" }, "lower-case"},
		"no CA file":     {func(o *opensearch.Options) { o.CAFile = "/nowhere/ca.pem" }, "certificates to trust"},
		"no certificate": {func(o *opensearch.Options) { o.CertFile = "/nowhere/cert.pem" }, "client certificate"},
	} {
		o := options(t)
		row.change(&o)
		_, err := opensearch.Open(t.Context(), o)
		require.ErrorContains(t, err, row.want, name)
	}
}

// catalogOf is a catalog with a name and the checkpoints that it knows.
type catalogOf struct {
	mu     sync.Mutex
	origin string
	marks  map[string]bool
}

func (c *catalogOf) Origin(context.Context) (string, uint64, error) { return c.origin, 0, nil }

func (c *catalogOf) SaveCheckpoint(_ context.Context, name, mark, keep string, _ uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keep != "" && !c.marks[name+keep] {
		return errors.New("restored")
	}
	for m := range c.marks {
		if strings.HasPrefix(m, name) && m != name+keep {
			delete(c.marks, m)
		}
	}
	c.marks[name+mark] = true
	return nil
}

func (c *catalogOf) HasCheckpoint(_ context.Context, name, mark string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marks[name+mark], nil
}

// pausing is a catalog that holds back one call of SaveCheckpoint.
type pausing struct {
	*catalogOf
	armed           atomic.Bool
	after           bool // whether the checkpoint is saved before the pause
	reached, resume chan struct{}
}

func (p *pausing) SaveCheckpoint(ctx context.Context, name, mark, keep string, seq uint64) error {
	if !p.armed.CompareAndSwap(true, false) {
		return p.catalogOf.SaveCheckpoint(ctx, name, mark, keep, seq)
	}
	if !p.after {
		close(p.reached)
		<-p.resume
	}
	err := p.catalogOf.SaveCheckpoint(ctx, name, mark, keep, seq)
	if p.after {
		close(p.reached)
		<-p.resume
	}
	return err
}

// Another server leads while the paused one still believes that it does. Neither may take away the checkpoint that the index has then:
// every server would refuse the index as that of a restored catalog.
func TestALeaderThatPausedPastItsLeaseLeavesTheIndexTrusted(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("checkpoint saved before the pause %v, killed %v", after, killed), func(t *testing.T) {
				t.Parallel()
				shared := &catalogOf{origin: "own", marks: map[string]bool{}}
				slow := &pausing{catalogOf: shared, after: after, reached: make(chan struct{}), resume: make(chan struct{})}
				o := options(t)
				o.Source = slow
				first := open(t, o)
				require.NoError(t, first.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
				o.Source = shared
				next, err := opensearch.Open(t.Context(), o)
				require.NoError(t, err)
				defer next.Close()

				slow.armed.Store(true)
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				ended := make(chan error, 1)
				go func() { ended <- first.Apply(ctx, []index.Change{named(2, "Bravo", "Bern")}, 2) }()
				<-slow.reached
				require.NoError(t, next.Apply(t.Context(), []index.Change{named(2, "Bravo", "Bern"), named(3, "Charlie", "Bern")}, 3))
				if killed {
					kill()
				}
				close(slow.resume)
				if err := <-ended; killed {
					require.ErrorIs(t, err, context.Canceled)
				}

				again, err := opensearch.Open(t.Context(), o)
				require.NoError(t, err, "the catalog knows the index")
				defer again.Close()
				require.Equal(t, []company.Number{1, 2, 3}, all(t, again))
				require.NoError(t, next.Apply(t.Context(), []index.Change{named(4, "Delta", "Bern")}, 4))
				require.Equal(t, []company.Number{1, 2, 3, 4}, all(t, next))
				require.LessOrEqual(t, len(shared.marks), 4, "each server keeps the last two of its own")
			})
		}
	}
}

// A catalog that was restored while nothing led may have the checkpoint of the last Apply that was completed, but not of one that was
// interrupted and left a part of its changes.
func TestAnInterruptedApplyThatTheCatalogDoesNotKnowIsNotTrusted(t *testing.T) {
	t.Parallel()
	own := &catalogOf{origin: "own", marks: map[string]bool{}}
	w := &wire{}
	o := options(t)
	o.Source, o.Transport = own, w
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
	backup := &catalogOf{origin: "own", marks: maps.Clone(own.marks)}
	w.set(func(r *http.Request) (*http.Response, error) { return onlyBegin(r, 4) }, nil) // the state that begins it, and a company
	require.Error(t, ix.Apply(t.Context(), []index.Change{named(2, "Undone", "Bern")}, 2))
	w.set(nil, nil)

	other, err := opensearch.Open(t.Context(), o)
	require.NoError(t, err, "the catalog knows what was begun")
	require.NoError(t, other.Close())
	o.Source = backup
	_, err = opensearch.Open(t.Context(), o)
	require.ErrorIs(t, err, opensearch.ErrForeign)
}

func TestMarksWithoutAProcessAreOfTheIndexItself(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string][2]string{"": {"x-1", ""}, "uuid": {"x-1", "uuid"}, "A/uuid": {"x-1/A", "uuid"}} {
		of, checkpoint := opensearch.CheckpointOf("x-1", mark)
		require.Equal(t, want, [2]string{of, checkpoint}, mark)
	}
}

func TestOpenRefusesTheIndexOfAnotherCatalogAndWritesNothing(t *testing.T) {
	t.Parallel()
	own := &catalogOf{origin: "own", marks: map[string]bool{}}
	o := options(t)
	o.Source = own
	ix := open(t, o)
	for seq := range uint64(4) {
		require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, seq))
	}
	require.Len(t, own.marks, 2, "the last, and the one before it in case that the last is not written")
	opened := func(change func(*opensearch.Options)) error {
		with, w := o, &wire{}
		change(&with)
		with.Transport = w
		again, err := opensearch.Open(t.Context(), with)
		w.mu.Lock()
		all := slices.Clone(w.sent)
		w.mu.Unlock()
		for _, sent := range all {
			require.True(t, strings.HasPrefix(sent, "GET ") || strings.Contains(sent, "_search") || strings.Contains(sent, "_msearch"), sent)
		}
		if err == nil {
			require.NoError(t, again.Close())
		}
		return err
	}
	require.NoError(t, opened(func(*opensearch.Options) {}))
	require.NoError(t, opened(func(o *opensearch.Options) { o.Source = nil }))
	stranger := func(o *opensearch.Options) { o.Source = &catalogOf{origin: "another", marks: own.marks} }
	restored := func(o *opensearch.Options) { o.Source = &catalogOf{origin: "own"} }
	require.ErrorIs(t, opened(stranger), opensearch.ErrForeign)
	require.ErrorContains(t, opened(stranger), "another catalog")
	require.ErrorIs(t, opened(restored), opensearch.ErrForeign)
	require.ErrorContains(t, opened(restored), "restored from a backup")

	for name, body := range map[string]string{"concrete": `{}`, "alias": `{"aliases":{"%s-alias":{}}}`} {
		taken := o.Name + "-" + name
		put(t, o.Addresses[0], "/"+strings.Replace(taken, "-alias", "-under", 1), strings.ReplaceAll(body, "%s", o.Name))
		foreign := func(o *opensearch.Options) { o.Name, o.Replace = taken, true }
		require.ErrorIs(t, opened(foreign), opensearch.ErrForeign, name)
		require.ErrorContains(t, opened(foreign), "use another name", name)
	}
	remove(t, o.Addresses[0], "/"+o.Name+"-concrete,"+o.Name+"-under")

	require.NoError(t, opened(func(o *opensearch.Options) { restored(o); o.Replace = true }))
	with := o
	restored(&with)
	with.Source.(*catalogOf).marks = map[string]bool{}
	with.Replace = true
	again, err := opensearch.Open(t.Context(), with)
	require.NoError(t, err)
	defer again.Close()
	require.Zero(t, again.Seq())
	require.ErrorIs(t, again.Apply(t.Context(), nil, 0), opensearch.ErrForeign, "only a new index may be filled")
	require.NoError(t, again.Rebuild(t.Context(), func(ctx context.Context, fresh index.Index) error {
		return fresh.Apply(ctx, []index.Change{named(7, "Golf", "Bern")}, 9)
	}))
	require.Equal(t, uint64(9), again.Seq())
	require.NoError(t, again.Apply(t.Context(), nil, 10))
}

func put(t *testing.T, addr, path, body string) {
	t.Helper()
	send(t, http.MethodPut, addr+path, body)
}

func remove(t *testing.T, addr, path string) {
	t.Helper()
	send(t, http.MethodDelete, addr+path, "")
}

func send(t *testing.T, method, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	p, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.StatusCode, "%s", p)
}

func TestConnectsWithTLSAndAUser(t *testing.T) {
	t.Parallel()
	to, err := url.Parse(address(t))
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "capi" || password != "secret" {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		proxy.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that does not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	o := options(t)
	o.Addresses, o.User, o.Password = []string{server.URL}, "capi", "secret"
	_, err = opensearch.Open(t.Context(), o)
	require.ErrorContains(t, err, "certificate")
	o.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(o.CAFile, pemOf(server.Certificate().Raw), 0o600))
	ix := open(t, o)
	require.NoError(t, ix.Apply(t.Context(), []index.Change{named(1, "Acme", "Bern")}, 1))
	o.Password = "wrong"
	_, err = opensearch.Open(t.Context(), o)
	require.ErrorContains(t, err, "check the user, the password")
}

func pemOf(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }

// A node takes its copies of shards and the points in time with it. It runs alone, because it ends nodes that other tests use.
func TestANodeThatDiesTakesNoAnswerWithIt(t *testing.T) {
	server := opensearchtest.Find(t)
	if len(server.Addresses) < 3 {
		t.Skip("needs three nodes: run scripts/with-opensearch.sh -n 3")
	}
	o := options(t)
	o.Shards, o.Replicas, o.Addresses = 2, 1, nil
	for _, a := range server.Addresses {
		o.Addresses = append(o.Addresses, "http://"+a)
	}
	ix := open(t, o)
	seq, want := uint64(0), []company.Number{}
	grow := func() {
		n := company.Number(seq + 1)
		require.Eventually(t, func() bool {
			err := ix.Apply(t.Context(), []index.Change{named(n, fmt.Sprintf("Acme %03d", n), "Bern")}, seq+1)
			if err != nil {
				requireUnavailable(t, err, "Apply")
			}
			return err == nil
		}, 3*time.Minute, 200*time.Millisecond)
		seq++
		want = append(want, n)
	}
	for range 20 {
		grow()
	}
	by := query.Sort{By: query.ByName}
	first, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 5})
	require.NoError(t, err)
	for node := 2; node >= 1; node-- {
		require.Eventually(t, func() bool {
			s, err := ix.Stats(t.Context())
			return err == nil && s.Health == "green"
		}, 5*time.Minute, 500*time.Millisecond)
		server.Kill(t, node)
		unavailable := 0
		require.Eventually(t, func() bool {
			s, err := ix.Select(t.Context(), index.Selection{Sort: by, Limit: 100})
			if err != nil {
				unavailable++
				requireUnavailable(t, err, "Select")
				return false
			}
			require.Equal(t, want, s.Numbers, "all, or an error")
			return true
		}, 3*time.Minute, 100*time.Millisecond)
		t.Logf("%d searches failed after node %d had died", unavailable, node)
		grow()
		require.Equal(t, want, all(t, ix))
		server.Start(t, node)
	}
	rest, err := ix.Search(t.Context(), index.Request{Sort: by, Limit: 100, Cursor: first.Next})
	require.NoError(t, err)
	require.Equal(t, want[5:20], rest.Page[:15])
}
