package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/ratelimit"
)

func TestEveryRouteNamesItsScopeLimitAndOperation(t *testing.T) {
	t.Parallel()
	limits, operations := map[string]bool{}, map[string]bool{}
	for _, rt := range routes() {
		where := rt.method + " " + rt.path
		require.Contains(t, []auth.Scope{auth.Read, auth.ReadWrite}, rt.scope, where)
		require.Positive(t, rt.perMinute, where)
		require.NotEmpty(t, rt.limit, where)
		require.NotEmpty(t, rt.operation, where)
		require.False(t, limits[rt.limit], "two routes share the limit %s", rt.limit)
		require.False(t, operations[rt.operation], "two routes share the operation %s", rt.operation)
		limits[rt.limit], operations[rt.operation] = true, true
	}
	require.Len(t, Limits(), len(limits))
}

// A POST that writes can be sent twice by a client that has lost the answer.
func TestEveryPostThatWritesIsDoneOnce(t *testing.T) {
	t.Parallel()
	for _, rt := range routes() {
		if rt.method == http.MethodPost && rt.scope == auth.ReadWrite {
			require.NotNil(t, rt.once, rt.path)
		}
		require.NotEqual(t, rt.once == nil, rt.call == nil, rt.path)
	}
}

func TestLimitsOfTheContractHold(t *testing.T) {
	t.Parallel()
	for name, requests := range map[string]int{
		"companies.search": 60, "credits.get": 60, "exports.create": 5, "exports.get": 120, "exports.download": 30,
	} {
		require.Equal(t, requests, Limits()[name].Requests, name)
	}
}

func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	want := map[fault.Code]int{
		fault.MissingAuthHeader: 401, fault.InvalidTokenFormat: 401, fault.InvalidToken: 401, fault.TokenExpired: 401,
		fault.TokenNotWorkspaceBound: 401, fault.NotWorkspaceMember: 401, fault.InsufficientScope: 403,
		fault.InsufficientBalance: 402, fault.NoCandidates: 400, fault.NotFound: 404, fault.ExportNotCompleted: 400,
		fault.Validation: 422, fault.InvalidCursor: 422, fault.RateLimited: 429, fault.IdempotencyKeyReused: 422,
		fault.RequestInFlight: 409, fault.MethodNotAllowed: 405, fault.PayloadTooLarge: 413,
		fault.UnsupportedMediaType: 415, fault.InvalidLink: 403, fault.TokenBudgetExceeded: 402, fault.Internal: 500,
		fault.ExportNotCancellable: 409, fault.QuoteExpired: 400, fault.QuoteOutdated: 409, fault.MaxCreditsExceeded: 402,
		fault.RequestTimeout: 408, fault.RangeNotSatisfiable: 416, fault.IndexUnavailable: 503,
		fault.SignInNeeded: 401, fault.Forbidden: 403,
	}
	for _, e := range fault.Catalogue() {
		require.Equal(t, want[e.Code], Status(e.Kind), e.Code)
	}
	require.Len(t, fault.Catalogue(), len(want))
}

func TestAMisspeltLimitIsRefused(t *testing.T) {
	t.Parallel()
	limits, err := ratelimit.Parse("export.create=50/min,credits.get=off")
	require.NoError(t, err)
	_, err = New(Deps{RateLimits: limits})
	require.ErrorContains(t, err, "export.create")
	require.NotContains(t, err.Error(), "called \"credits.get\"")
}

func TestAnUnavailableIndexSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	err := fmt.Errorf("search: %w", fault.New(fault.IndexUnavailable, "rebuilding").With("retry_after", 10))
	ErrorWriter(slog.New(slog.DiscardHandler))(w, httptest.NewRequest(http.MethodPost, "/api/v1/companies/search", nil), err)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "10", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"detail": {"code": "INDEX_UNAVAILABLE", "message": "rebuilding", "details": {"retry_after": 10}}}`, w.Body.String())
}
