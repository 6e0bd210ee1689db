package reconcile_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/reconcile"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/token"
)

// house is the service as the program serves it: behind the API's router, log and metrics.
type house struct {
	*testkit.Fixture
	http.Handler
	log     bytes.Buffer
	metrics *prometheus.Registry
	ws      id.Workspace
	url     string // the address with a token in it, as a path
	secret  string // of that token
	token   token.Token
	reader  string // a token with the scope read
}

func open(t testing.TB, limits string, d *db.DB) *house {
	t.Helper()
	h := &house{Fixture: testkit.New(t, services.Parts{DB: d}), metrics: prometheus.NewRegistry()}
	log := slog.New(slog.NewJSONHandler(&h.log, nil))
	overrides, err := ratelimit.Parse(limits)
	require.NoError(t, err)
	limiter := ratelimit.New()
	service := reconcile.New(reconcile.Deps{
		Auth: h.Tokens, Search: h.Search, Requests: h.Requests, Limiter: limiter, RateLimits: overrides, PublicURL: "https://capi.example.com",
		CompanyPath: func(ws id.Workspace, company string) string {
			return "/console/w/" + ws.String() + "/companies/" + company
		},
		DocsPath: "/docs/openrefine", Log: log,
	})
	h.Handler, err = api.New(api.Deps{
		Auth: h.Tokens, Credits: h.Credits, Lists: h.Lists, Exports: h.Exports, Idempotency: h.Idempotency, Audit: h.Audit, Requests: h.Requests,
		Search: h.Search, Limiter: limiter, RateLimits: overrides, MountLimits: reconcile.Limits(), Log: log, Traffic: middleware.NewTraffic(h.metrics),
		Mounts: map[string]http.Handler{reconcile.Path: service, reconcile.Path + "/": service},
	})
	require.NoError(t, err)
	require.NoError(t, h.DB.Tx(t.Context(), func(tx *db.Tx) error {
		w, err := h.Workspaces.Create(t.Context(), tx, "Acme")
		h.ws = w.ID
		if err == nil {
			err = h.Credits.Open(t.Context(), tx, w.ID)
		}
		return err
	}))
	h.secret, h.token = h.newToken(t, auth.Reconcile)
	h.url = reconcile.Path + "/" + h.secret
	h.reader, _ = h.newToken(t, auth.Read)
	return h
}

func (h *house) newToken(t testing.TB, scope auth.Scope) (string, token.Token) {
	t.Helper()
	secret, made, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.ws, Name: "OpenRefine", Scope: scope})
	require.NoError(t, err)
	return secret, made
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) raw(t testing.TB, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (h *house) get(t testing.TB, address string) answer {
	t.Helper()
	return h.raw(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
}

// post sends a form, as OpenRefine does.
func (h *house) post(t testing.TB, address string, form url.Values) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.raw(t, r)
}

// ask sends a value as JSON in a parameter of a form.
func (h *house) ask(t testing.TB, param string, v any) answer {
	t.Helper()
	p, err := json.Marshal(v)
	require.NoError(t, err)
	return h.post(t, h.url, url.Values{param: {string(p)}})
}

func into[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

type failure struct {
	Code    string
	Message string
	Details map[string]any
}

func (a answer) failure(t testing.TB) failure {
	t.Helper()
	var body struct{ Detail failure }
	require.NoError(t, json.Unmarshal([]byte(a.body), &body), a.body)
	require.NotEmpty(t, body.Detail.Code, a.body)
	return body.Detail
}

type found struct {
	ID, Name, Description string
	Score                 float64
	Match                 bool
	Type                  []struct{ ID, Name string }
	Features              []struct {
		ID    string
		Value any
	}
	Locked []string `json:"locked_fields"`
}

// features returns the features of a candidate by name.
func (f found) features() map[string]any {
	all := map[string]any{}
	for _, x := range f.Features {
		all[x.ID] = x.Value
	}
	return all
}

// reconcile sends a batch that must be answered, and returns the candidates by key.
func (h *house) reconcile(t testing.TB, batch M) map[string][]found {
	t.Helper()
	all := map[string][]found{}
	for key, r := range into[map[string]struct {
		Result []found
		Error  any
	}](t, h.ask(t, "queries", batch)) {
		require.Nil(t, r.Error, key)
		all[key] = r.Result
	}
	return all
}

// M is a JSON object.
type M = map[string]any

// made returns a company.
func made(name, domain, country, city string, employees int64) *company.Company {
	return &company.Company{
		ID: id.New[id.Company](), Name: name, Domain: domain, Country: country, City: city, EmployeeCount: &employees,
	}
}
