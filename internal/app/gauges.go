package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/diskspace"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/job"
)

// gauges is a collector that reads the state of the server at each scrape.
type gauges struct {
	app      *App
	follower *indexing.Follower
	leads    func() bool // whether this server applies changes to a shared index

	mu      sync.Mutex
	counted time.Time // when stats was read
	stats   job.Stats
}

const (
	gaugeTimeout = 2 * time.Second
	statsEvery   = 15 * time.Second
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("capi_"+name, help, labels, nil)
}

var (
	descDatabaseUp  = describe("database_up", "1 if the database answered at this scrape, else 0.")
	descConnections = describe("database_connections", "Open connections, by pool and by whether they are in use.", "pool", "state")
	descWaits       = describe("database_waits_total", "Number of times that a query waited for a connection, by pool.", "pool")
	descWaitSeconds = describe("database_wait_seconds_total", "Total time that queries waited for a connection, by pool.", "pool")
	descPoolMax     = describe("database_connections_max", "Most connections that the pool opens.", "pool")

	descDiskFree = describe("disk_free_bytes", "Space left on the disk of the data directory.")
	descDiskSize = describe("disk_size_bytes", "Size of the disk of the data directory.")

	descJobs    = describe("jobs", "Jobs by state; finished ones are deleted after a week.", "state")
	descOverdue = describe("jobs_overdue_seconds", "How long the longest-waiting queued job has been due.")

	descIndexInfo = describe("index_info", "Always 1; the labels say where the index is.", "kind", "name")
	descIndexUp   = describe("index_up", "1 if the index answered at this scrape, else 0.")
	descLeader    = describe("index_leader", "1 if this server applies changes to the index, 0 if another one does so for all.")
	descCompanies = describe("index_companies", "Companies in the index.")
	descSegments  = describe("index_segments", "Segments of the index, on disk and in memory.", "place")
	descMerges    = describe("index_merges_total", "Merges of segments since the server started.")
	descMerging   = describe("index_merging", "1 while segments are merged, else 0.")
	descComplete  = describe("index_complete", "0 while companies are missing because a segment was damaged, else 1.")
	descLag       = describe("index_lag_seconds", "How long the index has been behind the catalog; 0 if it is up to date.")
	descIndexSeq  = describe("index_sequence", "Number of the newest catalog change in the index.")
	descSequence  = describe("catalog_sequence", "Number of the newest catalog change.")
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descDatabaseUp, descConnections, descWaits, descWaitSeconds, descPoolMax, descDiskFree, descDiskSize, descJobs, descOverdue,
		descIndexInfo, descIndexUp, descLeader, descCompanies, descSegments, descMerges, descMerging, descComplete, descLag, descIndexSeq, descSequence,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector. If the database does not answer, it leaves out the metrics that need it.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	if g.app.Config.Role != config.RoleWorker {
		g.index(ctx, gauge)
	}
	gauge(descCompanies, float64(g.app.Index.Len()))
	if stored, ok := g.app.Index.(index.Stored); ok {
		s := stored.Stats()
		gauge(descSegments, float64(s.SegmentsInMemory), "memory")
		gauge(descSegments, float64(s.Segments-s.SegmentsInMemory), "disk")
		counter(descMerges, float64(s.Merges))
		gauge(descMerging, oneIf(s.Merging))
		gauge(descComplete, oneIf(!s.Lost))
	}
	if space, err := diskspace.Of(g.app.Config.Data); err == nil {
		gauge(descDiskFree, float64(space.FreeBytes))
		gauge(descDiskSize, float64(space.TotalBytes))
	}
	gauge(descLag, g.follower.Lag().Seconds())
	gauge(descIndexSeq, float64(g.app.Index.Seq()))
	for name, p := range g.app.DB.Pools() {
		gauge(descConnections, float64(p.InUse), name, "in_use")
		gauge(descConnections, float64(p.Idle), name, "idle")
		gauge(descPoolMax, float64(p.MaxOpenConnections), name)
		counter(descWaits, float64(p.WaitCount), name)
		counter(descWaitSeconds, p.WaitDuration.Seconds(), name)
	}
	seq, err := g.app.Catalog.Seq(ctx)
	gauge(descDatabaseUp, oneIf(err == nil))
	if err != nil {
		return
	}
	gauge(descSequence, float64(seq))
	if stats, err := g.jobs(ctx); err == nil {
		for state, n := range stats.ByState {
			gauge(descJobs, float64(n), state)
		}
		gauge(descOverdue, stats.Overdue.Seconds())
	}
}

// index reports where the index is, and whether it works there.
func (g *gauges) index(ctx context.Context, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	o, up := g.app.Config.OpenSearch(), true
	kind, name := "embedded", ""
	if remote, shared := g.app.RemoteIndex(); shared && o != nil {
		kind, name = "opensearch", o.Name
		up = remote.Check(ctx) == nil
	}
	gauge(descIndexInfo, 1, kind, name)
	gauge(descIndexUp, oneIf(up))
	gauge(descLeader, oneIf(g.leads()))
}

// jobs returns the counts of jobs, which are at most statsEvery old.
func (g *gauges) jobs(ctx context.Context) (job.Stats, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.counted.IsZero() && time.Since(g.counted) < statsEvery {
		return g.stats, nil
	}
	stats, err := g.app.Jobs.Stats(ctx)
	if err == nil {
		g.stats, g.counted = stats, time.Now()
	}
	return stats, err
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
