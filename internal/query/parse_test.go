package query_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

func ptr(n int64) *int64 { return &n }

func TestParseReadsEachFilter(t *testing.T) {
	t.Parallel()
	for json, want := range map[string]query.Node{
		`{}`:                            nil,
		`{"query":null}`:                nil,
		`{"query":""}`:                  nil,
		`{"countries":[]}`:              nil,
		`{"query":"Fintech"}`:           query.Term{Word: "fintech"},
		`{"query":"big data"}`:          query.And{query.Term{Word: "big"}, query.Term{Word: "data"}},
		`{"query":"\"big data\""}`:      query.Phrase{Words: []string{"big", "data"}},
		`{"query":"“Big  Data”"}`:       query.Phrase{Words: []string{"big", "data"}},
		`{"query":"\"big data"}`:        query.Phrase{Words: []string{"big", "data"}},
		`{"query":"e-mail"}`:            query.And{query.Term{Word: "e"}, query.Term{Word: "mail"}},
		`{"query":"東京"}`:                query.Phrase{Words: []string{"東", "京"}},
		`{"query":"東京 AI企業"}`:           query.And{query.Term{Word: "ai"}, query.Phrase{Words: []string{"企", "業"}}, query.Phrase{Words: []string{"東", "京"}}},
		`{"query":"软件，开发"}`:             query.And{query.Phrase{Words: []string{"开", "发"}}, query.Phrase{Words: []string{"软", "件"}}},
		`{"query":"软，x"}`:               query.And{query.Term{Word: "x"}, query.Term{Word: "软"}},
		`{"query":"\"软件，开发\""}`:         query.Phrase{Words: []string{"软", "件", ",", "开", "发"}},
		`{"keywords":["软件，开发"]}`:        query.Phrase{Words: []string{"软", "件", ",", "开", "发"}},
		`{"keywords":["a, b"]}`:         query.Phrase{Words: []string{"a", "b"}},
		`{"query":"Lowe’s"}`:            query.Or{query.Term{Word: "lowes"}, query.Phrase{Words: []string{"lowe", "s"}}},
		`{"query":"l'Or, a"}`:           query.And{query.Term{Word: "a"}, query.Or{query.Term{Word: "lor"}, query.Phrase{Words: []string{"l", "or"}}}},
		`{"query":"\"lowe's\""}`:        query.Phrase{Words: []string{"lowe", "s"}},
		`{"keywords":["lowe's"]}`:       query.Phrase{Words: []string{"lowe", "s"}},
		`{"query":"don't"}`:             query.And{query.Term{Word: "t"}, query.Term{Word: "don"}},
		`{"query":"x X ×x"}`:            query.Term{Word: "x"},
		`{"countries":["US"]}`:          query.OneOf{Field: query.FieldCountry, Values: []string{"united states"}},
		`{"countries":["usa","de"]}`:    query.OneOf{Field: query.FieldCountry, Values: []string{"germany", "united states"}},
		`{"countries":["NA"]}`:          query.OneOf{Field: query.FieldCountry, Values: []string{"namibia"}},
		`{"countries":["Ätlantis"]}`:    query.OneOf{Field: query.FieldCountry, Values: []string{"atlantis"}},
		`{"states":["California"]}`:     query.OneOf{Field: query.FieldState, Values: []string{"california"}},
		`{"cities":["ZÜRICH","Łódź"]}`:  query.OneOf{Field: query.FieldCity, Values: []string{"lodz", "zurich"}},
		`{"industries":["A","a"]}`:      query.OneOf{Field: query.FieldIndustry, Values: []string{"a"}},
		`{"exclude_industries":["A"]}`:  query.Not{Node: query.OneOf{Field: query.FieldIndustry, Values: []string{"a"}}},
		`{"naics_codes":["52"," 52 "]}`: query.Prefix{Field: query.FieldNAICS, Value: "52"},
		`{"naics_codes":["31-33"]}`: query.Or{
			query.Prefix{Field: query.FieldNAICS, Value: "31"},
			query.Prefix{Field: query.FieldNAICS, Value: "32"},
			query.Prefix{Field: query.FieldNAICS, Value: "33"},
		},
		`{"technologies":["C++"]}`:          query.OneOf{Field: query.FieldTechnology, Values: []string{"c++"}},
		`{"technology_categories":["CRM"]}`: query.OneOf{Field: query.FieldTechnologyCategory, Values: []string{"crm"}},
		`{"employee_count_min":50}`:         query.Range{Field: query.FieldEmployeeCount, Min: ptr(50)},
		`{"employee_count_max":0}`:          query.Range{Field: query.FieldEmployeeCount, Max: ptr(0)},
		`{"founded_year_min":2000,"founded_year_max":2000}`: query.Range{
			Field: query.FieldFoundedYear, Min: ptr(2000), Max: ptr(2000),
		},
		`{"employee_count_min":1e3}`:                                           query.Range{Field: query.FieldEmployeeCount, Min: ptr(1000)},
		`{"keywords":["Machine Learning"]}`:                                    query.Phrase{Words: []string{"machine", "learning"}},
		`{"keywords":["a b","c"]}`:                                             query.Or{query.Term{Word: "c"}, query.Phrase{Words: []string{"a", "b"}}},
		`{"exclude_keywords":["a b"]}`:                                         query.Not{Node: query.Phrase{Words: []string{"a", "b"}}},
		`{"connections":[{"category":"Vendor"}]}`:                              query.Connected{Category: "vendor"},
		`{"connections":[{"connected_domain":"https://www.Salesforce.com/"}]}`: query.Connected{Domain: "salesforce.com"},
	} {
		q, _, err := query.ParseJSON([]byte(json))
		require.NoError(t, err, json)
		require.Empty(t, cmp.Diff(want, q.Root), json)
		require.Equal(t, want == nil, q.IsEmpty(), json)
		require.Equal(t, strings.Contains(json, `"query":"`) && json != `{"query":""}`, q.HasText(), json)
	}
}

// faultsIn are the faults of an error, as "field: message".
func faultsIn(t *testing.T, err error) []string {
	t.Helper()
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	var out []string
	for _, f := range e.Details["errors"].([]fault.FieldError) {
		out = append(out, f.Field+": "+f.Message)
	}
	return out
}

func TestParseNamesTheFieldOfEachFault(t *testing.T) {
	t.Parallel()
	const id = "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f"
	for json, want := range map[string][]string{
		``:                             {": must be an object"},
		`[]`:                           {": must be an object"},
		`null`:                         {": must be an object"},
		`{"query":`:                    {": is not valid JSON: EOF"},
		`{} {}`:                        {": must be one object, with nothing behind it"},
		`{"contries":["US"]}`:          {"contries: is not a filter; did you mean countries?"},
		`{"Countries":["US"]}`:         {"Countries: is not a filter; did you mean countries?"},
		`{"employees_min":5}`:          {"employees_min: is not a filter; did you mean employee_count_min?"},
		`{"countries":"US"}`:           {"countries: must be a list of strings, not a string"},
		`{"countries":[1,""]}`:         {"countries[0]: must be a string, not a number", "countries[1]: must not be empty"},
		`{"countries":[null]}`:         {"countries[0]: must be a string, not null"},
		`{"query":5}`:                  {"query: must be a string, not a number"},
		`{"query":"--- !?"}`:           {"query: has no letter or digit to look for"},
		`{"query":"a\u0000b"}`:         {"query: has a control character or an invalid one"},
		`{"query":"a\ud800b"}`:         {"query: has a control character or an invalid one"},
		`{"query":"a","query":"b"}`:    {"query: must not come twice"},
		`{"keywords":["ok","…"]}`:      {"keywords[1]: has no letter or digit to look for"},
		`{"cities":[" \t"]}`:           {"cities[0]: must not be empty"},
		`{"employee_count_min":-1}`:    {"employee_count_min: must not be negative"},
		`{"employee_count_min":"5"}`:   {"employee_count_min: must be an integer, not a string"},
		`{"employee_count_min":5.5}`:   {"employee_count_min: must be an integer, not a number with a fraction"},
		`{"employee_count_min":true}`:  {"employee_count_min: must be an integer, not a boolean"},
		`{"employee_count_max":1e400}`: {"employee_count_max: is out of range"},
		`{"employee_count_max":99999999999999999999}`: {"employee_count_max: is out of range"},
		`{"employee_count_min":10,"employee_count_max":5}`: {
			"employee_count_min: must not be greater than employee_count_max (10 > 5)",
		},
		`{"founded_year_max":10000}`: {"founded_year_max: must be at most 9999"},
		`{"naics_codes":["x","5","1234567","33-31","31-33a","52"]}`: {
			"naics_codes[0]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[1]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[2]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[3]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[4]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
		},
		`{"connections":{}}`:                     {"connections: must be a list of objects, not an object"},
		`{"connections":[{}]}`:                   {"connections[0]: must have category, connected_company_id or connected_domain"},
		`{"connections":[5]}`:                    {"connections[0]: must be an object"},
		`{"connections":[{"catgory":"vendor"}]}`: {"connections[0].catgory: is not a filter; did you mean category?"},
		`{"connections":[{"connected_company_id":"` + id + `"},{"connected_company_id":"x"},{"connected_domain":"x"}]}`: {
			"connections[1].connected_company_id: must be a company's id, a UUID",
			"connections[2].connected_domain: must be a domain such as example.com",
		},
		`{"query":"!","employee_count_min":-1,"foo":1}`: {
			"foo: is not a filter; known are " + strings.Join(slices.Sorted(slices.Values(query.Params)), ", "),
			"query: has no letter or digit to look for", "employee_count_min: must not be negative",
		},
		`{"cities":["` + strings.Repeat("é", 1001) + `"]}`:         {"cities[0]: must have at most 1000 characters"},
		`{"cities":["a"` + strings.Repeat(`,"a"`, 500) + `]}`:      {"cities: must have at most 500 values, not 501"},
		`{"connections":[{}` + strings.Repeat(`,{}`, 9_999) + `]}`: {"connections: must have at most 500 entries, not 10000"},
	} {
		q, f, err := query.ParseJSON([]byte(json))
		require.Error(t, err, json)
		require.Empty(t, cmp.Diff(want, faultsIn(t, err)), json)
		require.True(t, q.IsEmpty())
		require.Empty(t, cmp.Diff(query.Filters{}, f))
	}
}

func TestGivenTellsWhatEachValueWasReadAs(t *testing.T) {
	t.Parallel()
	const id = "018F3C5E-7A3B-7C1D-9E2F-0A1B2C3D4E5F"
	q, err := query.Parse(query.Filters{
		Query: "x", Countries: []string{"uk", "Atlantis"}, ExcludeIndustries: []string{"Fin-Tech"}, NAICSCodes: []string{"31-33", "52"},
		Connections: []query.ConnectionFilter{{Category: "Vendor", ConnectedDomain: "https://www.X.com"}, {ConnectedCompanyID: id}},
	})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]query.Given{
		{Param: "countries", Field: query.FieldCountry, Raw: "uk", Value: "united kingdom"},
		{Param: "countries", Field: query.FieldCountry, Raw: "Atlantis", Value: "atlantis"},
		{Param: "exclude_industries", Field: query.FieldIndustry, Raw: "Fin-Tech", Value: "fin-tech"},
		{Param: "naics_codes", Field: query.FieldNAICS, Raw: "52", Value: "52"},
		{Param: "connections[0].category", Field: query.FieldConnectionCategory, Raw: "Vendor", Value: "vendor"},
		{Param: "connections[0].connected_domain", Field: query.FieldConnectedDomain, Raw: "https://www.X.com", Value: "x.com"},
		{Param: "connections[1].connected_company_id", Field: query.FieldConnectedCompany, Raw: id, Value: strings.ToLower(id)},
	}, q.Given()))
}

func TestFingerprintTellsQueriesApart(t *testing.T) {
	t.Parallel()
	seen := map[[16]byte]string{}
	for _, json := range []string{
		`{}`, `{"query":"a"}`, `{"query":"a b"}`, `{"query":"\"a b\""}`, `{"cities":["a"]}`, `{"states":["a"]}`,
		`{"cities":["a","b"]}`, `{"employee_count_min":1}`, `{"employee_count_max":1}`, `{"exclude_keywords":["a"]}`,
		`{"industries":["a"]}`, `{"exclude_industries":["a"]}`, `{"founded_year_min":1}`, `{"naics_codes":["11"]}`,
		`{"connections":[{"category":"a"}]}`, `{"connections":[{"connected_domain":"a.example"}]}`,
	} {
		q, _, err := query.ParseJSON([]byte(json))
		require.NoError(t, err)
		require.NotContains(t, seen, q.Fingerprint(), json)
		seen[q.Fingerprint()] = json
	}
	a, _, err := query.ParseJSON([]byte(`{"cities":["a","B"],"countries":["US"]}`))
	require.NoError(t, err)
	b, _, err := query.ParseJSON([]byte(`{"countries":["united states"],"cities":["b","A","a"]}`))
	require.NoError(t, err)
	require.Equal(t, a.Fingerprint(), b.Fingerprint())
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by, order string
		hasText   bool
		want      string
	}{
		{"", "", true, "relevance desc"},
		{"", "", false, "employee_count desc"},
		{"", "asc", false, "employee_count asc"},
		{"name", "", true, "name asc"},
		{"name", "desc", false, "name desc"},
		{"founded_year", "", false, "founded_year desc"},
		{"updated_at", "", false, "updated_at desc"},
	} {
		s, err := query.ParseSort(c.by, c.order, c.hasText)
		require.NoError(t, err)
		require.Equal(t, c.want, s.String())
	}
	_, err := query.ParseSort("employees_count", "down", false)
	require.Equal(t, []string{
		"sort_by: must be one of relevance, employee_count, name, founded_year, updated_at; did you mean employee_count?",
		"sort_order: must be one of asc, desc",
	}, faultsIn(t, err))
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"query":"\"a b\" 東京","countries":["US"],"employee_count_min":1e2}`, `{"connections":[{"category":"vendor"}]}`,
		`{"naics_codes":["31-33"],"keywords":["a b"],"founded_year_max":2000}`, `{"query":"\ud800"}`, `[[[[`, "{\"a\":\xff}", `{"query":`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		q, filters, err := query.ParseJSON(data)
		if err != nil {
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			return
		}
		again, _, err := query.ParseJSON([]byte(filters.String()))
		require.NoError(t, err, filters.String())
		require.Empty(t, cmp.Diff(q.Root, again.Root))
		require.Empty(t, cmp.Diff(q.Root, query.Simplify(q.Root)))
	})
}
