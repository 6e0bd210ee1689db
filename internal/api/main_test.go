package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/workspace"
)

const base = "/api/v1"

// house is the API on real rooms: a fresh database, an index, files in a temporary folder.
type house struct {
	db      *db.DB
	tokens  *token.Store
	spaces  *workspace.Store
	credits *credit.Store
	catalog *catalog.Store
	index   index.Index
	jobs    *job.Queue
	exports *export.Exports
	http.Handler

	seq    uint64
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
	log       io.Writer
	db        *db.DB // defaults to a fresh SQLite
}

func open(t testing.TB, o settings) *house {
	t.Helper()
	d := o.db
	if d == nil {
		d = dbtest.SQLite(t)
	}
	h := &house{
		db: d, tokens: token.New(d, token.Options{}), spaces: workspace.New(d), credits: credit.New(d),
		catalog: catalog.New(d), index: embedded.Open(embedded.Options{}), jobs: job.New(d, job.Options{Alone: d.Name() == "sqlite"}),
	}
	t.Cleanup(func() { require.NoError(t, h.index.Close()) })
	unlocks, lists := unlock.New(d, unlock.Options{}), list.New(d)
	files, err := file.Open(file.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	require.NoError(t, err)
	h.exports = export.New(export.Deps{
		DB: d, Catalog: h.catalog, Index: h.index, Lists: lists, Unlock: unlocks, Credit: h.credits, Jobs: h.jobs, Blobs: files,
	})
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
		o.mounts = map[string]http.Handler{file.Path: files.Handler(httpx.ErrorWriter(log))}
	}
	h.Handler, err = api.New(api.Deps{
		Auth: h.tokens, Credits: h.credits, Lists: lists, Exports: h.exports, Idempotency: idempotency.New(d, idempotency.Options{}),
		Search:     search.New(search.Deps{Index: h.index, Catalog: h.catalog, Unlock: unlocks}),
		RateLimits: limits, PublicURL: o.publicURL, BodyTimeout: o.body, Mounts: o.mounts, Log: log,
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
	for len(companies) > 0 {
		n := min(len(companies), 2000)
		batch := make([]catalog.Incoming, n)
		for i, c := range companies[:n] {
			batch[i] = catalog.Prepare(c)
		}
		_, err := h.catalog.Put(t.Context(), nil, batch)
		require.NoError(t, err)
		companies = companies[n:]
	}
	h.follow(t)
}

// follow applies to the index what the catalog has over it.
func (h *house) follow(t testing.TB) {
	t.Helper()
	for more := true; more; {
		found, upTo, further, err := h.catalog.Changes(t.Context(), h.seq, 5000)
		require.NoError(t, err)
		changes := make([]index.Change, len(found))
		for i, c := range found {
			changes[i] = index.Change{Number: c.Number, Company: c.Company}
		}
		require.NoError(t, h.index.Apply(t.Context(), changes, upTo))
		h.seq, more = upTo, further
	}
}

// work runs jobs until the test ends.
func (h *house) work(t testing.TB) {
	t.Helper()
	r := job.NewRunner(h.jobs, h.exports.Handlers())
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(t.Context())) })
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

// send makes a request below the base path and holds the answer against the OpenAPI document. A string body is sent as
// it is, nil is none, all else as JSON.
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
