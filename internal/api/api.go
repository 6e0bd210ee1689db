// Package api is the HTTP API, version 1: routes, bodies, the error body, the OpenAPI document.
// It translates and decides nothing; what may be done, and what it costs, is decided in the rooms below.
package api

//go:generate go test -run ^TestOpenAPIIsTheCommittedDocument$ -update .

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/token"
)

// Deps is what the API speaks to, and its settings.
type Deps struct {
	Auth        *token.Store
	Credits     *credit.Store
	Lists       *list.Store
	Search      *search.Searcher
	Exports     *export.Exports
	Idempotency *idempotency.Store

	// RateLimits replaces built-in limits. The zero Overrides change nothing.
	RateLimits ratelimit.Overrides

	// PublicURL starts the links of answers, as https://capi.example.com. Defaults to what the request was sent to.
	PublicURL string

	// BodyTimeout is how long a request's body may take to arrive. Defaults to 30s.
	BodyTimeout time.Duration

	// Mounts are handlers beside the API, by their pattern in http.ServeMux, such as GET /files/.
	Mounts map[string]http.Handler

	// Traffic counts the requests. Defaults to nobody.
	Traffic *middleware.Traffic

	// Log gets a line a request, and what failed inside. Defaults to slog.DiscardHandler.
	Log *slog.Logger
}

type server struct {
	Deps
	limiter *ratelimit.Limiter
	fail    func(http.ResponseWriter, *http.Request, error)
}

// New makes the handler of the whole API, /openapi.json, /healthz and the mounts, with request ids, the access log,
// compression, and the error body for whatever goes wrong. An override of a rate limit that is not known is an error.
func New(d Deps) (http.Handler, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkLimits(d.RateLimits); err != nil {
		return nil, err
	}
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	s := &server{Deps: d, limiter: ratelimit.New(), fail: httpx.ErrorWriter(d.Log)}
	through := []middleware.Middleware{middleware.RequestID, middleware.AccessLog(d.Log)}
	if d.Traffic != nil {
		through = append(through, d.Traffic.Watch)
	}
	return middleware.Chain(s.handler(), append(through, middleware.Recover(d.Log, s.fail))...), nil
}

func (s *server) handler() http.Handler {
	doc := newDocument()
	mux := http.NewServeMux()
	for _, rt := range routes() {
		b := doc.add(rt)
		b.bodyTimeout = cmp.Or(s.BodyTimeout, b.bodyTimeout)
		mux.Handle(rt.method+" "+basePath+rt.path, httpx.Compress(s.serve(rt, b)))
	}
	mux.Handle("GET /openapi.json", httpx.Compress(serveDocument(doc.finish())))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		httpx.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	for pattern, h := range s.Mounts {
		mux.Handle(pattern, h)
	}
	return s.router(mux)
}
