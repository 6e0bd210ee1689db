package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

const base = "/api/v1"

// house is the API on real rooms: a fresh database, an index, files in a temporary folder.
type house struct {
	*testkit.Fixture
	db      *db.DB
	tokens  *token.Store
	spaces  *workspace.Store
	credits *credit.Store
	catalog *catalog.Store
	index   index.Index
	jobs    *job.Queue
	exports *export.Exports
	http.Handler

	ws     id.Workspace
	writer string // a token with the scope read_write of ws
	reader string // one with the scope read
}

// settings are what a test may want to differ.
type settings struct {
	limits    string // defaults to off
	publicURL string
	body      time.Duration // how long a body may take
	mounts    map[string]http.Handler
	stopping  <-chan struct{}
	log       io.Writer
	db        *db.DB // defaults to a fresh SQLite
}

func open(t testing.TB, o settings) *house {
	t.Helper()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	f := testkit.New(t, services.Parts{DB: o.db, Webhooks: webhook.Options{Allow: loopback}, Destinations: destination.Options{Allow: loopback}, Jobs: job.Options{Alone: o.db == nil || o.db.Name() == "sqlite"}})
	h := &house{
		Fixture: f, db: f.DB, tokens: f.Tokens, spaces: f.Workspaces, credits: f.Credits, catalog: f.Catalog, index: f.Index,
		jobs: f.Jobs, exports: f.Exports,
	}
	if o.publicURL == "" {
		o.publicURL = "https://capi.example.com"
	}
	if o.limits == "" {
		o.limits = "off"
	}
	limits, err := ratelimit.Parse(o.limits)
	require.NoError(t, err)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	if o.log != nil {
		log = slog.New(slog.NewJSONHandler(o.log, nil))
	}
	if o.mounts == nil {
		o.mounts = map[string]http.Handler{file.Path: f.Blobs.(blob.Server).Handler(httpx.ErrorWriter(log, nil))}
	}
	h.Handler, err = api.New(api.Deps{
		Auth: h.tokens, Credits: h.credits, Lists: f.Lists, Exports: h.exports, Idempotency: f.Idempotency, Audit: f.Audit, Events: f.Events, Webhooks: f.Webhooks, Destinations: f.Destinations, Deliveries: f.Deliveries, Orders: f.Orders, Presets: f.Presets, Requests: f.Requests,
		Search: f.Search, Signing: f.Signing,
		RateLimits: limits, PublicURL: o.publicURL, BodyTimeout: o.body, Mounts: o.mounts, Stopping: o.stopping, Log: log,
	})
	require.NoError(t, err)
	h.ws = h.workspace(t, 1000)
	h.writer, h.reader = h.token(t, h.ws, auth.ReadWrite), h.token(t, h.ws, auth.Read)
	return h
}

// stocked is a house with n made-up companies.
func stocked(t testing.TB, n int, o settings) *house {
	t.Helper()
	h := open(t, o)
	h.put(t, companytest.Slice(1, n)...)
	return h
}

func (h *house) workspace(t testing.TB, credits int64) id.Workspace {
	t.Helper()
	var ws workspace.Workspace
	err := h.db.Tx(t.Context(), func(tx *db.Tx) (err error) {
		if ws, err = h.spaces.Create(t.Context(), tx, "A workspace"); err != nil {
			return err
		}
		if err := h.credits.Open(t.Context(), tx, ws.ID); err != nil || credits == 0 {
			return err
		}
		_, err = h.credits.Grant(t.Context(), tx, ws.ID, credit.Grant{
			Amount: credits, Reason: credit.ReasonGrant, Actor: credit.ActorSystem,
		})
		return err
	})
	require.NoError(t, err)
	return ws.ID
}

func (h *house) token(t testing.TB, ws id.Workspace, scope auth.Scope) string {
	t.Helper()
	secret, _, err := h.tokens.Create(t.Context(), token.NewToken{Workspace: ws, Name: "a token", Scope: scope})
	require.NoError(t, err)
	return secret
}

// put brings companies into the catalog and the index.
func (h *house) put(t testing.TB, companies ...*company.Company) {
	t.Helper()
	h.Put(t, companies...)
}

// follow applies to the index what the catalog has over it.
func (h *house) follow(t testing.TB) {
	t.Helper()
	h.Follow(t)
}

// work runs jobs until the test ends.
func (h *house) work(t testing.TB) {
	t.Helper()
	h.Work(t)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), "%s", a.body)
}

// code is the code of an error's body.
func (a answer) code(t testing.TB) string {
	t.Helper()
	return a.failure(t).Code
}

type failure struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

func (a answer) failure(t testing.TB) failure {
	t.Helper()
	var body struct{ Detail failure }
	a.into(t, &body)
	require.NotEmpty(t, body.Detail.Code, "%s", a.body)
	require.NotEmpty(t, body.Detail.Message)
	require.NotNil(t, body.Detail.Details)
	return body.Detail
}

// fields are the fields of a VALIDATION_ERROR with their messages.
func (a answer) fields(t testing.TB) map[string]string {
	t.Helper()
	f := a.failure(t)
	require.Equal(t, "VALIDATION_ERROR", f.Code, "%s", a.body)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	told := map[string]string{}
	for _, e := range f.Details["errors"].([]any) {
		e := e.(map[string]any)
		told[e["field"].(string)] = e["message"].(string)
	}
	return told
}

// send sends a request to a path below the base path and checks the answer against the OpenAPI document. A string body is sent
// unchanged, nil sends no body, and anything else is sent as JSON.
func (h *house) send(t testing.TB, token, method, path string, body any) answer {
	t.Helper()
	return h.raw(t, h.request(t, token, method, base+path, body))
}

func (h *house) request(t testing.TB, token, method, path string, body any) *http.Request {
	t.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		sent = strings.NewReader(b)
	default:
		p, err := json.Marshal(b)
		require.NoError(t, err)
		sent = bytes.NewReader(p)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, sent)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (h *house) raw(t testing.TB, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{w.Code, w.Header(), w.Body.Bytes()}
	conform(t, r, a)
	return a
}

// get sends, expects the status, and reads the body into a T.
func get[T any](t testing.TB, h *house, token string, status int, method, path string, body any) T {
	t.Helper()
	a := h.send(t, token, method, path, body)
	require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
	var v T
	a.into(t, &v)
	return v
}

// M is a JSON object.
type M = map[string]any
