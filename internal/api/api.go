// Package api is version 1 of the HTTP API: its routes, bodies and OpenAPI document.
// It translates and decides nothing: what is allowed and what it costs is decided by the packages that it calls.
package api

//go:generate go test -run ^TestOpenAPIIsTheCommittedDocument$ -update .

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/signing"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/webhook"
)

// Deps are the dependencies of the API and its settings.
type Deps struct {
	Auth        *token.Store
	Credits     *credit.Store
	Lists       *list.Store
	Search      *search.Searcher
	Exports     *export.Exports
	Idempotency *idempotency.Store
	Audit       *auditlog.Store
	Events      *event.Log
	Webhooks    *webhook.Webhooks
	Orders      *order.Orders

	Presets      *preset.Store
	Destinations *destination.Destinations
	Deliveries   *delivery.Deliveries

	// Signing signs receipts and statements, and publishes the keys. If nil, nothing is signed.
	Signing *signing.Store

	// Requests keeps the requests of tokens. If nil, they are not kept.
	Requests *requestlog.Store

	// Limiter counts the requests for the rate limits. Defaults to a new one.
	Limiter *ratelimit.Limiter

	// RateLimits replaces built-in limits. The zero value keeps all of them.
	RateLimits ratelimit.Overrides

	// MountLimits are the rate limits of the mounts by name, which RateLimits may replace, too.
	MountLimits map[string]ratelimit.Limit

	// PublicURL is the start of links in responses, such as https://capi.example.com. Without it, links are paths.
	PublicURL string

	// BodyTimeout bounds how long a request's body may take to arrive. Defaults to 30s.
	BodyTimeout time.Duration

	// Stopping is closed when the server begins to stop, which ends open event streams. If nil, they end with their request.
	Stopping <-chan struct{}

	// Mounts are further handlers by their http.ServeMux pattern, such as GET /files/.
	Mounts map[string]http.Handler

	// Traffic counts the requests. If nil, they are not counted.
	Traffic *middleware.Traffic

	// Explain returns the fault behind an unexpected error, such as a database that cannot be reached. Defaults to none.
	Explain httpx.Explain

	// Log gets one line a request and every internal error. Defaults to slog.DiscardHandler.
	Log *slog.Logger
}

type server struct {
	Deps
	fail func(http.ResponseWriter, *http.Request, error)
}

// New returns the handler of the API, /openapi.json, /healthz and the mounts, with request ids, an access log, compression
// and one error body for all failures. It returns an error if RateLimits names an unknown limit.
func New(d Deps) (http.Handler, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkLimits(d.RateLimits, d.MountLimits); err != nil {
		return nil, err
	}
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	if d.Limiter == nil {
		d.Limiter = ratelimit.New()
	}
	s := &server{Deps: d, fail: httpx.ErrorWriter(d.Log, d.Explain)}
	through := []middleware.Middleware{middleware.RequestID, middleware.AccessLog(d.Log), middleware.Trace}
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
		b.bodyTimeout, b.bodyBytesMax = cmp.Or(s.BodyTimeout, b.bodyTimeout), cmp.Or(rt.bodyBytesMax, b.bodyBytesMax)
		h := s.serve(rt, b)
		if !isStream(rt.out) { // compression would hold events back
			h = httpx.Compress(h)
		}
		mux.Handle(rt.method+" "+basePath+rt.path, h)
	}
	mux.Handle("GET /openapi.json", httpx.Compress(serveDocument(doc.finish())))
	mux.HandleFunc("GET /healthz", httpx.Healthy)
	if s.Signing.Enabled() {
		mux.HandleFunc("GET "+KeysPath, s.serveKeys)
	}
	for pattern, h := range s.Mounts {
		mux.Handle(pattern, h)
	}
	return s.router(mux)
}
