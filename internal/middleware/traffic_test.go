package middleware_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/middleware"
)

func TestClientsCannotCreateTimeSeries(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{thing}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /limited", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	mux.HandleFunc("GET /broken", func(http.ResponseWriter, *http.Request) { panic("a reason") })
	log := slog.New(slog.DiscardHandler)
	fail := func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusInternalServerError) }
	h := middleware.Chain(mux, middleware.NewTraffic(registry).Watch, middleware.Recover(log, fail))
	ask := func(method, path string) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, path, nil))
	}
	for i := range 200 {
		ask("GET", fmt.Sprintf("/things/%d", i))
		ask("GET", fmt.Sprintf("/nothing/%d", i))
		ask(fmt.Sprintf("VERB%d", i), "/things/1")
	}
	ask("GET", "/limited")
	ask("GET", "/broken")
	const want = `
# HELP capi_http_rate_limited_total Requests refused because they came too often, by route.
# TYPE capi_http_rate_limited_total counter
capi_http_rate_limited_total{method="GET",route="/limited"} 1
# HELP capi_http_requests_in_flight Requests that are being answered.
# TYPE capi_http_requests_in_flight gauge
capi_http_requests_in_flight 0
# HELP capi_http_requests_total Requests answered, by method, route and status.
# TYPE capi_http_requests_total counter
capi_http_requests_total{method="GET",route="/broken",status="500"} 1
capi_http_requests_total{method="GET",route="/limited",status="429"} 1
capi_http_requests_total{method="GET",route="/things/{thing}",status="200"} 200
capi_http_requests_total{method="other",route="none",status="404"} 200
capi_http_requests_total{method="other",route="none",status="405"} 200
`
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(want),
		"capi_http_requests_total", "capi_http_rate_limited_total", "capi_http_requests_in_flight"))
}
