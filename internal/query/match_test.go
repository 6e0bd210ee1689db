package query_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	known := querytest.IDOf(9)
	c := &company.Company{
		Name: "Zürich Data", Description: "Works of the e-mail kind. 東京タワー株式会社", Country: "United States", City: "São Paulo",
		Industries: []string{"Fin-Tech"}, NAICSCodes: []string{"522320"}, Technologies: []string{"C++"}, EmployeeCount: ptr(50),
		Connections: []company.Connection{
			{Category: "Vendor", ID: known, Domain: "Salesforce.example"}, {Category: "investor", Domain: "fund.example"},
		},
	}
	matched := []string{
		`{}`, `{"query":"zurich"}`, `{"query":"DATA zürich"}`, `{"query":"\"of the e mail\""}`, `{"query":"data works"}`,
		`{"query":"東京"}`, `{"query":"タワー"}`, `{"keywords":["zurich data"]}`, `{"keywords":["nothing","kind"]}`,
		`{"countries":["us","DE"]}`, `{"countries":["America"]}`, `{"cities":["sao paulo"]}`, `{"industries":["FIN–TECH"]}`,
		`{"exclude_industries":["Fintech"]}`, `{"exclude_keywords":["data works"]}`, `{"naics_codes":["52"]}`,
		`{"naics_codes":["31-33","52"]}`, `{"technologies":["c++"]}`, `{"employee_count_min":50,"employee_count_max":50}`,
		`{"connections":[{"category":"VENDOR","connected_domain":"www.salesforce.example"}]}`,
		`{"connections":[{"connected_company_id":"` + known.String() + `"},{"category":"nobody"}]}`,
	}
	missed := []string{
		`{"query":"zur"}`, `{"query":"\"data zurich\""}`, `{"query":"\"data works\""}`, `{"query":"京東"}`, `{"query":"data berlin"}`,
		`{"keywords":["data works"]}`, `{"countries":["Brazil"]}`, `{"states":["California"]}`, `{"industries":["Fintech"]}`,
		`{"exclude_industries":["fin-tech"]}`, `{"exclude_keywords":["kind","x"]}`, `{"naics_codes":["53"]}`,
		`{"technologies":["C#"]}`, `{"employee_count_min":51}`, `{"founded_year_min":0}`, `{"founded_year_max":9999}`,
		`{"connections":[{"category":"investor","connected_domain":"salesforce.example"}]}`,
		`{"connections":[{"connected_company_id":"` + querytest.IDOf(8).String() + `"}]}`,
	}
	for json, want := range map[*[]string]bool{&matched: true, &missed: false} {
		for _, s := range *json {
			q, _, err := query.ParseJSON([]byte(s))
			require.NoError(t, err, s)
			require.Equal(t, want, query.Match(q, c), s)
		}
	}
}

func TestAPhraseWithoutSpacesEndsAtPunctuation(t *testing.T) {
	t.Parallel()
	for described, asked := range map[string]map[string]bool{
		"软件，开发":     {`{"keywords":["软件开发"]}`: false, `{"query":"软件开发"}`: false, `{"query":"软件，开发"}`: true, `{"keywords":["软件、开发"]}`: true},
		"软件开发公司":    {`{"keywords":["软件开发"]}`: true, `{"query":"软件开发"}`: true, `{"query":"开发，软件"}`: true, `{"query":"\"软件，开发\""}`: false},
		"软件（开发）":    {`{"keywords":["软件开发"]}`: true, `{"query":"软件，开发"}`: true},
		"東京。京都":     {`{"query":"東京 京都"}`: true, `{"query":"京京"}`: false, `{"query":"\"東京 京都\""}`: false},
		"big, data": {`{"keywords":["big data"]}`: true, `{"query":"\"big data\""}`: true},
	} {
		for s, want := range asked {
			q, _, err := query.ParseJSON([]byte(s))
			require.NoError(t, err, s)
			require.Equal(t, want, query.Match(q, &company.Company{Description: described}), "%s in %s", s, described)
		}
	}
}

func TestANameIsFoundWithItsApostropheAndWithout(t *testing.T) {
	t.Parallel()
	for name, asked := range map[string]map[string]bool{
		"McDonald’s": {"mcdonald's": true, "mcdonalds": true, "mcdonald": true, "McDonald`s": true, "mcdonal": false, `"mcdonalds"`: true},
		"MCDONALDS":  {"mcdonald's": true, "mcdonalds": true, "mcdonald": false},
		"MCDONALD S": {"mcdonald's": true, "mcdonalds": false, "mcdonald": true},
		"L'Oréal":    {"loreal": true, "l'oreal": true, "oreal": true},
		"Loreal":     {"l’oréal": true, "oreal": false},
		"O'Reilly":   {"oreilly": true, "o'reilly": true, "reilly": true, "o’reilly’s": false},
		"I'll shop":  {"ill": false, "i'll": true},
		"Ben's Shop": {`"bens shop"`: false, `"ben's shop"`: true, "bens shop": true},
	} {
		for words, want := range asked {
			q, err := query.Parse(query.Filters{Query: words})
			require.NoError(t, err, words)
			require.Equal(t, want, query.Match(q, &company.Company{Name: name}), "%s as %s", name, words)
		}
	}
}

func TestExclusionsKeepCompaniesOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`{"exclude_industries":["Software"]}`, `{"exclude_keywords":["data"]}`} {
		q, _, err := query.ParseJSON([]byte(s))
		require.NoError(t, err)
		require.True(t, query.Match(q, &company.Company{Name: "A"}), s)
	}
}

// TestAConnectionToAnUnknownCompanyHasNoID guards that a zero id in the data meets no id that is asked for.
func TestAConnectionToAnUnknownCompanyHasNoID(t *testing.T) {
	t.Parallel()
	c := &company.Company{Connections: []company.Connection{{Category: "vendor", ID: id.Company{}}}}
	require.True(t, query.MatchNode(query.Connected{Category: "vendor"}, c))
	require.False(t, query.MatchNode(query.Connected{Company: querytest.IDOf(1)}, c))
}

func TestUnknownValuesSortLastInBothDirections(t *testing.T) {
	t.Parallel()
	companies := []*company.Company{
		{Number: 1, Name: "", FoundedYear: ptr(2000)},
		{Number: 2, Name: "Émile", EmployeeCount: ptr(5)},
		{Number: 3, Name: "fabrik", EmployeeCount: ptr(0), FoundedYear: ptr(2000)},
		{Number: 4, Name: "Echo", EmployeeCount: ptr(5)},
	}
	for _, c := range []struct {
		by, order string
		want      []company.Number
	}{
		{"employee_count", "desc", []company.Number{2, 4, 3, 1}},
		{"employee_count", "asc", []company.Number{3, 2, 4, 1}},
		{"founded_year", "desc", []company.Number{1, 3, 2, 4}},
		{"name", "asc", []company.Number{4, 2, 3, 1}},
		{"name", "desc", []company.Number{3, 2, 4, 1}},
		{"updated_at", "desc", []company.Number{1, 2, 3, 4}},
		{"relevance", "desc", []company.Number{1, 2, 3, 4}},
	} {
		s, err := query.ParseSort(c.by, c.order, false)
		require.NoError(t, err)
		sorted := slices.SortedFunc(slices.Values(companies), s.Compare)
		var got []company.Number
		for _, x := range sorted {
			got = append(got, x.Number)
		}
		require.Equal(t, c.want, got, s)
	}
}
