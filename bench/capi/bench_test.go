package capi_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/workload"
)

// BenchmarkIndex runs each operation of the workload on the cached index of CAPI_BENCH_COMPANIES (1,000,000) companies
// in this process, so that it can be profiled.
func BenchmarkIndex(b *testing.B) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("CAPI_BENCH_COMPANIES"), "1000000"))
	require.NoError(b, err)
	w, err := workload.New(n)
	require.NoError(b, err)
	dir := filepath.Join("..", "cache", strconv.Itoa(n))
	require.NoError(b, capi.Kind.Fill(b.Context(), w, dir))
	ix, err := capi.Open(b.Context(), w, capi.Kind.Dir(dir))
	require.NoError(b, err)
	defer func() { require.NoError(b, ix.Close()) }()
	for _, op := range w.Ops {
		b.Run(op.Name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := ix.Ask(b.Context(), op)
				took = append(took, time.Since(start))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(took[0].Seconds()*1000, "best-ms")
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
			b.ReportMetric(took[len(took)*95/100].Seconds()*1000, "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkBuild builds an index on disk of CAPI_BENCH_COMPANIES (200,000) companies, as from the catalog but without
// reading it, and reports the companies per second.
func BenchmarkBuild(b *testing.B) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("CAPI_BENCH_COMPANIES"), "200000"))
	require.NoError(b, err)
	w, err := workload.New(n)
	require.NoError(b, err)
	for b.Loop() {
		took, err := capi.Build(b.Context(), w, b.TempDir())
		require.NoError(b, err)
		b.ReportMetric(float64(n)/took.Seconds(), "companies/s")
	}
}
