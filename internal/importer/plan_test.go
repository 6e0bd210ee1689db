package importer_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

func loadWith(t *testing.T, o importer.Options) (*catalog.Store, importer.Summary) {
	t.Helper()
	o.Catalog = catalog.New(dbtest.SQLite(t))
	s, err := importer.Import(t.Context(), o)
	require.NoError(t, err)
	return o.Catalog, s
}

const odd = "Kunde;Sitz;Größe;Notiz\nAcme GmbH;Bonn;51-200;gut\nBolt AG;Ulm;11-50;\n"

func TestColumnsAreMappedByOptionsAndByASavedMapping(t *testing.T) {
	t.Parallel()
	mapping := importer.Mapping{
		Map: map[string][]string{"name": {"Kunde"}, "city": {"sitz"}, "attributes.size": {"Größe"}}, Set: map[string]string{"country": "Germany"},
		Skip: []string{"Notiz"},
	}
	file := write(t, "a.csv", odd)
	b, s := loadWith(t, importer.Options{Files: []string{file}, Mapping: mapping})
	c := all(t, b)[0]
	require.Equal(t, []string{"Acme GmbH", "Bonn", "Germany"}, []string{c.Name, c.City, c.Country})
	require.Equal(t, map[string]any{"size": "51-200"}, c.Attributes)

	saved := filepath.Join(t.TempDir(), "m.toml")
	require.NoError(t, s.Sources[0].Mapping.Save(saved))
	again, err := importer.LoadMapping(saved)
	require.NoError(t, err)
	b, _ = loadWith(t, importer.Options{Files: []string{file}, Mapping: again})
	require.Equal(t, c.Attributes, all(t, b)[0].Attributes)
	require.Equal(t, "Bonn", all(t, b)[0].City)

	for _, m := range []importer.Mapping{{Map: map[string][]string{"nmae": {"Kunde"}}}, {Map: map[string][]string{"name": {"Kunden"}}}} {
		_, err := importer.Import(t.Context(), importer.Options{Files: []string{file}, Mapping: m, Catalog: b})
		require.ErrorContains(t, err, "did you mean")
	}
}

func TestUsualSpellingsOfColumnsAreMapped(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Company Name", "organization", "companyName", "COMPANY", "Firma"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			b, _ := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", header+
				",Homepage URL,HQ,Team Size,Year Established,Tech Stack,Sector\nAcme,https://acme.example,\"Lyon, France\",1k-5k,2001,Go|Rust,Anvils\n")}})
			c := all(t, b)[0]
			require.Equal(t, []string{"Acme", "acme.example", "Lyon", "France"}, []string{c.Name, c.Domain, c.City, c.Country})
			require.Equal(t, int64(1000), *c.EmployeeCount)
			require.Equal(t, int64(2001), *c.FoundedYear)
			require.Equal(t, []string{"Go", "Rust"}, c.Technologies)
			require.Equal(t, []string{"Anvils"}, c.Industries)
			require.Equal(t, "1k-5k", c.Attributes["employee_range"])
		})
	}
}

func TestRowsOfTwoCompaniesAddBothAndConnectThem(t *testing.T) {
	t.Parallel()
	b, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv",
		"company_permalink,company_name,company_country_code,company_state_code,acquirer_permalink,acquirer_name,acquirer_country_code,acquired_at\n"+
			"/acme,Acme,RUS,48,/zeta,Zeta,USA,2012-01-01\n/bolt,Bolt,USA,CA,/zeta,Zeta,USA,2013-01-01\n")}})
	require.Equal(t, 3, s.Added)
	require.Equal(t, 4, s.Read)
	require.Equal(t, 4, s.Connections.Added)
	cs := all(t, b)
	require.Equal(t, "acquirer", cs[0].Connections[0].Category)
	require.Equal(t, company.Number(2), cs[0].Connections[0].Number)
	require.Len(t, cs[1].Connections, 2)
	require.Equal(t, []string{"Russia", ""}, []string{cs[0].Country, cs[0].State})
	require.Equal(t, "California", cs[2].State)
	require.Equal(t, "2012-01-01", cs[0].Attributes["acquired_at"])
	require.Equal(t, "/zeta", cs[1].Attributes["permalink"])
}

func TestConnectionsAreReadFromColumns(t *testing.T) {
	t.Parallel()
	b, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv",
		"name,parent_company,investors,acquirer_name\nAcme,\"Holding, Inc.\",\"Zeta Capital; Bolt (bolt.example)\",\nBolt,,,Acme\n")}})
	require.Equal(t, 4, s.Connections.Added)
	got := []string{}
	for _, c := range all(t, b) {
		for _, x := range c.Connections {
			got = append(got, c.Name+" "+x.Category+" "+x.Name)
		}
	}
	require.ElementsMatch(t, []string{"Acme parent Holding, Inc.", "Acme investor Zeta Capital", "Acme investor Bolt", "Bolt acquirer Acme"}, got)
}

func TestADryRunWritesNothingAndReportsWhatWouldHappen(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "a.csv", "name,domain\nAcme,acme.example\n"))
	before, err := b.Seq(t.Context())
	require.NoError(t, err)
	content := "name,domain,city\nAcme,acme.example,Bonn\nBolt,bolt.example,\nBolt,bolt.example,\n,,Ulm\n"
	dry, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, "b.csv", content)}, DryRun: true})
	require.NoError(t, err)
	after, err := b.Seq(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Len(t, all(t, b), 1)
	require.Equal(t, []string{"name", "domain", "city"}, []string{dry.Sources[0].Columns[0].Field, dry.Sources[0].Columns[1].Field, dry.Sources[0].Columns[2].Field})
	require.Contains(t, dry.Sources[0].Empty, "country")
	wet := load(t, b, write(t, "b.csv", content))
	require.Equal(t, []int{wet.Read, wet.Added, wet.Updated, wet.Unchanged, wet.Rejected}, []int{dry.Read, dry.Added, dry.Updated, dry.Unchanged, dry.Rejected})
	require.Equal(t, []int{4, 1, 1, 1, 1}, []int{dry.Read, dry.Added, dry.Updated, dry.Unchanged, dry.Rejected})
}

func TestRejectedRowsCanBeCorrectedAndImportedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rejects.csv")
	b, s := loadWith(t, importer.Options{
		Files:   []string{write(t, "a.csv", "name,city\nAcme,Bonn\n\"Bolt,Ulm\nCog,Jena,x\nDot\n")},
		Rejects: func(string, string) (io.WriteCloser, error) { return os.Create(path) },
	})
	require.Equal(t, path, s.Sources[0].Rejects)
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "name,city\n#> line 3: unbalanced quotes\n\"Bolt,Ulm\n#> line 4: the record has a different number of cells than the header: 3 cells, 2 columns\nCog,Jena,x\n"+
		"#> line 5: the record has a different number of cells than the header: 1 cell, 2 columns\nDot\n", string(p))
	corrected := strings.NewReplacer("\"Bolt", "Bolt", ",x", "").Replace(string(p))
	require.Equal(t, 2, load(t, b, write(t, "m.csv", corrected)).Added)
	require.Equal(t, []string{"Acme", "Bolt", "Cog"}, names(t, b))
}

func TestAFileWithoutUsableRecordsIsAnError(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, "a.csv", "name,city\n,Bonn\n")}})
	require.ErrorContains(t, err, "no record could be used")
}

func TestCountsOfAnInterruptedImportAddUp(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	var content strings.Builder
	content.WriteString("name,city,investors\n")
	for i := range 20_000 {
		fmt.Fprintf(&content, "Company %d,Bonn,Zeta %d\n", i, i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := importer.Import(ctx, importer.Options{
		Catalog: b, Files: []string{write(t, "a.csv", content.String())},
		Progress: func(p importer.Progress) {
			if p.Summary.Added > 0 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, s.Read, 20_000)
	require.Equal(t, s.Read, s.Added+s.Updated+s.Unchanged+s.Rejected)
	require.Equal(t, s.Read, s.Connections.Read+s.Connections.Left, "each connection of what was written is accounted for")
	require.Len(t, all(t, b), s.Added)
}

func TestPatternsMatchFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "b.csv", "c.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("name\nCompany "+name+"\n"), 0o600))
	}
	_, s := loadWith(t, importer.Options{Files: []string{filepath.Join(dir, "*.csv")}})
	require.Equal(t, 2, s.Added)
	_, err := importer.Import(t.Context(), importer.Options{Files: []string{filepath.Join(dir, "*.parquet")}})
	require.ErrorIs(t, err, os.ErrNotExist)
}
