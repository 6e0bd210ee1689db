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
	for _, f := range []format.Format{format.CSV, format.JSON} {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, err := format.New(f, io.Discard, format.Options{})
				require.NoError(b, err)
				for _, c := range companies {
					require.NoError(b, w.Write(c))
				}
				require.NoError(b, w.Close())
			}
		})
	}
}
