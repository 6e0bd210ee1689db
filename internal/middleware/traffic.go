package middleware

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Traffic measures requests by route. It does not use their paths, so that clients cannot create time series.
type Traffic struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	limited  *prometheus.CounterVec
	inFlight prometheus.Gauge
}

// durationBuckets are in seconds, from a search to a download.
var durationBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}

// NewTraffic registers its metrics.
func NewTraffic(r prometheus.Registerer) *Traffic {
	t := &Traffic{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "capi_http_requests_total", Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "capi_http_request_duration_seconds", Help: "Time from a request's header to the end of its answer.",
			Buckets: durationBuckets,
		}, []string{"method", "route"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "capi_http_rate_limited_total", Help: "Requests refused because they came too often, by route.",
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "capi_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
	}
	r.MustRegister(t.requests, t.seconds, t.limited, t.inFlight)
	return t
}

// Watch is the middleware. Handlers behind it must pass on the same *http.Request, because http.ServeMux stores the route in it.
func (t *Traffic) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, start := &watcher{ResponseWriter: w}, time.Now()
		t.inFlight.Inc()
		defer func() {
			t.inFlight.Dec()
			method, route := routeOf(r)
			t.requests.WithLabelValues(method, route, strconv.Itoa(seen.statusCode())).Inc()
			t.seconds.WithLabelValues(method, route).Observe(time.Since(start).Seconds())
			if seen.statusCode() == http.StatusTooManyRequests {
				t.limited.WithLabelValues(method, route).Inc()
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// routeOf returns the pattern that matched the request: a path with named parameters. Unmatched requests share one route.
func routeOf(r *http.Request) (method, route string) {
	if r.Pattern == "" {
		return "other", "none"
	}
	method, route, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		return "any", r.Pattern
	}
	return method, route
}
