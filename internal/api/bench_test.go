package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// BenchmarkSearch reports the p50 of a search over HTTP, with a token and 25 full companies on the page, and the part of it
// that is not spent in the index.
func BenchmarkSearch(b *testing.B) {
	h := stocked(b, 20_000, settings{})
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	filters := query.Filters{Countries: []string{"United States"}}
	q, err := query.Parse(filters)
	require.NoError(b, err)
	sort, err := query.ParseSort("", "", false)
	require.NoError(b, err)
	body, err := json.Marshal(filters)
	require.NoError(b, err)

	var whole, bare []time.Duration
	for b.Loop() {
		start := time.Now()
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+base+"/companies/search", bytes.NewReader(body))
		require.NoError(b, err)
		r.Header.Set("Authorization", "Bearer "+h.reader)
		r.Header.Set("Content-Type", "application/json")
		answer, err := server.Client().Do(r)
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, answer.Body)
		require.NoError(b, err)
		require.NoError(b, answer.Body.Close())
		whole = append(whole, time.Since(start))

		start = time.Now()
		_, err = h.index.Search(b.Context(), index.Request{Query: q, Sort: sort, Limit: 25, FacetLimit: search.FacetLimit})
		require.NoError(b, err)
		bare = append(bare, time.Since(start))
	}
	b.ReportMetric(float64(p50(whole).Microseconds()), "p50-µs")
	b.ReportMetric(float64(p50(bare).Microseconds()), "p50-index-µs")
	b.ReportMetric(float64((p50(whole) - p50(bare)).Microseconds()), "p50-overhead-µs")
}

func p50(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}
