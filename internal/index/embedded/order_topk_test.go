package embedded

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/effort"
)

func TestSmallestKEqualsASort(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 3))
	for range effort.Times(60, 300) {
		keys := make([]uint32, 1+r.IntN(3000))
		span := uint32(1) << (1 + r.IntN(31))
		offset := r.Uint32()
		for i := range keys {
			keys[i] = offset + r.Uint32N(span)
		}
		want := make([]uint32, len(keys))
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
		for _, k := range []int{1, 2, 1 + r.IntN(len(keys)), len(keys), len(keys) + 5} {
			require.Equal(t, want[:min(k, len(want))], smallestK(keys, k))
		}
	}
	require.Empty(t, smallestK(nil, 3))
	require.Empty(t, smallestK([]uint32{1}, 0))
}
