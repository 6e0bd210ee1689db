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

// sales count what this process has sold. Several processes on one database add up.
type sales struct {
	exports           *prometheus.CounterVec
	charged, refunded prometheus.Counter
}

func newSales() *sales {
	s := &sales{
		exports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "capi_exports_total", Help: "Exports that were created, and what has become of exports.",
		}, []string{"status"}),
		charged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "capi_credits_charged_total", Help: "Credits charged for exports.",
		}),
		refunded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "capi_credits_refunded_total", Help: "Credits given back for exports that failed or were cancelled.",
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

// newRegistry holds every metric of a server but those of its traffic.
func (a *App) newRegistry(f *indexing.Follower) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		a.sales.exports, a.sales.charged, a.sales.refunded, &gauges{app: a, follower: f},
	)
	return r
}

func metricsHandler(r *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 4, // the figures are for a few who watch
	})
}

// exporter serves the metrics at an address of their own.
type exporter struct {
	addr    string
	handler http.Handler
	log     *slog.Logger

	mu     sync.Mutex
	server *http.Server
	group  sync.WaitGroup
}

// metricsPart is what serves the metrics, if it is not the API's own listener.
func (a *App) metricsPart(handler http.Handler) []part {
	if a.Config.MetricsAddr == "" || a.Config.MetricsAddr == config.MetricsOff {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, handler)
	e := &exporter{addr: a.Config.MetricsAddr, handler: mux, log: a.Log}
	return []part{{"metrics", e.Start, e.Stop}}
}

// Start begins to listen; a second call does nothing.
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
			e.log.Error("metrics are not served any more", "error", err)
		}
	})
	e.log.InfoContext(ctx, "metrics are served", "url", "http://"+reachable(listener.Addr())+metricsPath)
	return nil
}

// Stop ends it; a second call does nothing.
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
