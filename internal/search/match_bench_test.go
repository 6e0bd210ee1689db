package search_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/testkit"
)

var matchCompanies = flag.Int("match.companies", 20_000, "the size of the catalog of BenchmarkMatch")

// BenchmarkMatch measures lists of 10,000 rows from all over the catalog, of which nine in ten have a company.
func BenchmarkMatch(b *testing.B) {
	f := testkit.New(b, services.Parts{})
	size := *matchCompanies
	var batch []catalog.Incoming
	lists := map[string][]search.MatchRow{}
	i, every := 0, max(1, size/search.MatchRowsMax)
	for c := range companytest.Generate(1, size) {
		if i%every == 0 && len(lists["name"]) < search.MatchRowsMax {
			row := search.MatchRow{Domain: c.Domain, Name: c.Name, Country: c.Country}
			if len(lists["name"])%10 == 0 {
				row.Domain, row.Name = fmt.Sprintf("unheard-%d.example", i), fmt.Sprintf("Unheard Of %d", i)
			}
			lists["domain"] = append(lists["domain"], search.MatchRow{Domain: row.Domain})
			lists["name"] = append(lists["name"], search.MatchRow{Name: row.Name, Country: row.Country})
		}
		i++
		if batch = append(batch, catalog.Prepare(c)); len(batch) == 5_000 || i == size {
			_, err := f.Catalog.Put(b.Context(), nil, batch)
			require.NoError(b, err)
			batch = batch[:0]
		}
	}
	var caller auth.Caller
	require.NoError(b, f.DB.Tx(b.Context(), func(tx *db.Tx) error {
		ws, err := f.Workspaces.Create(b.Context(), tx, "A workspace")
		caller.Workspace = ws.ID
		return err
	}))
	for by, rows := range lists {
		b.Run(by, func(b *testing.B) {
			for b.Loop() {
				found, err := f.Search.Match(b.Context(), caller, rows)
				require.NoError(b, err)
				require.Greater(b, len(found.Entries), len(rows)/2)
			}
			b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
