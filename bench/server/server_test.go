package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/bench/workload"
)

func TestTheHeaderTellsWhatIndexAndCatalogTook(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"index;dur=1.234, catalog;dur=0.200": 1434 * time.Microsecond, "index;dur=0.007, catalog;dur=0.000": 7 * time.Microsecond,
		"": 0, "index;dur=1.234": 0, "db;dur=3": 0,
	} {
		require.Equal(t, want, dataTookOf(http.Header{"Server-Timing": {value}}), value)
	}
}

func TestWithoutConnectionsNoSearchByThemIsAsked(t *testing.T) {
	t.Parallel()
	w, err := workload.New(10)
	require.NoError(t, err)
	skipped := func(o Options) (names []string) {
		for _, op := range w.Ops {
			if o.skip(op) {
				names = append(names, op.Name)
			}
		}
		return names
	}
	require.Equal(t, []string{"E1"}, skipped(Options{}))
	require.Equal(t, []string{"Q8", "E1"}, skipped(Options{Unconnected: true}))
	require.NotEqual(t, Kind(Options{}).Store, Kind(Options{Unconnected: true}).Store)
}
