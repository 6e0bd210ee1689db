package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/diskspace"
)

func TestReadyzSaysWhyAServerShouldGetNoRequests(t *testing.T) {
	t.Parallel()
	a, err := Open(t.Context(), config.Config{Storage: config.Storage{Data: t.TempDir(), DB: "sqlite"}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	const plenty = diskFreeMinBytes
	for name, c := range map[string]struct {
		lag    time.Duration
		free   uint64
		status int
		reason string
	}{
		"all is well":              {0, plenty, http.StatusOK, "ready"},
		"the index is behind":      {lagMax, plenty, http.StatusOK, "ready"},
		"the index is far behind":  {lagMax + 1, plenty, http.StatusServiceUnavailable, "the index has been behind the catalog for 1m0s"},
		"the disk is nearly full":  {0, 5 << 20, http.StatusServiceUnavailable, "the disk of the data directory has only 5 MB left"},
		"nothing left on the disk": {0, 0, http.StatusServiceUnavailable, "the disk of the data directory has only 0 MB left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			readiness{
				app: a, lag: func() time.Duration { return c.lag },
				space: func(string) (diskspace.Space, error) { return diskspace.Space{FreeBytes: c.free}, nil },
			}.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
			require.Equal(t, c.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), c.reason)
		})
	}
}
