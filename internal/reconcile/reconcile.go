// Package reconcile serves the W3C Reconciliation Service API, version 0.2, by which OpenRefine and other programs match their rows with
// companies. It translates and decides nothing: the package search finds the companies and leaves out what is locked.
//
// OpenRefine sends no headers, so the token may be in the address. Only a token with the scope reconcile may.
package reconcile

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/token"
)

// Path is the address of the service, with a token in a header. With the token in the address, it follows.
const Path = "/reconcile"

// Deps are what the service needs.
type Deps struct {
	Auth     *token.Store
	Search   *search.Searcher
	Requests *requestlog.Store // keeps the requests of tokens
	Limiter  *ratelimit.Limiter

	// RateLimits replaces those that Limits names. The zero value keeps them.
	RateLimits ratelimit.Overrides

	// PublicURL is the start of the links in the manifest, such as https://capi.example.com. The Host header is not used, because anyone
	// who can send a request chooses it.
	PublicURL string

	// CompanyPath returns the path of a company's page for people; it must contain id as it is.
	CompanyPath func(ws id.Workspace, id string) string

	// DocsPath is the path of the guide.
	DocsPath string

	Explain httpx.Explain
	Log     *slog.Logger
}

// The rate limits, by their names in the settings.
const (
	limitOfQueries = "reconcile"
	limitOfTyping  = "reconcile.suggest"
)

// Limits returns the default rate limits of a token, by name.
func Limits() map[string]ratelimit.Limit {
	return map[string]ratelimit.Limit{limitOfQueries: ratelimit.PerMinute(120), limitOfTyping: ratelimit.PerMinute(300)}
}

// Bucket returns the key of a token's requests of a limit.
func Bucket(token id.Token, limit string) string { return token.String() + " " + limit }

type server struct {
	Deps
	fail func(http.ResponseWriter, *http.Request, error)
}

// handler answers a request of a caller.
type handler func(s *server, w http.ResponseWriter, r *http.Request, caller auth.Caller) error

// New returns the handler of everything below Path.
func New(d Deps) http.Handler {
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	s := &server{Deps: d, fail: httpx.ErrorWriter(d.Log, d.Explain)}
	mux := http.NewServeMux()
	for _, base := range []string{Path, Path + "/{token}"} {
		for _, end := range []string{"", "/{$}"} {
			mux.Handle(base+end, s.serve(base, limitOfQueries, "GET, HEAD, POST", (*server).answer))
		}
		for path, h := range map[string]handler{
			"/suggest/entity":    (*server).suggestCompanies,
			"/suggest/property":  (*server).suggestProperties,
			"/suggest/type":      (*server).suggestTypes,
			"/extend/properties": (*server).proposeProperties,
			"/preview":           (*server).preview,
		} {
			mux.Handle(base+path, s.serve(base+path, limitOfTyping, "GET, HEAD", h))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		share(w)
		s.fail(w, r, fault.New(fault.NotFound, "There is no such path. The reconciliation service is at %s/TOKEN; its manifest names the other paths.", Path))
	})
	return httpx.Compress(mux)
}

// share lets pages of other sites read the answer, which the specification requires. No browser adds a token by itself, so that gives
// away nothing. It also keeps the address, which may have a token, from other sites.
func share(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "+httpx.DailyHeaders+", "+middleware.RequestIDHeader)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
}

func (s *server) serve(route, limit, methods string, h handler) http.Handler {
	most := s.RateLimits.For(limit, Limits()[limit])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		share(w)
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", methods)
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.Header().Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := s.handle(w, r, route, limit, methods, most, h); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) handle(w http.ResponseWriter, r *http.Request, route, limit, methods string, most ratelimit.Limit, h handler) error {
	if !slices.Contains(strings.Split(methods, ", "), r.Method) {
		w.Header().Set("Allow", methods)
		return fault.New(fault.MethodNotAllowed, "%s does not support this method; use %s.", route, methods)
	}
	ctx := r.Context()
	if isPublic(r) {
		s.manifest(w, r, auth.Caller{})
		return nil
	}
	caller, err := s.authenticate(r)
	if err != nil {
		return err
	}
	note := middleware.NoteOf(ctx)
	note.Add(slog.String("workspace_id", caller.Workspace.String()))
	note.Add(slog.String("token_id", caller.Token.String()))
	s.keep(ctx, r.Method, route, caller)
	if !most.IsOff() {
		d := s.Limiter.Allow(Bucket(caller.Token, limit), most)
		httpx.SetRateLimit(w, d.Limit, d.Remaining, d.ResetAfter)
		if err := d.Err(most); err != nil {
			return err
		}
	}
	return h(s, w, r, caller)
}

// isPublic reports whether the request asks for the manifest of a service that it has yet to authenticate at, which the specification
// lets everybody read.
func isPublic(r *http.Request) bool {
	return strings.TrimSuffix(r.URL.Path, "/") == Path && r.Method != http.MethodPost && r.URL.RawQuery == "" && r.Header.Get("Authorization") == ""
}

// authenticate accepts a token in the address, else one in a header, which may read.
func (s *server) authenticate(r *http.Request) (auth.Caller, error) {
	if secret := r.PathValue("token"); secret != "" {
		return s.Auth.AuthenticateAddress(r.Context(), secret)
	}
	given, err := httpx.Authorization(r)
	if err != nil {
		return auth.Caller{}, err
	}
	caller, err := s.Auth.Authenticate(r.Context(), given)
	if err != nil {
		return auth.Caller{}, err
	}
	return caller, caller.Require(auth.Read)
}

// keep logs the request of the token once it is answered. The route has no token.
func (s *server) keep(ctx context.Context, method, route string, caller auth.Caller) {
	began := time.Now()
	middleware.NoteOf(ctx).OnEnd(func(status int, took time.Duration) {
		s.Requests.Add(requestlog.Request{
			ID: middleware.RequestIDOf(ctx), Token: caller.Token, At: began, Method: method, Route: route, Status: status, Took: took,
		})
	})
}

// tellDaily reports in headers how many more companies the caller may be shown today, if there is a limit.
func (s *server) tellDaily(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	today, err := s.Search.Wall.Today(r.Context(), caller)
	if err == nil && today != nil {
		httpx.SetDaily(w, today.Limit, today.Left(), time.Until(today.ResetsAt))
	}
	return err
}

// invalid returns a Validation fault about one part of a request.
func invalid(field, message string) error {
	return fault.Invalid(fault.FieldError{Field: field, Message: message})
}
