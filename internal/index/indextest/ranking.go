package indextest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// ranked is a search by words, and who comes first for it.
type ranked struct {
	Query string   `json:"query"`
	First []string `json:"first"`
}

const rankedFirst = 3

// testRealRanking holds the first names of some searches over the real companies against ranking.json, which was read
// by people. CAPI_UPDATE_RANKING=FILE writes what the index answers now.
func testRealRanking(t *testing.T, ix index.Index, companies []*company.Company) {
	golden := readJSON[[]ranked](t, "ranking.json")
	require.GreaterOrEqual(t, len(golden), 30)
	got := make([]ranked, len(golden))
	for i, g := range golden {
		q, err := query.Parse(query.Filters{Query: g.Query})
		require.NoError(t, err, g.Query)
		found, err := ix.Search(t.Context(), index.Request{
			Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: rankedFirst,
		})
		require.NoError(t, err)
		got[i].Query = g.Query
		for _, n := range found.Page {
			got[i].First = append(got[i].First, companies[n-1].Name)
		}
	}
	if file := os.Getenv("CAPI_UPDATE_RANKING"); file != "" {
		p, err := json.MarshalIndent(got, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(p, '\n'), 0o600))
	}
	require.Equal(t, golden, got)
}
