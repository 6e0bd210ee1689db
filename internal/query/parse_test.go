package query_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/text"
)

func ptr(n int64) *int64 { return &n }

// spelled prints a condition on texts: & for And, | between the forms of a word, * for the beginning of a word.
func spelled(n query.Node) string {
	part := func(words []string, prefix bool) string {
		s := strings.Join(words, " ")
		if prefix {
			s += "*"
		}
		return s
	}
	switch n := n.(type) {
	case query.And:
		var all []string
		for _, p := range n {
			all = append(all, spelled(p))
		}
		slices.Sort(all)
		return strings.Join(all, " & ")
	case query.Term:
		return part([]string{n.Word}, n.Prefix)
	case query.Phrase:
		return part(n.Words, n.Prefix)
	case query.Domain:
		return "@" + part([]string{n.Name}, n.Prefix)
	case query.Or:
		var all []string
		for _, p := range n {
			all = append(all, spelled(p))
		}
		slices.Sort(all)
		return "(" + strings.Join(all, " or ") + ")"
	case query.Word:
		var all []string
		for _, f := range n.Forms {
			all = append(all, part(f.Words, f.Prefix))
		}
		return strings.Join(all, "|")
	}
	return fmt.Sprintf("%#v", n)
}

func TestAWordIsReadInAllItsSpellings(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"Wifi":             "wifi|w ifi|wi fi|w i f i",
		"wi-fi":            "wi fi|wifi",
		"Wi‑Fi wi–fi":      "wi fi|wifi",
		`"Wi-Fi"`:          "wi fi",
		`"wifi"`:           "wifi",
		"wi fi":            "fi|f i|wifi & wi|w i|wifi",
		"wi, fi":           "fi|f i & wi|w i",
		"wi — fi wi—fi":    "fi|f i & fi|f i|fiwi & wi|w i & wi|w i|fiwi",
		"7-eleven":         "7 eleven|7eleven",
		"9-11":             "11 & 9",
		"9 11":             "11 & 9",
		"2024":             "2024",
		"a-b-c":            "a b c|a bc|ab c|abc",
		"a-b-c-d-e":        "a b c d e|abcde",
		"a-b-c-d-e-f-g":    "a & b & c & d & e & f & g",
		"U.S. u.s":         "u s|us",
		"area":             "area|ar ea|a r e a",
		"asset":            "asset|ass et|asse t|a s s e t",
		"onto":             "onto|o n t o",
		"are a":            "a & are|a r e",
		"Lowe’s":           "lowe s|lowes",
		"l'Or":             "l or|lor",
		"AT&T":             "at and t",
		"AT & T":           "at and t",
		"R&D-x":            "r and d & x",
		"x & yz":           "x and yz",
		"xy & zz, and AND": "xy|x y & zz|z z",
		"and":              "and|a n d",
		"&":                "and|a n d",
		"C++ c# .NET C":    ".net & c & c# & c++",
		"东x":               "x & 东",
	} {
		t.Run(asked, func(t *testing.T) {
			require.Equal(t, want, spelled(parse(t, query.Filters{Query: asked}).Root))
		})
	}
	for asked, want := range map[string]string{
		"xy-zz":       "xy zz|x y zz|xyzz|xy z z|x yzz|xyz z|x y z z",
		`"xy-zz"`:     "xy zz",
		"“xy zz”":     "xy zz",
		"7 eleven":    "7 eleven|7eleven|7 e leven|7 el even|7 ele ven|7 elev en|7 eleve n",
		"one, 2 of 3": "one 2 of 3|o ne 2 of 3|on e 2 of 3|o n e 2 of 3|one2 of 3|one 2 o f 3",
	} {
		t.Run("keyword "+asked, func(t *testing.T) {
			require.Equal(t, want, spelled(parse(t, query.Filters{Keywords: []string{asked}}).Root))
		})
	}
}

func TestParseReadsEachFilter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		filters query.Filters
		want    query.Node
	}{
		{query.Filters{}, nil},
		{query.Filters{Query: ""}, nil},
		{query.Filters{Countries: []string{}}, nil},
		{query.Filters{Query: `"big data"`}, query.Phrase{Words: []string{"big", "data"}}},
		{query.Filters{Query: "“Big  Data”"}, query.Phrase{Words: []string{"big", "data"}}},
		{query.Filters{Query: `"big data`}, query.Phrase{Words: []string{"big", "data"}}},
		{query.Filters{Query: "東京"}, query.Phrase{Words: []string{"東", "京"}}},
		{query.Filters{Query: "東京 AI企業"}, query.And{
			query.Word{Forms: []query.Phrase{{Words: []string{"ai"}}, {Words: []string{"a", "i"}}}},
			query.Phrase{Words: []string{"企", "業"}},
			query.Phrase{Words: []string{"東", "京"}},
		}},
		{query.Filters{Query: "软件，开发"}, query.And{query.Phrase{Words: []string{"开", "发"}}, query.Phrase{Words: []string{"软", "件"}}}},
		{query.Filters{Query: "软，x"}, query.And{query.Term{Word: "x"}, query.Term{Word: "软"}}},
		{query.Filters{Query: `"软件，开发"`}, query.Phrase{Words: []string{"软", "件", ",", "开", "发"}}},
		{query.Filters{Keywords: []string{"软件，开发"}}, query.Phrase{Words: []string{"软", "件", ",", "开", "发"}}},
		{query.Filters{Query: `"lowe's"`}, query.Phrase{Words: []string{"lowe", "s"}}},
		{query.Filters{Countries: []string{"US"}}, query.OneOf{Field: query.FieldCountry, Values: []string{"united states"}}},
		{query.Filters{Countries: []string{"usa", "de"}}, query.OneOf{Field: query.FieldCountry, Values: []string{"germany", "united states"}}},
		{query.Filters{Countries: []string{"NA"}}, query.OneOf{Field: query.FieldCountry, Values: []string{"namibia"}}},
		{query.Filters{Countries: []string{"Ätlantis"}}, query.OneOf{Field: query.FieldCountry, Values: []string{"atlantis"}}},
		{query.Filters{States: []string{"California"}}, query.OneOf{Field: query.FieldState, Values: []string{"california"}}},
		{query.Filters{Cities: []string{"ZÜRICH", "Łódź"}}, query.OneOf{Field: query.FieldCity, Values: []string{"lodz", "zurich"}}},
		{query.Filters{Industries: []string{"A", "a"}}, query.OneOf{Field: query.FieldIndustry, Values: []string{"a"}}},
		{query.Filters{ExcludeIndustries: []string{"A"}}, query.Not{Node: query.OneOf{Field: query.FieldIndustry, Values: []string{"a"}}}},
		{query.Filters{ExcludeCountries: []string{"US"}}, query.Not{Node: query.OneOf{Field: query.FieldCountry, Values: []string{"united states"}}}},
		{query.Filters{ExcludeNAICSCodes: []string{"52"}}, query.Not{Node: query.Prefix{Field: query.FieldNAICS, Value: "52"}}},
		{query.Filters{NAICSCodes: []string{"52", " 52 "}}, query.Prefix{Field: query.FieldNAICS, Value: "52"}},
		{query.Filters{NAICSCodes: []string{"31-33"}}, query.Or{
			query.Prefix{Field: query.FieldNAICS, Value: "31"},
			query.Prefix{Field: query.FieldNAICS, Value: "32"},
			query.Prefix{Field: query.FieldNAICS, Value: "33"},
		}},
		{query.Filters{Technologies: []string{"C++"}}, query.OneOf{Field: query.FieldTechnology, Values: []string{"c++"}}},
		{query.Filters{TechnologyCategories: []string{"CRM"}}, query.OneOf{Field: query.FieldTechnologyCategory, Values: []string{"crm"}}},
		{query.Filters{Has: []string{"domain", "City"}}, query.And{
			query.OneOf{Field: query.FieldKnown, Values: []string{"city"}}, query.OneOf{Field: query.FieldKnown, Values: []string{"domain"}},
		}},
		{query.Filters{Missing: []string{"domain", "city"}}, query.Not{
			Node: query.OneOf{Field: query.FieldKnown, Values: []string{"city", "domain"}},
		}},
		{query.Filters{EmployeeCountMin: ptr(50)}, query.Range{Field: query.FieldEmployeeCount, Min: ptr(50)}},
		{query.Filters{EmployeeCountMax: ptr(0)}, query.Range{Field: query.FieldEmployeeCount, Max: ptr(0)}},
		{query.Filters{FoundedYearMin: ptr(2000), FoundedYearMax: ptr(2000)}, query.Range{
			Field: query.FieldFoundedYear, Min: ptr(2000), Max: ptr(2000),
		}},
		{query.Filters{Keywords: []string{"a b", "c"}}, query.Or{query.Term{Word: "c"}, query.Phrase{Words: []string{"a", "b"}}}},
		{query.Filters{ExcludeKeywords: []string{"a b"}}, query.Not{Node: query.Phrase{Words: []string{"a", "b"}}}},
		{query.Filters{Connections: []query.ConnectionFilter{{Category: "Vendor"}}}, query.Connected{Category: "vendor"}},
		{query.Filters{Connections: []query.ConnectionFilter{{ConnectedDomain: "https://www.Salesforce.com/"}}}, query.Connected{Domain: "salesforce.com"}},
	} {
		t.Run(row.filters.String(), func(t *testing.T) {
			t.Parallel()
			q, err := query.Parse(row.filters)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(row.want, q.Root))
			require.Equal(t, row.want == nil, q.IsEmpty())
			require.Equal(t, row.filters.Query != "", q.HasText())
		})
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
	for _, row := range []struct {
		filters query.Filters
		want    []string
	}{
		{query.Filters{Countries: []string{"US", ""}}, []string{"countries[1]: must not be empty"}},
		{query.Filters{Query: "--- !?"}, []string{"query: has no letter or digit to look for"}},
		{query.Filters{Query: "a\u0000b"}, []string{"query: has a control character or an invalid one"}},
		{query.Filters{Keywords: []string{"ok", "…"}}, []string{"keywords[1]: has no letter or digit to look for"}},
		{query.Filters{Cities: []string{" \t"}}, []string{"cities[0]: must not be empty"}},
		{query.Filters{EmployeeCountMin: ptr(-1)}, []string{"employee_count_min: must not be negative"}},
		{query.Filters{EmployeeCountMin: ptr(10), EmployeeCountMax: ptr(5)}, []string{
			"employee_count_min: must not be greater than employee_count_max, which is 5",
		}},
		{query.Filters{Has: []string{"domain", "employe_count"}, Missing: []string{"id", "xyz"}}, []string{
			"has[1]: is not a field of a company; did you mean employee_count?",
			"missing[0]: is not a field of a company; the fields are " + strings.Join(company.Knowable, ", "),
			"missing[1]: is not a field of a company; the fields are " + strings.Join(company.Knowable, ", "),
		}},
		{query.Filters{FoundedYearMax: ptr(10000)}, []string{"founded_year_max: must be at most 9999"}},
		{query.Filters{NAICSCodes: []string{"x", "5", "1234567", "33-31", "31-33a", "52"}}, []string{
			"naics_codes[0]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[1]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[2]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[3]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
			"naics_codes[4]: must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
		}},
		{query.Filters{Connections: []query.ConnectionFilter{{}}}, []string{"connections[0]: must have a category, a connected_company_id or a connected_domain"}},
		{query.Filters{Connections: []query.ConnectionFilter{{ConnectedCompanyID: id}, {ConnectedCompanyID: "x"}, {ConnectedDomain: "x"}}}, []string{
			"connections[1].connected_company_id: must be a company's id, a UUID",
			"connections[2].connected_domain: must be a domain such as example.com",
		}},
		{query.Filters{Query: "!", EmployeeCountMin: ptr(-1)}, []string{
			"query: has no letter or digit to look for", "employee_count_min: must not be negative",
		}},
		{query.Filters{Cities: []string{strings.Repeat("é", 1001)}}, []string{"cities[0]: must have at most 1000 characters"}},
		{query.Filters{Cities: slices.Repeat([]string{"a"}, 501)}, []string{"cities: must have at most 500 values, not 501"}},
		{query.Filters{Connections: make([]query.ConnectionFilter, 10_000)}, []string{
			"connections: must have at most 500 entries, not 10000",
		}},
	} {
		t.Run(text.Short(row.filters.String()), func(t *testing.T) {
			t.Parallel()
			q, err := query.Parse(row.filters)
			require.Error(t, err)
			require.Empty(t, cmp.Diff(row.want, faultsIn(t, err)))
			require.True(t, q.IsEmpty())
		})
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
		{Param: "query", Field: query.FieldText, Raw: "x", Value: "x", Text: query.Word{Forms: []query.Phrase{{Words: []string{"x"}}}}},
		{Param: "countries", Field: query.FieldCountry, Raw: "uk", Value: "united kingdom"},
		{Param: "countries", Field: query.FieldCountry, Raw: "Atlantis", Value: "atlantis"},
		{Param: "exclude_industries", Field: query.FieldIndustry, Raw: "Fin-Tech", Value: "fin-tech"},
		{Param: "naics_codes", Field: query.FieldNAICS, Raw: "52", Value: "52"},
		{Param: "connections[0].category", Field: query.FieldConnectionCategory, Raw: "Vendor", Value: "vendor"},
		{Param: "connections[0].connected_domain", Field: query.FieldConnectedDomain, Raw: "https://www.X.com", Value: "x.com"},
		{Param: "connections[1].connected_company_id", Field: query.FieldConnectedCompany, Raw: id, Value: strings.ToLower(id)},
	}, q.Given()))
}

func TestConflictsAreIncludedValuesThatAreExcluded(t *testing.T) {
	t.Parallel()
	for filters, want := range map[string][]string{
		`{"countries":["Germany","France"],"exclude_countries":["DE"]}`:                               {"countries Germany"},
		`{"cities":["Köln"],"exclude_cities":["KOLN","Ulm"]}`:                                         {"cities Köln"},
		`{"naics_codes":["5223","54"],"exclude_naics_codes":["52"]}`:                                  {"naics_codes 5223"},
		`{"naics_codes":["52"],"exclude_naics_codes":["5223"]}`:                                       nil,
		`{"naics_codes":["31-33"],"exclude_naics_codes":["31","32"]}`:                                 nil,
		`{"naics_codes":["31-33","321"],"exclude_naics_codes":["31","32","33"]}`:                      {"naics_codes 31-33", "naics_codes 321"},
		`{"naics_codes":["44"],"exclude_naics_codes":["44–45"]}`:                                      {"naics_codes 44"},
		`{"keywords":["Mobile Payments","gears"],"exclude_keywords":["payments"]}`:                    {"keywords Mobile Payments"},
		`{"keywords":["pay"],"exclude_keywords":["payments"]}`:                                        nil,
		`{"keywords":["e-commerce"],"exclude_keywords":["ecommerce"]}`:                                {"keywords e-commerce"},
		`{"keywords":["ecommerce"],"exclude_keywords":["E Commerce"]}`:                                {"keywords ecommerce"},
		`{"keywords":["big e commerce shop"],"exclude_keywords":["e-commerce"]}`:                      {"keywords big e commerce shop"},
		`{"keywords":["e-commerce"],"exclude_keywords":["\"ecommerce\""]}`:                            nil,
		`{"keywords":["\"ecommerce\""],"exclude_keywords":["e-commerce"]}`:                            {"keywords \"ecommerce\""},
		`{"has":["domain","name"],"missing":["Domain"]}`:                                              {"has domain"},
		`{"industries":["a"],"exclude_industries":["A"],"technologies":["b"],"exclude_states":["a"]}`: {"industries a"},
		`{"query":"payments","exclude_keywords":["payments"]}`:                                        nil,
	} {
		t.Run(filters, func(t *testing.T) {
			t.Parallel()
			var f query.Filters
			require.NoError(t, json.Unmarshal([]byte(filters), &f))
			q, err := query.Parse(f)
			require.NoError(t, err)
			var got []string
			for _, g := range q.Conflicts() {
				got = append(got, g.Param+" "+g.Raw)
			}
			require.Equal(t, want, got)
		})
	}
}

func TestADomainIsReadAsOneAndAsText(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"walmart.com": "(@walmart.com or walmart com)",
		"https://www.ACME.com:8080/index.html?a=b#c": "(@acme.com or acme com)",
		"WWW.Acme.COM/":            "(@acme.com or acme com)",
		"me@acme.com,":             "(@acme.com or acme com)",
		"(acme.co.uk)":             "(@acme.co.uk or acme co uk)",
		"http://careers.acme.com/": "(@acme.com or @careers.acme.com or careers acme com)",
		"http://intra.acme":        "(@intra.acme or intra acme)",
		"x acme.com y":             "(@acme.com or acme com) & x & y",
		"asp.net":                  "(@asp.net or asp net)",
		"x.js 1.5":                 "1|js1 & 5 & js|j s|js1 & x",
		`"acme.com"`:               "acme com",
	} {
		t.Run(asked, func(t *testing.T) {
			require.Equal(t, want, spelled(parse(t, query.Filters{Query: asked}).Root))
		})
	}
	require.Equal(t, []query.Given{{
		Param: "query", Field: query.FieldDomain, Raw: "https://acme.com/x",
		Text: query.Or{query.Word{Forms: []query.Phrase{{Words: []string{"acme", "com"}}}}, query.Domain{Name: "acme.com"}},
	}}, parse(t, query.Filters{Query: "https://acme.com/x"}).Given())
}

func TestTheLastWordIsABeginningWhileItIsTyped(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"xyz":             "(@xyz* or xyz*|x yz|xy z|x y z)",
		"xyz ":            "xyz|x yz|xy z|x y z",
		`"xyz"`:           "xyz",
		`"a b" xy`:        "a b & xy*|x y",
		`"a b`:            "a b",
		"ab xy":           "ab|a b|abxy & xy*|x y|abxy*",
		"e-comm":          "e comm*|ecomm*",
		"AT&T":            "at and t*",
		"U.S":             "u s*|us*",
		"東京":              "東 京",
		"walmart.c":       "(@walmart.c* or c* & walmart|w almart|wa lmart|wal mart|walm art|walma rt|walmar t)",
		"walmart.":        "(@walmart.* or walmart*|w almart|wa lmart|wal mart|walm art|walma rt|walmar t)",
		"www.Walm":        "(@walm or @walm* or walm*)",
		"https://www.wal": "(@wal or @wal* or wal*)",
		"acme.com/":       "(@acme.com or acme com)",
		"acme.com ":       "(@acme.com or acme com)",
		"x acme.co":       "(@acme.co or @acme.co* or acme co*) & x",
		"c++":             "c++*",
		"1.5":             "1 & 5*",
	} {
		t.Run(asked, func(t *testing.T) {
			require.Equal(t, want, spelled(parse(t, query.Filters{Query: asked, Prefix: true}).Root))
		})
	}
	require.Nil(t, parse(t, query.Filters{Prefix: true}).Root)
}

// TestTypingNeverLosesWhatEnterFinds compares each prefix search with the search that Enter starts.
func TestTypingNeverLosesWhatEnterFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		companies := querytest.Companies(20).Draw(t, "companies")
		f := querytest.Filters(companies...).Draw(t, "filters")
		f.Prefix = false
		typed := f
		typed.Prefix = true
		for _, c := range companies {
			if query.Match(parse(t, f), c) {
				require.True(t, query.Match(parse(t, typed), c), "%+v", c)
			}
		}
	})
}

func TestEachWordIsGivenAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		filters query.Filters
		want    string
	}{
		{query.Filters{Query: "(Fintehc, Läbs!)"}, "query Fintehc fintehc, query Läbs labs"},
		{query.Filters{Query: "Wi-Fi C++ .NET AT & T"}, "query Wi-Fi wifi, query C++ c++, query .NET .net, query AT & T atandt"},
		{query.Filters{Query: `"Big Data" 東京`}, "query big big, query data data, query 東京 東京"},
		{query.Filters{Query: "a/b and c"}, "query a a, query b b, query c c"},
		{query.Filters{Keywords: []string{"Big data"}, ExcludeKeywords: []string{"软，件"}}, "keywords big big, keywords data data, exclude_keywords 软 软, exclude_keywords 件 件"},
	} {
		t.Run(row.filters.String(), func(t *testing.T) {
			var got []string
			for _, g := range parse(t, row.filters).Given() {
				require.Equal(t, query.FieldText, g.Field)
				got = append(got, g.Param+" "+g.Raw+" "+g.Value)
			}
			require.Equal(t, row.want, strings.Join(got, ", "))
		})
	}
}

func TestFingerprintTellsQueriesApart(t *testing.T) {
	t.Parallel()
	seen := map[[16]byte]string{}
	for _, f := range []query.Filters{
		{},
		{Query: "a"},
		{Query: "a b"},
		{Query: `"a b"`},
		{Cities: []string{"a"}},
		{States: []string{"a"}},
		{Cities: []string{"a", "b"}},
		{EmployeeCountMin: ptr(1)},
		{EmployeeCountMax: ptr(1)},
		{ExcludeKeywords: []string{"a"}},
		{Industries: []string{"a"}},
		{ExcludeIndustries: []string{"a"}},
		{FoundedYearMin: ptr(1)},
		{NAICSCodes: []string{"11"}},
		{Connections: []query.ConnectionFilter{{Category: "a"}}},
		{Connections: []query.ConnectionFilter{{ConnectedDomain: "a.example"}}},
	} {
		q := parse(t, f)
		require.NotContains(t, seen, q.Fingerprint(), f)
		seen[q.Fingerprint()] = f.String()
	}
	a := parse(t, query.Filters{Cities: []string{"a", "B"}, Countries: []string{"US"}})
	b := parse(t, query.Filters{Countries: []string{"united states"}, Cities: []string{"b", "A", "a"}})
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

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"query":"\"a b\" 東京","countries":["US"],"employee_count_min":100}`, `{"connections":[{"category":"vendor"}]}`,
		`{"naics_codes":["31-33"],"keywords":["a b"],"founded_year_max":2000}`, `{"query":"\ud800"}`, `{"exclude_industries":["a"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var filters query.Filters
		if json.Unmarshal(data, &filters) != nil {
			return
		}
		q, err := query.Parse(filters)
		if err != nil {
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			return
		}
		again := parse(t, reread(t, filters))
		require.Empty(t, cmp.Diff(q.Root, again.Root))
		require.Empty(t, cmp.Diff(q.Root, query.Simplify(q.Root)))
	})
}

// parse is query.Parse for filters without a fault.
func parse(t require.TestingT, f query.Filters) query.Query {
	q, err := query.Parse(f)
	require.NoError(t, err, f.String())
	return q
}

// reread returns the filters as decoded from what String prints.
func reread(t require.TestingT, f query.Filters) (again query.Filters) {
	require.NoError(t, json.Unmarshal([]byte(f.String()), &again), f.String())
	return again
}
