package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

const groupReason = "the row is the heading or the sum of a group, and no company: line "

func TestGroupsOfRowsAreNoCompanies(t *testing.T) {
	t.Parallel()
	three := []facts{{"name": "Acme GmbH", "employees": "100"}, {"name": "Bolt AG", "employees": "200"}, {"name": "Cog SA", "employees": "70"}}
	said := func(lines ...string) (out []string) {
		for _, line := range lines {
			out = append(out, groupReason+line)
		}
		return out
	}
	for _, tr := range []trait{
		{
			"countries above their companies in a pivot table", bookOf(t, unchanged, []any{"Row Labels", "Employees", "Revenue"}, []any{"Germany", 300, 50}, []any{"Acme GmbH", 100, 20},
				[]any{"Bolt AG", 200, 30}, []any{"France", 70, 9}, []any{"Cog SA", 70, 9}, []any{"Grand Total", 370, 59}), three, said("2", "5"),
		},
		{
			"companies that are indented", csvFile("Company,Employees,Website", "Steel,300,", "  Acme GmbH,100,acme.example", "  Bolt AG,200,", "Glass,70,", "  Cog SA,70,cog.example"), three, said("2", "5"),
		},
		{
			"companies below groups in two levels", csvFile("Firma;Mitarbeiter", "Europa;370", "  Deutschland;300", "    Acme GmbH;100", "    Bolt AG;200", "  Frankreich;70", "    Cog SA;70"), three,
			said("2", "3", "6"),
		},
		{
			"sums of industries in German", csvFile("Zeilenbeschriftungen;Summe von Mitarbeiter", "Stahl;300", "Acme GmbH;100", "Bolt AG;200", "Glas;70", "Cog SA;70", "Gesamtergebnis;370"), three,
			said("2", "5"),
		},
		{
			"countries alone on a line", csvFile("Société,Site,Effectif", "Allemagne,,", "Acme GmbH,acme.example,100", "Bolt AG,,200", "France,,", "Cog SA,cog.example,70"), three, said("2", "5"),
		},
		{"letters of an index", csvFile("Name,Employees,City", "A,,", "Acme GmbH,100,Bonn", "B,,", "Bolt AG,200,Ulm", "C,,", "Cog SA,70,Lyon"), three, said("2", "4", "6")},
		{
			"industries alone on a line", csvFile("Azienda;Dipendenti;Sito", "Acciaio;;", "Acme GmbH;100;acme.example", "Vetro;;", "Bolt AG;200;bolt.example", "Legno;;", "Cog SA;70;cog.example"), three,
			said("2", "4", "6"),
		},
		{
			"subtotals in English", csvFile("Company,Country,Employees", "Acme GmbH,Germany,100", "Bolt AG,Germany,200", "Germany Total,,300", "Cog SA,France,70", "France Total,,70", "Grand Total,,370"), three,
			said("4", "6"),
		},
		{
			"subtotals in German", csvFile("Firma;Land;Mitarbeiter", "Acme GmbH;Deutschland;100", "Bolt AG;Deutschland;200", "Ergebnis Deutschland;;300", "Cog SA;Frankreich;70", "Summe Frankreich;;70", "Gesamtergebnis;;370"),
			three, said("4", "6"),
		},
		{
			"subtotals in Japanese", csvFile("会社名,国,従業員数", "Acme GmbH,ドイツ,100", "Bolt AG,ドイツ,200", "ドイツ 集計,,300", "Cog SA,フランス,70", "フランス 集計,,70", "総計,,370"), three, said("4", "6"),
		},
		{
			"counts of what belongs to a company", csvFile("Company,Contact,Employees", "Acme GmbH,Ada,100", "Acme GmbH Count,,1", "Bolt AG,Bo,200", "Bolt AG Count,,1", "Cog SA,Cy,70"), three, said("3", "5"),
		},
	} {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			tr.check(t)
		})
	}
}

func TestCompaniesThatLookLikeGroupsStayCompanies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file []file
		want []string
	}{
		"holdings above their subsidiaries":    {csvFile("Company,Website,City", "Acme Holding,acme.example,Bonn", "  Acme Nord,nord.example,Kiel", "Bolt Holding,bolt.example,Ulm", "  Bolt One,one.example,Köln"), []string{"Acme Holding", "Acme Nord", "Bolt Holding", "Bolt One"}},
		"names alone on a line here and there": {csvFile("Company,Website,City", "Acme,,", "Bolt,bolt.example,Ulm", "Cog,,", "Dent,dent.example,Kiel", "Echo,echo.example,Bonn"), []string{"Acme", "Bolt", "Cog", "Dent", "Echo"}},
		"names of countries":                   {csvFile("Company,Website,Employees", "Jordan,jordan.example,10", "Chad,chad.example,20", "Acme,acme.example,30"), []string{"Jordan", "Chad", "Acme"}},
		"one name of a country":                {csvFile("Company,Employees", "Jordan,10", "Acme,20", "Bolt,30"), []string{"Jordan", "Acme", "Bolt"}},
		"a word of totals":                     {csvFile("Company,Country,Employees", "Total France,France,10", "Total Wine,,20", "Acme,Germany,30"), []string{"Total France", "Total Wine", "Acme"}},
		"numbers that add up by chance":        {csvFile("Company,Offices", "Acme,2", "Bolt,1", "Cog,1", "Dent,3", "Echo,2", "Fox,1"), []string{"Acme", "Bolt", "Cog", "Dent", "Echo", "Fox"}},
		"numbers that do not add up":           {csvFile("Company,Employees,Revenue", "Acme,300,50", "Bolt,100,20", "Cog,200,31", "Dent,70,9", "Echo,70,9"), []string{"Acme", "Bolt", "Cog", "Dent", "Echo"}},
		"the first name without its indent":    {csvFile("Company,Employees", "Acme,10", "  Bolt,20", "  Cog,30"), []string{"Acme", "Bolt", "Cog"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			load(t, b, write(t, c.file[0].name, c.file[0].content))
			require.Equal(t, c.want, names(t, b))
		})
	}
}

func TestGroupsBelowTheSampleAreFoundByItsEvidence(t *testing.T) {
	t.Parallel()
	lines := []string{"Company,Employees"}
	for range 1500 { // more rows than the sample has
		lines = append(lines, "Germany,3", "  Acme,3")
	}
	lines = append(lines, "France,7", "  Bolt,7")
	b := catalog.New(dbtest.SQLite(t))
	s := load(t, b, write(t, "a.csv", csvFile(lines...)[0].content))
	require.Equal(t, []string{"Acme", "Bolt"}, names(t, b))
	require.Equal(t, 1501, s.Rejected)
	require.Equal(t, importer.ReasonGroup, s.Reasons[0].Reason)
}
