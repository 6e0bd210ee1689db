package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

// The first import may end between the question for the sequence number, which is 0, and the reading.
func TestCompaniesReadDuringTheFirstImportAreKept(t *testing.T) {
	t.Parallel()
	var r recent
	one := map[company.Number]*company.Company{1: {Name: "Acme"}}
	require.Empty(t, r.get(0, []company.Number{1}))
	r.put(0, one, map[company.Number]int{1: 10})
	require.Equal(t, one, r.get(0, []company.Number{1, 2}))
	require.Empty(t, r.get(1, []company.Number{1}))
	r.put(0, one, nil)
	require.Empty(t, r.get(1, []company.Number{1}), "read before the change")
	require.Empty(t, r.get(0, []company.Number{1}))
}

func TestKeptCompaniesHaveRoomForPagesOnly(t *testing.T) {
	t.Parallel()
	var r recent
	for n := range company.Number(1_000) {
		r.put(0, map[company.Number]*company.Company{n: {}}, map[company.Number]int{n: recentRecordMax})
		require.LessOrEqual(t, r.bytes, recentBytesMax)
		require.LessOrEqual(t, len(r.of), recentBytesMax/recentRecordMax)
		require.NotEmpty(t, r.get(0, []company.Number{n}))
	}
	r.put(0, map[company.Number]*company.Company{2_000: {}}, map[company.Number]int{2_000: recentRecordMax + 1})
	require.Empty(t, r.get(0, []company.Number{2_000}))
}
