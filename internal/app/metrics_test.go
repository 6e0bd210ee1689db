package app_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
)

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	p, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(p)
}

// scrape returns the value of every sample, keyed by its name with labels.
func scrape(t *testing.T, base string) map[string]string {
	t.Helper()
	status, body := fetch(t, base+"/metrics")
	require.Equal(t, http.StatusOK, status)
	samples := map[string]string{}
	for line := range strings.Lines(body) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			samples[line[:at]] = strings.TrimSpace(line[at+1:])
		}
	}
	return samples
}

// newServerWithSales returns a server with one completed and one cancelled export.
func newServerWithSales(t *testing.T) *apptest.Server {
	t.Helper()
	s := apptest.Start(t, apptest.Options{Companies: threeCompanies, Credits: 3})
	c := s.Client()
	us, err := c.CreateExport(t.Context(), client.ExportRequest{Name: "US", SearchFilters: &client.Filters{Countries: []string{"US"}}})
	require.NoError(t, err)
	_, err = c.Wait(t.Context(), us.ExportJob.ID, 5*time.Millisecond, nil)
	require.NoError(t, err)
	files := filepath.Join(s.Config.Data, "files", "exports")
	require.NoError(t, os.Rename(files, files+"-away"))
	require.NoError(t, os.WriteFile(files, nil, 0o600)) // so that the next one cannot be completed
	de, err := c.CreateExport(t.Context(), client.ExportRequest{Name: "DE", SearchFilters: &client.Filters{Countries: []string{"DE"}}})
	require.NoError(t, err)
	_, err = c.CancelExport(t.Context(), de.ExportJob.ID)
	require.NoError(t, err)
	_, err = c.CancelExport(t.Context(), de.ExportJob.ID)
	require.NoError(t, err)
	return s
}

func TestMetricsCountEachSaleOnce(t *testing.T) {
	t.Parallel()
	s := newServerWithSales(t)
	// The worker updates the metric just after the export is visible as completed.
	require.Eventually(t, func() bool { return scrape(t, s.URL)[`capi_exports_total{status="completed"}`] == "1" },
		30*time.Second, 5*time.Millisecond)
	got := scrape(t, s.URL)
	for sample, want := range map[string]string{
		`capi_exports_total{status="created"}`:   "2",
		`capi_exports_total{status="cancelled"}`: "1", `capi_exports_total{status="failed"}`: "0",
		"capi_credits_charged_total": "3", "capi_credits_refunded_total": "1",
		"capi_index_companies": "3", "capi_index_complete": "1", "capi_database_up": "1",
		`capi_http_requests_total{method="POST",route="/api/v1/exports",status="201"}`:                    "2",
		`capi_http_requests_total{method="POST",route="/api/v1/exports/{export_id}/cancel",status="200"}`: "2",
	} {
		t.Run(sample, func(t *testing.T) {
			require.Equal(t, want, got[sample], sample)
		})
	}
	for sample := range got {
		require.NotContains(t, sample, s.Workspace.String())
	}
}

var metricNames = regexp.MustCompile(`\b(?:capi|go|process)_[a-z0-9_]+\b`)

func TestDocsAndDashboardNameExactlyTheExportedMetrics(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Config: func(c *config.Config) { c.RateLimits = "credits.get=1/min" }})
	_, err := s.Client().Credits(t.Context())
	require.NoError(t, err)
	_, err = s.Client().Credits(t.Context())
	require.Error(t, err)
	samples := scrape(t, s.URL)
	exported := map[string]bool{} // by the name used in queries
	var ours []string             // by the documented name
	for sample := range samples {
		name, _, _ := strings.Cut(sample, "{")
		exported[name] = true
		if strings.HasPrefix(name, "capi_") {
			family := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
			ours = append(ours, family)
		}
	}
	slices.Sort(ours)
	ours = slices.Compact(ours)

	document, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(capi_[a-z_]+)` \\|").FindAllStringSubmatch(string(document), -1) {
		documented = append(documented, row[1])
	}
	slices.Sort(documented)
	require.Equal(t, ours, documented)
	for _, name := range metricNames.FindAllString(string(document), -1) {
		require.True(t, slices.Contains(ours, name) || name == "process_" || name == "go_", "docs/metrics.md: %s", name)
	}

	content, err := os.ReadFile("../../deploy/grafana-dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(content, &dashboard))
	var drawn []string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			names := metricNames.FindAllString(target.Expr, -1)
			require.NotEmpty(t, names, panel.Title)
			for _, name := range names {
				require.True(t, exported[name], "%s queries %s", panel.Title, name)
				drawn = append(drawn, strings.TrimSuffix(name, "_bucket"))
			}
		}
	}
	for _, name := range ours {
		require.Contains(t, drawn, name, "the dashboard does not show it")
	}
}

func TestMetricsCanBeServedElsewhereOrTurnedOff(t *testing.T) {
	t.Parallel()
	off := apptest.Start(t, apptest.Options{Config: func(c *config.Config) { c.MetricsAddr = config.MetricsOff }})
	status, _ := fetch(t, off.URL+"/metrics")
	require.Equal(t, http.StatusNotFound, status)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	c := off.Config
	c.Data, c.MetricsAddr = t.TempDir(), taken.Addr().String()
	require.ErrorContains(t, serveFor(t, c, func(slog.Record) {}), "--metrics-addr")

	c.Data, c.MetricsAddr = t.TempDir(), "127.0.0.1:0"
	var elsewhere string
	require.NoError(t, serveFor(t, c, func(r slog.Record) {
		if r.Message != "metrics are served" {
			return
		}
		r.Attrs(func(a slog.Attr) bool {
			elsewhere = a.Value.String()
			return false
		})
		status, body := fetch(t, elsewhere)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "capi_database_up 1")
	}))
	require.NotEmpty(t, elsewhere)
}

// serveFor serves until everything has started, then stops. It calls observe with each log record.
func serveFor(t *testing.T, c config.Config, observe func(slog.Record)) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := app.Open(t.Context(), c, slog.New(logFunc(func(r slog.Record) {
		observe(r)
		if r.Message == "serving" {
			cancel()
		}
	})))
	require.NoError(t, err)
	defer a.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return a.Serve(ctx, listener)
}

// logFunc is a slog.Handler that calls the function.
type logFunc func(slog.Record)

func (h logFunc) Enabled(context.Context, slog.Level) bool      { return true }
func (h logFunc) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
func (h logFunc) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h logFunc) WithGroup(string) slog.Handler                 { return h }

func TestReadinessReportsWhyTheServerIsNotReady(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	status, body := fetch(t, s.URL+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"status":"ready"}`, body)

	set := func(q string) {
		require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), q)
			return err
		}))
	}
	set(`UPDATE goose_db_version SET version_id = version_id - 1000`)
	status, body = fetch(t, s.URL+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "schema")
	set(`UPDATE goose_db_version SET version_id = version_id + 1000`)
	status, _ = fetch(t, s.URL+"/readyz")
	require.Equal(t, http.StatusOK, status)

	set(`ALTER TABLE goose_db_version RENAME TO gone`)
	status, body = fetch(t, s.URL+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.JSONEq(t, `{"status":"not ready","reasons":["the database does not answer"]}`, body)
	status, _ = fetch(t, s.URL+"/healthz")
	require.Equal(t, http.StatusOK, status, "the process is healthy: a restart would not help")
}
