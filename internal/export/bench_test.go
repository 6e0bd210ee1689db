package export_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// BenchmarkExport measures an export of the largest size, from the search to the file on disk.
func BenchmarkExport(b *testing.B) {
	for _, f := range format.All() {
		b.Run(string(f), func(b *testing.B) {
			s := open(b, dbtest.SQLite(b), export.RowsMax, export.RowsMax)
			done := s.runs(b)
			r := between(1, export.RowsMax)
			r.Format = f
			b.ReportAllocs()
			for b.Loop() {
				_, _, err := s.Create(b.Context(), s.caller, r)
				require.NoError(b, err)
				<-done
			}
		})
	}
}

// runs has the jobs of exports run until the end of the benchmark. The channel receives once at the end of each.
func (s *fixture) runs(b *testing.B) <-chan struct{} {
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
	b.Cleanup(func() { require.NoError(b, runner.Stop(context.WithoutCancel(b.Context()))) })
	return done
}

// BenchmarkRows measures the worker's part alone. peak-MB is the most that the heap grew, garbage not yet collected
// included.
func BenchmarkRows(b *testing.B) {
	s := open(b, dbtest.SQLite(b), export.RowsMax, 0)
	numbers := make([]company.Number, export.RowsMax)
	for i := range numbers {
		numbers[i] = company.Number(i*7919%export.RowsMax + 1) // scattered, as the numbers of a sorted result are
	}
	seq, err := s.catalog.Seq(b.Context())
	require.NoError(b, err)
	for _, f := range format.All() {
		b.Run(string(f), func(b *testing.B) {
			var peak peak
			peak.start()
			var info blob.Info
			for b.Loop() {
				info, err = s.blobs.Put(b.Context(), "bench", func(w io.Writer) error {
					rows, err := format.New(f, w, format.Options{})
					if err != nil {
						return err
					}
					err = s.catalog.Rows(b.Context(), numbers, seq, func(c *company.Company) error {
						peak.look()
						return rows.Write(c)
					})
					if err != nil {
						return err
					}
					return rows.Close()
				})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(peak.most)/(1<<20), "peak-MB")
			b.ReportMetric(float64(info.SizeBytes)/(1<<20), "file-MB")
		})
	}
}

// BenchmarkVerify measures reading a file of the largest size, as doctor and verify do.
func BenchmarkVerify(b *testing.B) {
	s := open(b, dbtest.SQLite(b), export.RowsMax, 0)
	for _, f := range format.All() {
		b.Run(string(f), func(b *testing.B) {
			var file bytes.Buffer
			rows, err := format.New(f, &file, format.Options{})
			require.NoError(b, err)
			_, err = s.catalog.Scan(b.Context(), rows.Write)
			require.NoError(b, err)
			require.NoError(b, rows.Close())
			sum := sha256.Sum256(file.Bytes())
			m := export.Manifest{
				Format: f, Rows: export.RowsMax, Columns: format.Columns(f, format.Options{}), SizeBytes: int64(file.Len()),
				SHA256: hex.EncodeToString(sum[:]),
			}
			var peak peak
			peak.start()
			for b.Loop() {
				checks, err := m.Verify(&peakReader{Reader: bytes.NewReader(file.Bytes()), peak: &peak})
				require.NoError(b, err)
				for _, c := range checks {
					require.True(b, c.OK, "%+v", c)
				}
			}
			b.ReportMetric(float64(peak.most)/(1<<20), "peak-MB")
		})
	}
}

// peak measures how much the heap grows.
type peak struct{ before, most, looks uint64 }

func (p *peak) start() {
	runtime.GC()
	p.before = heapBytes()
}

func (p *peak) look() {
	if p.looks++; p.looks%500 == 0 {
		now := heapBytes()
		p.most = max(p.most, now-min(p.before, now))
	}
}

func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// peakReader measures the heap at every read.
type peakReader struct {
	io.Reader
	peak *peak
}

func (l *peakReader) Read(p []byte) (int, error) {
	l.peak.looks += 499
	l.peak.look()
	return l.Reader.Read(p)
}
