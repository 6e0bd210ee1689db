package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/indexing"
)

const metricsPath = "/metrics"

// sales are the metrics of what this process has sold. With several processes on one database, add their values up.
type sales struct {
	exports           *prometheus.CounterVec
	charged, refunded prometheus.Counter
}

func newSales() *sales {
	s := &sales{
		exports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "capi_exports_total", Help: "Exports that were created, completed, failed or cancelled.",
		}, []string{"status"}),
		charged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "capi_credits_charged_total", Help: "Credits charged for exports.",
		}),
		refunded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "capi_credits_refunded_total", Help: "Credits refunded for exports that failed or were cancelled.",
		}),
	}
	for _, status := range []string{"created", "completed", "failed", "cancelled"} {
		s.exports.WithLabelValues(status)
	}
	return s
}

func (s *sales) observe(e export.Event) {
	status := string(e.Status)
	if e.Status == export.StatusPending {
		status = "created"
	}
	s.exports.WithLabelValues(status).Inc()
	s.charged.Add(float64(e.Charged))
	s.refunded.Add(float64(e.Refunded))
}

// newRegistry returns a registry with every metric of a server except those of its HTTP traffic.
func (a *App) newRegistry(f *indexing.Follower, lead func() context.Context) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		a.sales.exports, a.sales.charged, a.sales.refunded, &gauges{app: a, follower: f, leads: func() bool { return lead == nil || lead() != nil }},
	)
	return r
}

func metricsHandler(r *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 4, // few clients scrape a server
	})
}

// exporter serves the metrics at a separate address.
type exporter struct {
	addr    string
	handler http.Handler
	log     *slog.Logger

	mu     sync.Mutex
	server *http.Server
	group  sync.WaitGroup
}

// metricsPart returns the exporter if the metrics have a separate address; otherwise it returns nothing.
func (a *App) metricsPart(handler http.Handler) []part {
	if a.Config.MetricsAddr == "" || a.Config.MetricsAddr == config.MetricsOff {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, handler)
	e := &exporter{addr: a.Config.MetricsAddr, handler: mux, log: a.Log}
	return []part{{"metrics", e.Start, e.Stop}}
}

// Start starts listening. A second call does nothing.
func (e *exporter) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		return nil
	}
	listener, err := net.Listen("tcp", e.addr)
	if err != nil {
		return fmt.Errorf("listen at %s (choose another address with --metrics-addr): %w", e.addr, err)
	}
	e.server = &http.Server{Handler: e.handler, ReadHeaderTimeout: readHeaderTimeout, WriteTimeout: time.Minute}
	e.group.Go(func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			e.log.Error("metrics server failed", "error", err)
		}
	})
	e.log.InfoContext(ctx, "metrics are served", "url", "http://"+reachable(listener.Addr())+metricsPath)
	return nil
}

// Stop shuts the server down. A second call does nothing.
func (e *exporter) Stop(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil
	}
	err := e.server.Shutdown(ctx)
	e.group.Wait()
	return err
}
