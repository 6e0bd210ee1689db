package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/docs"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/testkit"
)

// wire stands between the program and a real S3 server. It notes what is asked and can break requests.
type wire struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []string                                      // method and path of each request
	meddles func(http.ResponseWriter, *http.Request) bool // reports whether it has answered itself
}

func newWire(t *testing.T, server *s3test.Server) *wire {
	t.Helper()
	to, err := url.Parse(server.Endpoint)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // which is signed
	}}
	w := &wire{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Method+" "+r.URL.Path)
		meddles := w.meddles
		w.mu.Unlock()
		if meddles == nil || !meddles(out, r) {
			proxy.ServeHTTP(out, r)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// meddle sets what breaks requests from now on, and forgets what was asked.
func (w *wire) meddle(fn func(http.ResponseWriter, *http.Request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meddles, w.asked = fn, nil
}

func (w *wire) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.asked...)
}

// cut ends the connection of a request without an answer.
func cut(out http.ResponseWriter, _ *http.Request) bool {
	conn, _, err := out.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
	return true
}

// refuse answers with an error of S3.
func refuse(status int, code string) func(http.ResponseWriter, *http.Request) bool {
	return func(out http.ResponseWriter, _ *http.Request) bool {
		out.WriteHeader(status)
		fmt.Fprintf(out, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
		return true
	}
}

func isManifest(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".manifest.json") }

type house struct {
	*testkit.Fixture
	caller auth.Caller
	server *s3test.Server
	wire   *wire
	bucket string
	to     destination.Destination
}

var (
	loopback  = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	writeOnly = []string{"s3:PutObject", "s3:AbortMultipartUpload"}
)

// parts are those of a server that repeats an attempt twice, at once.
func parts(d *db.DB) services.Parts {
	return services.Parts{
		DB: d, Destinations: destination.Options{Allow: loopback}, Deliveries: delivery.Options{Pauses: []time.Duration{time.Millisecond, time.Millisecond}},
		Jobs: job.Options{Poll: 5 * time.Millisecond, RetryDelay: time.Millisecond, RetryDelayMax: time.Millisecond},
	}
}

// open is newHouse with a destination with keys that may only write.
func open(t *testing.T, d *db.DB, server *s3test.Server) *house {
	t.Helper()
	h := newHouse(t, d)
	h.server, h.wire, h.bucket = server, newWire(t, server), server.NewBucket(t)
	key, secret := server.NewUser(t, h.bucket, writeOnly...)
	var err error
	h.to, err = h.Destinations.Create(t.Context(), destination.Destination{
		Workspace: h.caller.Workspace, Name: "Data lake", Kind: destination.S3, Prefix: "companies/dt={date}/",
		Bucket: destination.Bucket{Name: h.bucket, Endpoint: h.wire.URL, PathStyle: true, AccessKey: key},
	}, destination.Secrets{SecretKey: secret})
	require.NoError(t, err)
	h.wire.meddle(nil)
	return h
}

// newHouse is a workspace with 100 credits and 10 companies to buy.
func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{Fixture: testkit.New(t, parts(d))}
	h.Put(t, companytest.Slice(1, 10)...)
	w, err := h.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Acme", Credits: 100})
	require.NoError(t, err)
	h.caller = auth.Caller{Workspace: w.ID, Token: id.New[id.Token]()}
	return h
}

func (h *house) buy(t *testing.T) export.Export {
	t.Helper()
	e, _, err := h.Exports.Create(t.Context(), h.caller, export.Request{Name: "Größe & more", Destination: h.to.ID})
	require.NoError(t, err)
	return e
}

// handlers are those of exports and deliveries, as a server has them.
func handlers(s *services.Services) map[string]job.Handler {
	all := s.Exports.Handlers()
	for kind, h := range s.Deliveries.Handlers() {
		all[kind] = h
	}
	return all
}

// work runs the jobs until none is left.
func (h *house) work(t *testing.T) {
	t.Helper()
	r := job.NewRunner(h.Jobs, handlers(h.Services))
	require.NoError(t, r.Start(t.Context()))
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, h.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')`).Scan(&n))
		return n == 0
	}, 30*time.Second, 2*time.Millisecond)
	require.NoError(t, r.Stop(t.Context()))
}

func (h *house) delivery(t *testing.T, e id.Export) delivery.Delivery {
	t.Helper()
	all, err := h.Deliveries.Of(t.Context(), e)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[e]
}

// events returns the events about deliveries, oldest first.
func (h *house) events(t *testing.T) (all []map[string]any) {
	t.Helper()
	page, err := h.Events.Page(t.Context(), event.Filter{Workspace: h.caller.Workspace, Types: []event.Type{event.ExportDelivered, event.ExportDeliveryFailed}}, id.Event{}, 100)
	require.NoError(t, err)
	for _, e := range page {
		data := map[string]any{}
		require.NoError(t, json.Unmarshal(e.Data, &data))
		data["type"] = string(e.Type)
		all = append(all, data)
	}
	return all
}

func (h *house) balance(t *testing.T) int64 {
	t.Helper()
	balance, err := h.Credits.Balance(t.Context(), h.caller.Workspace)
	require.NoError(t, err)
	return balance
}

// paths are those of the file and the manifest of an export.
func (h *house) paths(e export.Export) (file, manifest string) {
	day := e.CreatedAt.UTC().Format(time.DateOnly)
	name := fmt.Sprintf("größe-more-%s-%s.csv", day, e.ID)
	return "companies/dt=" + day + "/" + name, "companies/dt=" + day + "/_" + name + ".manifest.json"
}

// arrived checks that the file and its manifest are at the destination, whole.
func (h *house) arrived(t *testing.T, e export.Export) {
	t.Helper()
	file, manifest := h.paths(e)
	m, err := export.ParseManifest(bytes.NewReader(h.server.Read(t, h.bucket, manifest)))
	require.NoError(t, err)
	checks, err := m.Verify(bytes.NewReader(h.server.Read(t, h.bucket, file)))
	require.NoError(t, err)
	for _, c := range checks {
		require.True(t, c.OK, c.Problem())
	}
	require.Equal(t, 10, m.Rows)
}

// probe is what the test of the destination has left.
func probe(e export.Export) string {
	return "companies/dt=" + e.CreatedAt.UTC().Format(time.DateOnly) + "/_capi-test.txt"
}

// documented compares the members of an event with the example in the guide.
func documented(t *testing.T, e map[string]any) {
	t.Helper()
	page, err := docs.Files.ReadFile("guide/destinations.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(page)) {
		var shown struct {
			Type string
			Data map[string]any
		}
		if json.Unmarshal([]byte(line), &shown) == nil && shown.Type == e["type"] {
			shown.Data["type"] = shown.Type
			require.ElementsMatch(t, slices.Collect(maps.Keys(shown.Data)), slices.Collect(maps.Keys(e)))
			return
		}
	}
	require.Failf(t, "no example", "the guide has no example of %s", e["type"])
}

func TestAnExportIsDeliveredWithKeysThatMayOnlyWriteTheManifestLast(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, server)
		e := h.buy(t)
		require.Equal(t, delivery.Pending, h.delivery(t, e.ID).State)
		h.work(t)
		h.arrived(t, e)
		file, manifest := h.paths(e)
		signature := manifest + ".jws"
		require.ElementsMatch(t, []string{file, signature, manifest, probe(e)}, server.Keys(t, h.bucket))
		at := "PUT /" + h.bucket + "/"
		require.Equal(t, []string{at + file, at + signature, at + manifest}, h.wire.requests(), "nothing is listed, looked at or read")
		got := h.delivery(t, e.ID)
		require.Equal(t, delivery.Delivered, got.State)
		require.Equal(t, 1, got.Attempts)
		require.Equal(t, file, got.Path)
		require.NotNil(t, got.DeliveredAt)
		require.Empty(t, got.Error)
		events := h.events(t)
		require.Len(t, events, 1)
		require.Equal(t, "export.delivered", events[0]["type"])
		require.Equal(t, file, events[0]["path"])
		require.Equal(t, e.Name, events[0]["name"])
		documented(t, events[0])
		require.Equal(t, e.ID.String(), events[0]["export_id"])

		// Again: the same paths, no charge.
		h.wire.meddle(nil)
		again, err := h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
		require.NoError(t, err)
		require.Equal(t, delivery.Pending, again.State)
		h.work(t)
		h.arrived(t, e)
		require.Equal(t, []string{at + file, at + signature, at + manifest}, h.wire.requests())
		require.EqualValues(t, 90, h.balance(t))
		require.Len(t, h.events(t), 2)
	})
}

func TestAFailedDeliveryIsRepeatedAndSaysWhyAndIsNeverBoughtAgain(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, c := range map[string]struct {
		meddles func(http.ResponseWriter, *http.Request) bool
		want    string
	}{
		"cut":        {cut, "cannot be reached, or the connection was cut"},
		"denied":     {refuse(http.StatusForbidden, "AccessDenied"), "was denied. The keys need the right s3:PutObject"},
		"no bucket":  {refuse(http.StatusNotFound, "NoSuchBucket"), "There is no bucket"},
		"full":       {refuse(http.StatusForbidden, "QuotaExceeded"), "is full"},
		"no space":   {refuse(http.StatusInsufficientStorage, "XMinioStorageFull"), "is full"},
		"bad secret": {refuse(http.StatusForbidden, "SignatureDoesNotMatch"), "The secret access key does not belong"},
		"redirect": {func(out http.ResponseWriter, r *http.Request) bool {
			http.Redirect(out, r, "http://169.254.169.254/", http.StatusTemporaryRedirect)
			return true
		}, "answered with a redirect (307), which is not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, dbtest.SQLite(t), server)
			h.wire.meddle(func(out http.ResponseWriter, r *http.Request) bool { return isManifest(r) && c.meddles(out, r) })
			e := h.buy(t)
			h.work(t)
			failed := h.delivery(t, e.ID)
			require.Equal(t, delivery.Failed, failed.State)
			require.Equal(t, 3, failed.Attempts)
			require.Contains(t, failed.Error, c.want)
			file, manifest := h.paths(e)
			require.ElementsMatch(t, []string{file, manifest + ".jws", probe(e)}, server.Keys(t, h.bucket), "no manifest says that everything is there")
			events := h.events(t)
			require.Len(t, events, 2, "one for the first failure, one for the last")
			for _, e := range events {
				require.Equal(t, "export.delivery_failed", e["type"])
				documented(t, e)
				require.Contains(t, e["error"], c.want)
			}
			require.NotNil(t, events[0]["next_attempt_at"])
			require.Nil(t, events[1]["next_attempt_at"])

			h.wire.meddle(nil)
			_, err := h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
			require.NoError(t, err)
			h.work(t)
			h.arrived(t, e)
			require.Equal(t, delivery.Delivered, h.delivery(t, e.ID).State)
			require.EqualValues(t, 90, h.balance(t))
			findings, err := h.Exports.Audit(t.Context())
			require.NoError(t, err)
			require.Empty(t, findings)
		})
	}
}

// Each step on the database that completing and delivering take fails once, as if the process died there, and once it dies between the
// file and the manifest. Afterwards another process goes on.
func TestADeliveryIsCompleteWhateverStepFails(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, crash := open(t, d, server), errors.New("crash")
		for step, more := 0, true; more; step++ { // step 0 is between file and manifest
			e := h.buy(t)
			file, manifest := h.paths(e)
			var taken, dead atomic.Int64
			dying := d.Guarded(func(db.GuardPoint) error {
				if n := taken.Add(1); dead.Load() > 0 || step > 0 && n >= int64(step) {
					dead.Store(1)
					return crash
				}
				return nil
			})
			h.wire.meddle(func(out http.ResponseWriter, r *http.Request) bool {
				if step == 0 && isManifest(r) {
					dead.Store(1)
				}
				return dead.Load() > 0 && cut(out, r)
			})
			p := parts(dying)
			p.Blobs, p.Jobs.Poll = h.Blobs, time.Hour
			mortal := testkit.New(t, p)
			ended := make(chan struct{})
			dying2, cancel := context.WithCancel(t.Context())
			go func() {
				defer close(ended)
				r := job.NewRunner(mortal.Jobs, handlers(mortal.Services))
				_ = r.Start(dying2)
				for dead.Load() == 0 && dying2.Err() == nil {
					if all, err := h.Deliveries.Of(t.Context(), e.ID); err == nil && all[e.ID].State == delivery.Delivered {
						break
					}
					time.Sleep(time.Millisecond) // there is no signal: the process may die anywhere
				}
				cancel()
				_ = r.Stop(dying2)
			}()
			<-ended
			more = dead.Load() > 0
			if step == 0 {
				require.True(t, server.Exists(t, h.bucket, file))
				require.False(t, server.Exists(t, h.bucket, manifest))
			}
			h.wire.meddle(nil)
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { // the lease of the dead process runs out
				_, err := tx.ExecContext(t.Context(), `UPDATE job SET lease_until = 0 WHERE state = 'running'`)
				return err
			}))
			h.work(t)
			h.arrived(t, e)
			for i, r := range h.wire.requests() {
				if strings.HasSuffix(r, manifest) {
					require.Positive(t, i, "step %d: a manifest comes after its file", step)
				}
			}
			require.Equal(t, delivery.Delivered, h.delivery(t, e.ID).State, "step %d", step)
			delivered := 0
			for _, about := range h.events(t) {
				if about["type"] == "export.delivered" && about["export_id"] == e.ID.String() {
					delivered++
				}
			}
			require.Equal(t, 1, delivered, "step %d", step)
			require.EqualValues(t, 90, h.balance(t), "step %d", step)
			require.Less(t, step, 200)
			if !more {
				require.Greater(t, step, 15, "completing and delivering take more steps")
			}
		}
	})
}

func TestADestinationOfAnotherWorkspaceIsRefusedAndNothingIsCharged(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, server)
		w, err := h.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Other", Credits: 100})
		require.NoError(t, err)
		stranger := auth.Caller{Workspace: w.ID, Token: id.New[id.Token]()}
		for _, quote := range []bool{true, false} {
			r := export.Request{Name: "x", Destination: h.to.ID}
			if quote {
				_, err = h.Exports.Quote(t.Context(), stranger, r)
			} else {
				_, _, err = h.Exports.Create(t.Context(), stranger, r)
			}
			require.Equal(t, fault.Validation, fault.CodeOf(err))
			require.Equal(t, []fault.FieldError{{Field: "destination_id", Message: "is not a destination of this workspace"}}, fault.Fields(err))
		}
		balance, err := h.Credits.Balance(t.Context(), w.ID)
		require.NoError(t, err)
		require.EqualValues(t, 100, balance)

		e := h.buy(t)
		_, err = h.Deliveries.Again(t.Context(), w.ID, e.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		_, err = h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
		require.Equal(t, fault.ExportNotCompleted, fault.CodeOf(err))
	})
}

func TestWhatCannotBeDeliveredSaysSo(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, server)
		cancelled := h.buy(t)
		_, err := h.Exports.Cancel(t.Context(), h.caller, cancelled.ID)
		require.NoError(t, err)
		got := h.delivery(t, cancelled.ID)
		require.Equal(t, delivery.Failed, got.State)
		require.Contains(t, got.Error, "not completed (cancelled)")

		late := h.buy(t)
		require.NoError(t, h.Destinations.Delete(t.Context(), h.caller.Workspace, h.to.ID))
		h.work(t)
		got = h.delivery(t, late.ID)
		require.Equal(t, delivery.Failed, got.State)
		require.Equal(t, "The destination was deleted.", got.Error)
		require.Equal(t, 1, got.Attempts, "another attempt would not find it")
		_, err = h.Deliveries.Again(t.Context(), h.caller.Workspace, late.ID)
		require.Equal(t, fault.ExportNotDeliverable, fault.CodeOf(err))
		require.ErrorContains(t, err, "was deleted")
		links, err := h.Exports.Download(t.Context(), h.caller, late.ID)
		require.NoError(t, err)
		require.NotEmpty(t, links.File)

		h.to.ID = id.Destination{}
		plain := h.buy(t)
		h.work(t)
		all, err := h.Deliveries.Of(t.Context(), plain.ID)
		require.NoError(t, err)
		require.Empty(t, all)
		_, err = h.Deliveries.Again(t.Context(), h.caller.Workspace, plain.ID)
		require.ErrorContains(t, err, "has no destination")
	})
}

// Many ask for another delivery at once, while one is in progress.
func TestAnExportIsDeliveredByOneJobAtATime(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, server)
		e := h.buy(t)
		h.work(t)
		var now, most atomic.Int64
		h.wire.meddle(func(http.ResponseWriter, *http.Request) bool {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(2 * time.Millisecond) // a slow server, so that two would meet
			now.Add(-1)
			return false
		})
		r := job.NewRunner(h.Jobs, handlers(h.Services))
		r.SetWorkers(4)
		require.NoError(t, r.Start(t.Context()))
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 5 {
					_, err := h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
					if err != nil && fault.CodeOf(err) != fault.ExportNotDeliverable {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		require.NoError(t, r.Stop(t.Context()))
		h.work(t)
		require.EqualValues(t, 1, most.Load())
		require.Equal(t, delivery.Delivered, h.delivery(t, e.ID).State)
		h.arrived(t, e)
	})
}
