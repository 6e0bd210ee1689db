package export_test

import (
	"context"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/job"
)

// BenchmarkExport is one export of the largest size an operation, from the search to the file on the disk.
func BenchmarkExport(b *testing.B) {
	for _, f := range []format.Format{format.CSV, format.JSON} {
		b.Run(string(f), func(b *testing.B) {
			s := open(b, dbtest.SQLite(b), export.RowsMax, export.RowsMax)
			done := make(chan struct{}, 1)
			handlers := s.Handlers()
			h := handlers[export.JobKind]
			run := h.Run
			h.Run = func(ctx context.Context, j job.Job) error {
				defer func() { done <- struct{}{} }()
				return run(ctx, j)
			}
			handlers[export.JobKind] = h
			runner := job.NewRunner(s.jobs, handlers)
			require.NoError(b, runner.Start(b.Context()))
			r := between(1, export.RowsMax)
			r.Format = f
			b.ReportAllocs()
			for b.Loop() {
				_, _, err := s.Create(b.Context(), s.caller, r)
				require.NoError(b, err)
				<-done
			}
			require.NoError(b, runner.Stop(context.WithoutCancel(b.Context())))
		})
	}
}

// BenchmarkRows is the worker's part of it alone, and the most memory that it held.
func BenchmarkRows(b *testing.B) {
	s := open(b, dbtest.SQLite(b), export.RowsMax, 0)
	numbers := make([]company.Number, export.RowsMax)
	for i := range numbers {
		numbers[i] = company.Number(i*7919%export.RowsMax + 1) // scattered, as a sort's order is
	}
	seq, err := s.catalog.Seq(b.Context())
	require.NoError(b, err)
	var peak, n uint64
	var info blob.Info
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		info, err = s.blobs.Put(b.Context(), "bench.csv", func(w io.Writer) error {
			rows, err := format.New(format.CSV, w, format.Options{})
			if err != nil {
				return err
			}
			err = s.catalog.Rows(b.Context(), numbers, seq, func(c *company.Company) error {
				if n++; n%1_000 == 0 {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					peak = max(peak, m.HeapAlloc-min(before.HeapAlloc, m.HeapAlloc))
				}
				return rows.Write(c)
			})
			if err != nil {
				return err
			}
			return rows.Close()
		})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(float64(info.SizeBytes)/(1<<20), "file-MB")
}
