package importer_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

// BenchmarkImport loads 500,000 generated companies with their connections, 50,000 with -short, into a fresh database.
func BenchmarkImport(b *testing.B) {
	n := 500_000
	if testing.Short() {
		n = 50_000
	}
	file := generated(b, n, false)
	for b.Loop() {
		book := catalog.New(dbtest.SQLite(b))
		s, err := importer.Import(b.Context(), importer.Options{Catalog: book, Files: []string{file}})
		require.NoError(b, err)
		require.Equal(b, n, s.Read)
		require.Empty(b, s.Reasons)
		b.ReportMetric(float64(n)/s.Took.Seconds(), "companies/s")
		b.Logf("%+v", s)
	}
}

// BenchmarkImportConnected is BenchmarkImport with connections in the records.
func BenchmarkImportConnected(b *testing.B) {
	const n = 50_000
	file := generated(b, n, true)
	for b.Loop() {
		book := catalog.New(dbtest.SQLite(b))
		s, err := importer.Import(b.Context(), importer.Options{Catalog: book, Files: []string{file}})
		require.NoError(b, err)
		require.Empty(b, s.Reasons)
		b.ReportMetric(float64(n)/s.Took.Seconds(), "companies/s")
		b.ReportMetric(float64(s.Connections.Read)/s.Took.Seconds(), "connections/s")
		b.Logf("%+v", s)
	}
}

func generated(tb testing.TB, n int, connections bool) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "companies.ndjson")
	f, err := os.Create(path)
	require.NoError(tb, err)
	w := bufio.NewWriterSize(f, 1<<20)
	enc := json.NewEncoder(w)
	for c := range companytest.Generate(1, n) {
		line := map[string]any{
			"name": c.Name, "domain": c.Domain, "website": c.Website, "linkedin_url": c.LinkedInURL, "description": c.Description,
			"country": c.Country, "state": c.State, "city": c.City, "industries": c.Industries, "naics_codes": c.NAICSCodes,
			"technologies": c.Technologies, "technology_categories": c.TechnologyCategories, "employee_count": c.EmployeeCount,
			"founded_year": c.FoundedYear,
		}
		if connections {
			var to []map[string]string
			for _, x := range c.Connections {
				to = append(to, map[string]string{"category": x.Category, "name": x.Name, "domain": x.Domain})
			}
			line["connections"] = to
		}
		require.NoError(tb, enc.Encode(line))
	}
	require.NoError(tb, w.Flush())
	require.NoError(tb, f.Close())
	return path
}

// BenchmarkImportCSV loads 300,000 rows of a CSV file of another shape than ours, 30,000 with -short, into a fresh database.
func BenchmarkImportCSV(b *testing.B) {
	n := 300_000
	if testing.Short() {
		n = 30_000
	}
	path := filepath.Join(b.TempDir(), "companies.csv")
	f, err := os.Create(path)
	require.NoError(b, err)
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "Company Name,Homepage,Country Code,State,City,Sector,Team Size,Year Established,About")
	sizes := []string{"51-200", "11-50", `"1,234"`, "10k+"}
	for i := range n {
		fmt.Fprintf(w, "\"Company %d, Inc.\",https://www.company%d.example/,USA,CA,San Jose,Software|Internet,%s,%d (1888),We make things for company %d\n",
			i, i, sizes[i%len(sizes)], 1900+i%120, i)
	}
	require.NoError(b, w.Flush())
	require.NoError(b, f.Close())
	for b.Loop() {
		s, err := importer.Import(b.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(b)), Files: []string{path}})
		require.NoError(b, err)
		require.Equal(b, n, s.Added)
		b.ReportMetric(float64(n)/s.Took.Seconds(), "rows/s")
	}
}

// BenchmarkImportReal loads the real companies, where they are, into a fresh database.
func BenchmarkImportReal(b *testing.B) {
	file := filepath.Join(realData(b), "companies.ndjson.gz")
	for b.Loop() {
		s, err := importer.Import(b.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(b)), Files: []string{file}})
		require.NoError(b, err)
		b.ReportMetric(float64(s.Read)/s.Took.Seconds(), "companies/s")
	}
}
