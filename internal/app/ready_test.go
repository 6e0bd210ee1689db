package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestAServerWhoseIndexIsFarBehindIsNotReady(t *testing.T) {
	t.Parallel()
	a, err := Open(t.Context(), config.Config{Storage: config.Storage{Data: t.TempDir(), DB: "sqlite"}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	for lag, want := range map[time.Duration]int{0: http.StatusOK, lagMax: http.StatusOK, lagMax + 1: http.StatusServiceUnavailable} {
		t.Run(lag.String(), func(t *testing.T) {
			w := httptest.NewRecorder()
			readiness{a, func() time.Duration { return lag }}.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
			require.Equal(t, want, w.Code, w.Body.String())
		})
	}
}
