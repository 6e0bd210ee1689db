package server

import (
	"cmp"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/bench/workload"
)

// BenchmarkImport imports CAPI_BENCH_COMPANIES (50,000) companies into an empty catalog, with their connections and
// without, and reports the companies per second.
func BenchmarkImport(b *testing.B) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("CAPI_BENCH_COMPANIES"), "50000"))
	require.NoError(b, err)
	w, err := workload.New(n)
	require.NoError(b, err)
	for _, o := range []Options{{Unconnected: true}, {}} {
		b.Run(map[bool]string{true: "unconnected", false: "connected"}[o.Unconnected], func(b *testing.B) {
			for b.Loop() {
				a, err := openData(b.Context(), b.TempDir(), "")
				require.NoError(b, err)
				start := time.Now()
				require.NoError(b, o.importAll(b.Context(), a, w))
				b.ReportMetric(float64(n)/time.Since(start).Seconds(), "companies/s")
				require.NoError(b, a.Close())
			}
		})
	}
}
