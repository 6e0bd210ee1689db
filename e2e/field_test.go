package e2e

import (
	"fmt"
	"net/http"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was loaded from the files that users have must be found, exported and loaded again. How files are read is tested in
// the importer.

func (c *client) found(t *testing.T, filters map[string]any) []string {
	t.Helper()
	var v struct {
		Items []struct{ Name string }
	}
	c.must(t, http.StatusOK, "POST", "/companies/search", filters, &v)
	out := []string{}
	for _, x := range v.Items {
		out = append(out, x.Name)
	}
	sort.Strings(out)
	return out
}

func TestPlacesThatAnImportSplitAreFound(t *testing.T) { // F04, F26
	t.Parallel()
	s := newFixture(t, 0)
	s.capi(t, "import", s.write(t, "a.csv", "name,locality,country\nacme,\"new york, new york, united states\",united states\nbolt,\"lyon, rhône, france\",france\n"))
	s.capi(t, "import", s.write(t, "b.csv", "name,locality,region,country,size\ncog,houston,texas,united states,11-50\n"))
	c := s.client(s.serve(t))
	require.Equal(t, []string{"acme"}, c.found(t, map[string]any{"cities": []string{"New York"}}))
	require.Equal(t, []string{"acme"}, c.found(t, map[string]any{"states": []string{"New York"}}))
	require.Equal(t, []string{"cog"}, c.found(t, map[string]any{"cities": []string{"Houston"}, "states": []string{"Texas"}}))
	require.Equal(t, []string{"bolt"}, c.found(t, map[string]any{"countries": []string{"FR"}}))
}

func TestNamesInOtherScriptsAndWithAccentsAreFound(t *testing.T) { // F110, F112
	t.Parallel()
	s := newFixture(t, 0)
	s.capi(t, "import", s.write(t, "a.csv", "Company,Country\nLørvéa Möbel,Norway\nТестекс,Russia\n株式会社見本,Japan\nAßmann Straßenbau,Germany\n"))
	c := s.client(s.serve(t))
	for query, want := range map[string]string{"lorvea": "Lørvéa Möbel", "MOBEL": "Lørvéa Möbel", "тестекс": "Тестекс", "見本": "株式会社見本", "strassenbau": "Aßmann Straßenbau"} {
		require.Equal(t, []string{want}, c.found(t, map[string]any{"query": query}), query)
	}
	var v struct {
		Total    int
		Warnings []struct{ Field, Suggestion string }
	}
	c.must(t, http.StatusOK, "POST", "/companies/search", map[string]any{"countries": []string{"Norwya"}}, &v)
	require.Zero(t, v.Total)
	require.Len(t, v.Warnings, 1)
	require.Equal(t, []string{"countries", "Norway"}, []string{v.Warnings[0].Field, v.Warnings[0].Suggestion})
}

func TestAnExportLoadedAgainChangesNothing(t *testing.T) { // F114
	t.Parallel()
	s := newFixture(t, 10)
	s.capi(t, "import", s.write(t, "a.csv", "Company,Website,Location,Employees,Founded,Industry,Investors,Notes\n"+
		"\"Acme, \"\"Best\"\" Tools\",https://www.acme.example/en,\"Bonn, Germany\",51-200,1990,Tools; Steel,Zeta VC,\"=1+1\"\nBolt,,\"Lyon, FR\",,,,,-\nCog & Söhne,cog.example,,0-1,,,,\n"))
	c := s.client(s.serve(t))
	for _, format := range []string{"csv", "json"} {
		var made created
		c.must(t, http.StatusCreated, "POST", "/exports", map[string]any{"name": format, "source_type": "search", "export_format": format, "search_filters": map[string]any{}}, &made)
		c.wait(t, made.Job.ID)
		file := s.write(t, "again."+format, string(c.file(t, made.Job.ID)))
		var summary struct{ Read, Added, Updated, Unchanged, Rejected int }
		s.json(t, &summary, "import", file, "--json")
		require.Equal(t, "{3 0 0 3 0}", fmt.Sprint(summary), format)
	}
}

func TestAddressesOfAListMatchTheCompaniesOfAnImport(t *testing.T) { // F118
	t.Parallel()
	s := newFixture(t, 0)
	s.capi(t, "import", s.write(t, "a.csv", "Company,Website\nAcme,www.acme.example\nMüller,http://müller.example\nBolt,bolt.example\n"))
	c := s.client(s.serve(t))
	var made struct{ ID string }
	c.must(t, http.StatusCreated, "POST", "/lists", map[string]any{"name": "field"}, &made)
	var v struct {
		Matched   int
		Unmatched []string `json:"unmatched_domains"`
	}
	c.must(t, http.StatusOK, "POST", "/lists/"+made.ID+"/companies",
		map[string]any{"domains": []string{"https://www.acme.example/x", "ACME.EXAMPLE", "acme.example:443", "MÜLLER.example", "nobody.example"}}, &v)
	require.Equal(t, 2, v.Matched)
	require.Equal(t, []string{"nobody.example"}, v.Unmatched)
}
