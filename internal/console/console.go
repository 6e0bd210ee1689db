// Package console is the web console for people: server-rendered pages with embedded assets and nothing from another host.
// It translates between HTTP and the packages below, which decide what is allowed and what it costs. The pages themselves
// are in package view.
package console

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/opencapi/capi/internal/httpx"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/upload"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

// RateLimit is what a token may still request of an operation.
type RateLimit = view.RateLimit

// basePath is the path under which the console is served.
const basePath = view.BasePath

// Deps are the stores and use cases that the console calls, and its settings.
type Deps struct {
	People      *account.People
	Sessions    *account.Sessions
	TwoFactor   *account.TwoFactor
	Tokens      *token.Store
	Workspaces  *workspace.Store
	Memberships *membership.Memberships
	Credits     *credit.Store
	Lists       *list.Store
	Search      *search.Searcher
	Exports     *export.Exports
	Orders      *order.Orders
	Idempotency *idempotency.Store
	Audit       *auditlog.Store
	Wall        *wall.Store
	Notifier    *notify.Notifier
	Presets     *preset.Store
	System      SystemStatus // what operators see of the installation
	Requests    *requestlog.Store
	Webhooks    *webhook.Webhooks

	Destinations *destination.Destinations
	Deliveries   *delivery.Deliveries

	// RateLimits returns what a token may still request of this server. Defaults to nothing.
	RateLimits func(token.Token) []RateLimit
	Uploads    *upload.Uploads

	// OIDC also lets people sign in with an OpenID provider. Defaults to none.
	OIDC OIDC

	// TrustedProxies are the proxies whose X-Forwarded-For header names the client. Defaults to none.
	TrustedProxies []netip.Prefix

	// PublicURL is the address of the server, as https://capi.example.com. With https the cookie is sent over TLS alone.
	// The Host header is never used instead, because anyone who can send a request chooses it.
	PublicURL string

	// Stopping is closed when the server begins to stop, which ends open event streams. If nil, they end with their request.
	Stopping <-chan struct{}

	// SessionMax is how long a session lasts. Defaults to 14 days.
	SessionMax time.Duration

	// Explain returns the fault behind an unexpected error, such as a database that cannot be reached. Defaults to none.
	Explain httpx.Explain

	// Limiter counts failed sign-ins and other attempts. Defaults to a new one.
	Limiter *ratelimit.Limiter

	// Log receives internal errors. Defaults to slog.DiscardHandler.
	Log *slog.Logger
}

type server struct {
	Deps
	sessions *scs.SessionManager
	passkeys *account.Passkeys

	examination examination
	provider    *provider // nil if none is configured
}

// New returns the handler for everything below /console. The caller adds request IDs and the access log.
func New(d Deps) (http.Handler, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	d.SessionMax = cmp.Or(d.SessionMax, 14*24*time.Hour)
	if d.Limiter == nil {
		d.Limiter = ratelimit.New()
	}
	s := &server{Deps: d}
	s.passkeys = account.NewPasskeys(d.TwoFactor, account.PasskeyOptions{PublicURL: d.PublicURL, Issuer: d.OIDC.Issuer})
	s.sessions = s.sessionManager()
	if d.OIDC.Issuer != "" {
		d.OIDC.Name = cmp.Or(d.OIDC.Name, "single sign-on")
		s.provider = &provider{OIDC: d.OIDC}
	}
	return s.handler()
}

func (s *server) handler() (http.Handler, error) {
	origins := http.NewCrossOriginProtection()
	if s.PublicURL != "" {
		if err := origins.AddTrustedOrigin(originOf(s.PublicURL)); err != nil {
			return nil, err
		}
	}
	origins.SetDenyHandler(s.handle(crossSite))
	mux := http.NewServeMux()
	for _, rt := range routes() {
		mux.Handle(rt.method+" "+basePath+rt.path, s.serve(rt))
	}
	mux.Handle("GET "+basePath+view.AssetsPath+"{name}", s.handle((*server).asset))
	pages := middleware.Chain(s.router(mux), secure, middleware.Recover(s.Log, s.fail), origins.Handler, s.loadSession, s.loadViewer)
	return httpx.Compress(pages, httpx.EventStreamType), nil
}
