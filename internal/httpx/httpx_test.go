package httpx_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
)

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	want := map[fault.Code]int{
		fault.MissingAuthHeader: 401, fault.InvalidTokenFormat: 401, fault.InvalidToken: 401, fault.TokenExpired: 401,
		fault.TokenNotWorkspaceBound: 401, fault.NotWorkspaceMember: 401, fault.InsufficientScope: 403,
		fault.InsufficientBalance: 402, fault.NoCandidates: 400, fault.NotFound: 404, fault.ExportNotCompleted: 400,
		fault.Validation: 422, fault.InvalidCursor: 422, fault.RateLimited: 429, fault.IdempotencyKeyReused: 422,
		fault.RequestInFlight: 409, fault.MethodNotAllowed: 405, fault.PayloadTooLarge: 413,
		fault.UnsupportedMediaType: 415, fault.InvalidLink: 403, fault.TokenBudgetExceeded: 402, fault.Internal: 500,
		fault.ExportNotCancellable: 409, fault.ExportNotDeliverable: 409, fault.QuoteExpired: 400, fault.QuoteOutdated: 409, fault.MaxCreditsExceeded: 402,
		fault.RequestTimeout: 408, fault.RangeNotSatisfiable: 416, fault.IndexUnavailable: 503, fault.ServiceUnavailable: 503,
		fault.SignInNeeded: 401, fault.Forbidden: 403, fault.DailyLimitExceeded: 429,
	}
	for _, e := range fault.Catalogue() {
		t.Run(string(e.Code), func(t *testing.T) {
			require.Equal(t, want[e.Code], httpx.Status(e.Kind), e.Code)
		})
	}
	require.Len(t, fault.Catalogue(), len(want))
}

func TestAnUnavailableIndexSaysWhenToRetry(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	err := fmt.Errorf("search: %w", fault.New(fault.IndexUnavailable, "rebuilding").With("retry_after", 10))
	httpx.ErrorWriter(slog.New(slog.DiscardHandler), nil)(w, httptest.NewRequest(http.MethodPost, "/api/v1/companies/search", nil), err)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "10", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"detail": {"code": "INDEX_UNAVAILABLE", "message": "rebuilding", "details": {"retry_after": 10}}}`, w.Body.String())
}

func TestCSVCellsAreSafeForSpreadsheets(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	file := httpx.CSV{FileName: "a b.csv", Columns: []string{"text", "number", "time", "-none"}, Rows: func(row func(...any) error) error {
		return errors.Join(
			row("=1+1", int64(-5), time.Date(2026, 3, 1, 10, 30, 0, 0, time.FixedZone("CET", 3600)), nil),
			row("plain", 7, time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), nil),
		)
	}}
	require.NoError(t, file.Write(w, http.StatusOK))
	require.Equal(t, "text,number,time,'-none\r\n'=1+1,-5,2026-03-01T09:30:00Z,\r\nplain,7,2026-03-01T09:30:00Z,\r\n", w.Body.String())
	require.Equal(t, `attachment; filename="a b.csv"`, w.Header().Get("Content-Disposition"))
}

func TestACSVThatFailsIsAnErrorOrABrokenConnection(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	w := httptest.NewRecorder()
	file := httpx.CSV{FileName: "a.csv", Columns: []string{"a"}, Rows: func(func(...any) error) error { return broken }}
	require.ErrorIs(t, file.Write(w, http.StatusOK), broken)
	require.Empty(t, w.Body.String())

	file.Rows = func(row func(...any) error) error { return errors.Join(row("x"), broken) }
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { _ = file.Write(w, http.StatusOK) })
}
