package format_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/format"
)

// BenchmarkWrite writes an export of the largest size in one operation.
func BenchmarkWrite(b *testing.B) {
	companies := companytest.Slice(1, 10_000)
	write := func(f format.Format, o format.Options) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, err := format.New(f, io.Discard, o)
				require.NoError(b, err)
				for _, c := range companies {
					require.NoError(b, w.Write(c))
				}
				require.NoError(b, w.Close())
			}
		}
	}
	for _, f := range format.All() {
		b.Run(string(f), write(f, format.Options{}))
	}
	for _, c := range []format.Compression{format.Gzip, format.Zstd} {
		b.Run("csv+"+string(c), write(format.CSV, format.Options{Compression: c}))
	}
}
