package search_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

// BenchmarkCandidates measures batches of 50 rows, the most that OpenRefine may send: names that the catalog has, and names that it does not
// have, for which similar ones are looked up.
func BenchmarkCandidates(b *testing.B) {
	f := testkit.New(b, services.Parts{})
	all := companytest.Slice(1, *matchCompanies)
	batches := map[string][]search.Asked{}
	for i := range 50 {
		c := all[i*len(all)/50]
		batches["known"] = append(batches["known"], search.Asked{MatchRow: search.MatchRow{Name: c.Name}, Limit: 5})
		batches["similar"] = append(batches["similar"], search.Asked{MatchRow: search.MatchRow{Name: c.Name + "z Holding"}, Limit: 5})
	}
	f.Put(b, all...)
	var caller auth.Caller
	require.NoError(b, f.DB.Tx(b.Context(), func(tx *db.Tx) error {
		ws, err := f.Workspaces.Create(b.Context(), tx, "A workspace")
		caller.Workspace = ws.ID
		return err
	}))
	for kind, rows := range batches {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				found, err := f.Search.Candidates(b.Context(), caller, rows)
				require.NoError(b, err)
				require.Len(b, found, len(rows))
			}
		})
	}
}
