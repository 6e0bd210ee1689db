package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

func one(t *testing.T, name, content string, m importer.Mapping) (*company.Company, importer.Summary) {
	t.Helper()
	b, s := loadWith(t, importer.Options{Files: []string{write(t, name, content)}, Mapping: m})
	return all(t, b)[0], s
}

func TestMembersOfObjectsBecomeColumns(t *testing.T) {
	t.Parallel()
	c, s := one(t, "a.json", `{"page": 1, "results": [{"organization": {"name": "Acme", "primary_domain": "acme.example",
		"location": {"city": "Austin", "state": "TX", "country": "US"}}, "employees": {"range": "51-200"},
		"founded": {"year": 2001}, "revenue": {"amount": 5, "currency": "EUR"}, "parent": {"name": "Zeta", "domain": "zeta.example"}}]}`,
		importer.Mapping{})
	require.Equal(t, []string{"Acme", "acme.example", "Austin", "Texas", "United States"}, []string{c.Name, c.Domain, c.City, c.State, c.Country})
	require.Equal(t, int64(51), *c.EmployeeCount)
	require.Equal(t, int64(2001), *c.FoundedYear)
	require.Equal(t, "EUR", c.Attributes["revenue.currency"])
	require.Equal(t, 1, s.Connections.Added)
	require.Equal(t, []company.Connection{{Category: "parent", Name: "Zeta", Domain: "zeta.example"}}, c.Connections)
}

func TestHeadersInOtherScriptsAreMapped(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "会社名,ウェブサイト,国,都市,従業員数,設立年,業種\n山田製作所,https://yamada.example,日本,大阪,51-200人,1950,製造\n", importer.Mapping{})
	require.Equal(t, []string{"山田製作所", "yamada.example", "Japan", "大阪"}, []string{c.Name, c.Domain, c.Country, c.City})
	require.Equal(t, []int64{51, 1950}, []int64{*c.EmployeeCount, *c.FoundedYear})
	require.Equal(t, []string{"製造"}, c.Industries)
}

func TestAColumnNamedTypeIsAnIndustryOnlyIfItsValuesAre(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "name,type\nAcme,Public\nBolt,Privately Held\n", importer.Mapping{})
	require.Empty(t, c.Industries)
	require.Equal(t, "Public", c.Attributes["type"])
	c, _ = one(t, "a.csv", "name,industry,type\nAcme,Anvils,Foundry\n", importer.Mapping{})
	require.Equal(t, []string{"Anvils"}, c.Industries)
	c, _ = one(t, "a.csv", "name,type\nAcme,Anvils\nBolt,Bolts\n", importer.Mapping{})
	require.Equal(t, []string{"Anvils"}, c.Industries)
}

func TestRowsMayLackTheirLastCells(t *testing.T) {
	t.Parallel()
	b, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", "name,city,country,notes\nAcme,Bonn,Germany\n,,,\nBolt,Ulm\nCog,Jena,Germany,x,,\n")}})
	require.Equal(t, []string{"Acme", "Cog"}, names(t, b))
	require.Equal(t, 3, s.Read, "an empty row is not a record")
	require.Equal(t, 1, s.Rejected, "the row lacks half of its cells")
}

func TestSettingAListReplacesIt(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "name,sector,investors\nAcme,Anvils,Zeta\n", importer.Mapping{Set: map[string]string{"industries": "Tools|Steel", "connections.investor": "Bolt"}})
	require.Equal(t, []string{"Tools", "Steel"}, c.Industries)
	require.Len(t, c.Connections, 1)
	require.Equal(t, "Bolt", c.Connections[0].Name)
}

func TestAKeyMatchesTheSameCompaniesAgain(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load := func(content string, m importer.Mapping) importer.Summary {
		s, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, "crm.csv", content)}, Mapping: m})
		require.NoError(t, err)
		return s
	}
	first := load("account no,name,domain\nA-1,Acme,acme.example\nA-2,Acme,acme.example\n", importer.Mapping{Key: "Account No"})
	require.Equal(t, 2, first.Added, "two keys are two companies")
	second := load("account no,name,domain\nA-2,Bolt,bolt.example\n", first.Sources[0].Mapping)
	require.Equal(t, []int{0, 1}, []int{second.Added, second.Updated})
	require.Equal(t, []string{"Acme", "Bolt"}, names(t, b))
	_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, "x.csv", "name\nAcme\n")}, Mapping: importer.Mapping{Key: "nmae"}})
	require.ErrorContains(t, err, `did you mean "name"?`)
}

func TestADryRunCountsConnections(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	content := "name,investors\nAcme,Zeta; Bolt\nBolt,Zeta\n"
	o := importer.Options{Catalog: b, Files: []string{write(t, "a.csv", content)}, DryRun: true}
	for _, want := range [][]int{{3, 3, 0}, {3, 0, 3}} {
		dry, err := importer.Import(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, want, []int{dry.Connections.Read, dry.Connections.Added, dry.Connections.Unchanged})
		wet := o
		wet.DryRun = false
		done, err := importer.Import(t.Context(), wet)
		require.NoError(t, err)
		require.Equal(t, want, []int{done.Connections.Read, done.Connections.Added, done.Connections.Unchanged})
	}
}

func TestEachFileWithoutUsableRecordsSaysWhy(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{
		write(t, "many.csv", "name,city\n\"Acme,Bonn\n\"Bolt,Ulm\n\"Cog,Jena\n"), write(t, "few.csv", "name,city\n,Bonn\n"),
	}})
	require.ErrorContains(t, err, "many.csv: no record could be used: unbalanced quotes")
	require.ErrorContains(t, err, "few.csv: no record could be used: no name, domain")
}

func TestDocumentsOfAnotherShapeAreAnError(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`[["name","city"],["Acme","Bonn"]]` + "\n" + `[["city","name"],["Ulm","Bolt"]]`, "[\n" + `{"name":"Acme"}` + "\n]\n" + `[["name"],["Bolt"]]`} {
		b := catalog.New(dbtest.SQLite(t))
		_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, "a.json", content)}})
		require.ErrorContains(t, err, "a document of another shape begins after the end of the first one", content)
		require.Empty(t, all(t, b), "it is found in the sample")
	}
}

func TestLinesOfATextAreNotNames(t *testing.T) {
	t.Parallel()
	_, err := importer.Import(t.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(t)), Files: []string{write(t, "a.txt", "commit 1234\nAuthor: Ada Moss\nDate: Monday\nSubject: Tools\n")}})
	require.ErrorIs(t, err, importer.ErrNoColumns)
}

func TestRowsOfTwoCompaniesAreNotMerges(t *testing.T) {
	t.Parallel()
	_, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv",
		"company_name,company_city,acquirer_name,acquirer_city\nAcme,Bonn,Zeta,Ulm\nBolt,Jena,Zeta,Ulm\nCog,Trier,Zeta,Ulm\n")}})
	require.Equal(t, 4, s.Added)
	require.Zero(t, s.Merges.Count)
}
