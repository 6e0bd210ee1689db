package reconcile_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/reconcile"
	"github.com/opencapi/capi/internal/token"
)

// paths are the addresses of the service below the one with a token, with parameters that are answered.
func paths() []string {
	return []string{
		"", "/", "?queries=" + url.QueryEscape(`{"q":{"query":"acme"}}`),
		"?extend=" + url.QueryEscape(`{"ids":["`+id.New[id.Company]().String()+`"],"properties":[{"id":"domain"}]}`),
		"/suggest/entity?prefix=a", "/suggest/property?prefix=a", "/suggest/type?prefix=a", "/extend/properties?type=company",
		"/preview?id=" + id.New[id.Company]().String(),
	}
}

// withHeader returns a GET request with a token in its header.
func withHeader(t *testing.T, path, secret string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	return r
}

func TestOnlyATokenForReconcilingMayBeInTheAddress(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	writer, _ := h.newToken(t, auth.ReadWrite)
	revoked, made := h.newToken(t, auth.Reconcile)
	require.NoError(t, h.Tokens.Revoke(t.Context(), made.ID))
	past := time.Now().Add(-time.Minute)
	expired, _, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.ws, Name: "x", Scope: auth.Reconcile, ExpiresAt: &past})
	require.NoError(t, err)
	for _, path := range paths() {
		a := h.get(t, h.url+path)
		if !strings.HasPrefix(path, "/preview") {
			require.Equal(t, http.StatusOK, a.status, "%s: %s", path, a.body)
		}
		for secret, code := range map[string]string{
			h.reader: "INSUFFICIENT_SCOPE", writer: "INSUFFICIENT_SCOPE", revoked: "INVALID_TOKEN", expired: "TOKEN_EXPIRED",
			"cornect_nonsense": "INVALID_TOKEN", h.secret[:40]: "INVALID_TOKEN",
		} {
			refused := h.get(t, reconcile.Path+"/"+secret+path)
			require.Equal(t, code, refused.failure(t).Code, path)
			require.Equal(t, code == "INSUFFICIENT_SCOPE", refused.status == http.StatusForbidden)
			require.Equal(t, "*", refused.header.Get("Access-Control-Allow-Origin"))
		}
		a = h.raw(t, withHeader(t, reconcile.Path+path, h.reader))
		require.NotEqual(t, http.StatusUnauthorized, a.status, "%s: %s", path, a.body)
		require.NotEqual(t, http.StatusForbidden, a.status, path)
	}
	message := h.get(t, reconcile.Path+"/"+h.reader).failure(t).Message
	require.Contains(t, message, "capi token create --scope reconcile")
	require.Contains(t, message, "new secret", "it has leaked")
	require.Equal(t, "MISSING_AUTH_HEADER", h.get(t, reconcile.Path+"/suggest/entity?prefix=a").failure(t).Code)
	require.Equal(t, "MISSING_AUTH_HEADER", h.post(t, reconcile.Path, url.Values{"queries": {`{}`}}).failure(t).Code)
}

func TestATokenForReconcilingWorksNowhereElse(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	tried := 0
	for template, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			path := "/api/v1" + template
			for _, p := range op.Parameters {
				if p.Value.In == "path" {
					path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", id.New[id.Company]().String())
				}
			}
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
			r.Header.Set("Authorization", "Bearer "+h.secret)
			r.Header.Set("Content-Type", "application/json")
			a := h.raw(t, r)
			require.Equal(t, http.StatusForbidden, a.status, "%s %s: %s", method, path, a.body)
			require.Equal(t, "INSUFFICIENT_SCOPE", a.failure(t).Code)
			require.Contains(t, a.failure(t).Message, "only in the address of /reconcile")
			tried++
		}
	}
	require.Greater(t, tried, 20)
	for _, path := range paths() {
		a := h.raw(t, withHeader(t, reconcile.Path+path, h.secret))
		require.Equal(t, "INSUFFICIENT_SCOPE", a.failure(t).Code, "not even %s by a header", path)
	}
}

func TestTheTokenInTheAddressIsWrittenNowhere(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	mistyped := h.secret[3:]
	for _, path := range append(paths(), "/nowhere", "//suggest/entity", "/suggest/entity") {
		for _, secret := range []string{h.secret, mistyped, h.reader, h.secret + "x", strings.ReplaceAll(h.secret, "_", "%5F")} {
			for _, start := range []string{reconcile.Path, reconcile.Path + "/", "/api/v1/reconcile"} {
				a := h.get(t, start+"/"+secret+path)
				if start == reconcile.Path && path != "//suggest/entity" {
					require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"), path)
					require.Contains(t, a.header.Get("Cache-Control"), "no-store", path)
				}
			}
		}
		h.post(t, h.url+path, url.Values{"queries": {`{"q":{"query":"acme"}}`}})
	}
	require.NoError(t, h.Requests.Flush(t.Context()))
	kept, _, err := h.Requests.Recent(t.Context(), h.token.ID, id.Request{}, 500)
	require.NoError(t, err)
	require.NotEmpty(t, kept)
	routes := map[string]bool{}
	for _, r := range kept {
		routes[r.Route] = true
		require.NotContains(t, r.Route, "cornect")
	}
	require.True(t, routes["/reconcile/{token}"])
	require.True(t, routes["/reconcile/{token}/suggest/entity"])

	families, err := h.metrics.Gather()
	require.NoError(t, err)
	var written strings.Builder
	for _, f := range families {
		written.WriteString(f.String())
	}
	require.Contains(t, written.String(), "/reconcile/{token}/suggest/entity")
	require.Contains(t, h.log.String(), `"path":"/reconcile/{token}/suggest/entity"`)
	written.WriteString(h.log.String())
	for _, secret := range []string{h.secret, h.reader} {
		require.False(t, strings.Contains(written.String(), secret[12:30]), "a token was written") //nolint:testifylint // NotContains prints everything
	}
}

func TestEveryAnswerMayBeReadByOtherSites(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	for _, path := range append(paths(), "/nowhere", "/suggest/entity", "?queries=nonsense") {
		require.Equal(t, "*", h.get(t, h.url+path).header.Get("Access-Control-Allow-Origin"), path)
		require.Empty(t, h.get(t, h.url+path).header.Get("Access-Control-Allow-Credentials"))
		require.Contains(t, h.get(t, h.url+path).header.Get("Access-Control-Expose-Headers"), "Retry-After")
		if path == "/nowhere" {
			continue
		}
		for _, start := range []string{h.url, reconcile.Path} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, start+path, nil)
			r.Header.Set("Origin", "https://reconciliation-api.github.io")
			r.Header.Set("Access-Control-Request-Method", "GET")
			a := h.raw(t, r)
			require.Equal(t, http.StatusNoContent, a.status, "%s: %s", path, a.body)
			require.Contains(t, a.header.Get("Access-Control-Allow-Methods"), "GET")
			require.Contains(t, a.header.Get("Access-Control-Allow-Headers"), "Authorization")
		}
	}
}

func TestTokensHaveBucketsOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := open(t, "reconcile=2/min,reconcile.suggest=1/min", nil)
	for range 2 {
		require.Equal(t, http.StatusOK, h.get(t, h.url).status)
	}
	a := h.ask(t, "queries", M{})
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "RATE_LIMITED", a.failure(t).Code)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, "2", a.header.Get("RateLimit-Limit"))
	require.Equal(t, http.StatusOK, h.get(t, h.url+"/suggest/type?prefix=").status)
	require.Equal(t, http.StatusTooManyRequests, h.get(t, h.url+"/suggest/entity?prefix=a").status)
	require.Equal(t, http.StatusOK, h.raw(t, withHeader(t, reconcile.Path, h.reader)).status, "another token has its own")
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	for path, allowed := range map[string]string{"": "GET, HEAD, POST", "/suggest/entity?prefix=a": "GET, HEAD"} {
		for _, method := range []string{http.MethodPut, http.MethodDelete, "get", "EAD", "T", "OST"} {
			a := h.raw(t, httptest.NewRequestWithContext(t.Context(), method, h.url+path, nil))
			require.Equal(t, http.StatusMethodNotAllowed, a.status, "%s %s", method, path)
			require.Equal(t, allowed, a.header.Get("Allow"))
		}
	}
}

func TestSeveralTokensInHeadersAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	r := withHeader(t, reconcile.Path+"/suggest/type?prefix=", h.reader)
	require.Equal(t, http.StatusOK, h.raw(t, r).status)
	r.Header.Add("Authorization", "Bearer "+h.reader)
	require.Equal(t, "INVALID_TOKEN_FORMAT", h.raw(t, r).failure(t).Code)
}
