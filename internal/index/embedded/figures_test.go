package embedded_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
)

func TestFiguresTellOfSegmentsAndMerges(t *testing.T) {
	t.Parallel()
	ix := embedded.Open(embedded.Options{MergeWidth: 100})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	require.Zero(t, ix.Figures())
	for seq, c := range companytest.Slice(1, 3) {
		require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: c.Number, Company: c}}, uint64(seq)+1))
	}
	require.Equal(t, embedded.Figures{Companies: 3, Segments: 3, SegmentsInMemory: 3}, ix.Figures())
	ix.MergeAll()
	require.Equal(t, embedded.Figures{Companies: 3, Segments: 1, SegmentsInMemory: 1, Merges: 1}, ix.Figures())
}
