package view

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

func TestAddressHoldsTheWholeSearch(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-zA-Zäß&=+%#?;,."'<>/\\ ]{0,8}[a-z0-9]`)
	words := rapid.SliceOfNDistinct(word, 0, 3, func(s string) string { return s })
	number := rapid.Ptr(rapid.Int64Range(-5, 1<<40), true)
	rapid.Check(t, func(t *rapid.T) {
		given := url.Values{}
		for _, p := range query.Params {
			switch {
			case p.Texts != nil:
				given[p.Name] = words.Draw(t, p.Name)
			case p.Int != nil:
				if n := number.Draw(t, p.Name); n != nil {
					given.Set(p.Name, bound(n))
				}
			}
		}
		given.Set("query", word.Draw(t, "query"))
		for _, c := range words.Draw(t, "connections") {
			given.Add("connections", c+":"+rapid.SampledFrom([]string{"", "a.example", "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f"}).Draw(t, "with"))
		}
		first := ReadSearchForm(given)
		at, err := url.Parse(first.At("/search"))
		if err != nil {
			t.Fatal(err)
		}
		again := ReadSearchForm(at.Query())
		if diff := cmp.Diff(first, again, cmpopts.EquateEmpty(), cmp.AllowUnexported(SearchForm{})); diff != "" {
			t.Fatal(diff)
		}
		for _, c := range first.Chips("/search") {
			without, err := url.Parse(c.Without)
			if err != nil {
				t.Fatal(err)
			}
			less := ReadSearchForm(without.Query())
			if len(less.Chips("")) != len(first.Chips(""))-1 {
				t.Fatalf("%s %s is not taken away by %s", c.Name, c.Value, c.Without)
			}
		}
	})
}

func TestSearchIsReadFromItsForm(t *testing.T) {
	t.Parallel()
	w := ReadSearchForm(url.Values{
		"query": {"  pay "}, "countries": {"Germany", "", "germany", " France "}, "industries": {"Software", "Retail"},
		"exclude_industries": {"software"}, "employee_count_min": {" 50 "}, "founded_year_max": {"soon"},
		"connections": {"vendor:acme.example"}, "connection_category": {"investor"}, "connection_domain": {" b.example "},
	})
	require.Equal(t, "pay", w.Query)
	require.Equal(t, []string{"Germany", "France"}, w.Countries)
	require.Equal(t, []string{"Software", "Retail"}, w.Industries, "an exclusion in the address takes nothing out of it")
	require.Equal(t, []string{"software"}, w.ExcludeIndustries)
	require.Equal(t, int64(50), *w.EmployeeCountMin)
	require.Equal(t, []query.ConnectionFilter{
		{Category: "vendor", ConnectedDomain: "acme.example"}, {Category: "investor", ConnectedDomain: "b.example"},
	}, w.Connections)
	_, _, err := w.Parse()
	require.Equal(t, "founded_year_max", fault.Fields(err)[0].Field)
	empty := ReadSearchForm(url.Values{"connection_category": {""}, "sort_by": {"name"}, "cursor": {"x"}}, "cursor")
	require.True(t, empty.isEmpty())
	sorted := ReadSearchForm(url.Values{"order": {"employee_count asc"}})
	require.Equal(t, "?sort_by=employee_count&sort_order=asc", sorted.At(""), "an address has one spelling")
}

func TestAnExcludeButtonMovesItsValue(t *testing.T) {
	t.Parallel()
	w := ReadSearchForm(url.Values{
		"countries": {"Germany", "France"}, ExcludeButton: {"countries:DE"}, "exclude_countries": {"Italy"}, "has": {"domain"},
	})
	require.Equal(t, []string{"France"}, w.Countries)
	require.Equal(t, []string{"Italy", "DE"}, w.ExcludeCountries)
	require.Equal(t, "/search?countries=France&exclude_countries=Italy&exclude_countries=DE&has=domain", w.At("/search"))
	w = ReadSearchForm(url.Values{"has": {"domain"}, ExcludeButton: {"has:domain"}})
	require.Empty(t, w.Has)
	require.Equal(t, []string{"domain"}, w.Missing)
}

// TestWhatCannotBeReadIsAnErrorOfTheForm: left out, it would widen the search, and a widened search costs more.
func TestWhatCannotBeReadIsAnErrorOfTheForm(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"exclude_bogus=1":                       "Address: “exclude_bogus” is not a filter",
		"bogus=":                                "Address: “bogus” is not a filter",
		"exclude_contries=DE":                   "Address: “exclude_contries” is not a filter; did you mean exclude_countries?",
		"Countries=DE":                          "Address: “Countries” is not a filter; did you mean countries?",
		"sort=name":                             "Address: “sort” is not a filter; did you mean sort_by?",
		"query=a&query=b":                       "Text: “a”, “b” must be a single value",
		"sort_by=name&sort_by=x":                "Sort by: “name”, “x” must be a single value",
		"exclude=Germany":                       "Exclude: “Germany” must be a filter and a value, such as countries:Germany",
		"exclude=exclude_countries:Germany":     "Exclude: “exclude_countries:Germany” must be a filter and a value, such as countries:Germany",
		"exclude=states:+":                      "Exclude: “states:” must be a filter and a value, such as countries:Germany",
		"connections=:":                         "Connection: “:” must have a category, a company ID or a company domain",
		"employee_count_min=many":               "Employees from: “many” must be a whole number, such as 250",
		"employee_count_min=1e3":                "Employees from: “1e3” must be a whole number, such as 250",
		"founded_year_max=99999999999999999999": "Founded to: “99999999999999999999” is out of range",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			v, err := url.ParseQuery(address)
			require.NoError(t, err)
			w := ReadSearchForm(v)
			_, _, err = w.Parse()
			require.Equal(t, []string{want}, sentences(w.Problems(err)))
			at, err := url.Parse(w.At("/search"))
			require.NoError(t, err)
			require.Equal(t, w, ReadSearchForm(at.Query()), "a link of the page keeps the error")
		})
	}
}

func sentences(problems []Problem) (all []string) {
	for _, p := range problems {
		all = append(all, p.Label+": "+p.Message)
	}
	return all
}

func TestErrorsOfFiltersAreInTheWordsOfThePage(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"has=domain&has=domian":                        "Has: “domian” is not a field of a company; did you mean domain?",
		"employee_count_min=500&employee_count_max=10": "Employees from: “500” must not be greater than Employees to, which is 10",
		"founded_year_min=-3":                          "Founded from: “-3” must not be negative",
		"exclude_naics_codes=abc":                      "Not NAICS code: “abc” must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49",
		"query=%21":                                    "Text: “!” has no letter or digit to look for",
		"connections=vendor:no+domain":                 "Connection: “no domain” must be a domain such as example.com",
		"sort_by=nmae":                                 "Sort by: “nmae” must be one of relevance, employee_count, name, founded_year, updated_at; did you mean name?",
		"sort_order=up":                                "Order: “up” must be one of asc, desc",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			v, err := url.ParseQuery(address)
			require.NoError(t, err)
			w := ReadSearchForm(v)
			_, _, err = w.Parse()
			require.Equal(t, []string{want}, sentences(w.Problems(err)))
		})
	}
}

func TestASuggestedWordReplacesTheMisspeltOneInItsText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, word, want string }{
		{"bank farmres", "farmres", "bank farmers"},
		{"Farmresx (FARMRES), bank", "farmres", "Farmresx (farmers), bank"},
		{"farmres", "farmres", "farmers"},
		{"other", "farmres", ""},
	} {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			w := ReadSearchForm(url.Values{"query": {row.text}, "keywords": {"x", row.text}})
			for _, field := range []string{"query", "keywords"} {
				got := w.corrected(search.Warning{Field: field, Value: row.word, Suggestion: new("farmers")})[field]
				if row.want == "" {
					require.Empty(t, got, "nothing would change, so nothing is offered")
					continue
				}
				require.Equal(t, row.want, got[len(got)-1])
			}
		})
	}
}

func TestWarningsAdviseInTheWordsOfThePage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"a minus does not exclude a word; use exclude_keywords":    "a minus does not exclude a word; use “None of these phrases” under Keywords",
		"country: does not select a field; use countries":          "country: does not select a field; use the filter Country",
		"OR is a word like any other; use keywords to ask for any": "OR is a word like any other; use “Any of these phrases” under Keywords to ask for any",
		"no company has this value; did you mean Use?":             "no company has this value; did you mean Use?",
	} {
		require.Equal(t, want, adviceOf(message))
	}
}

// A set in an address is read as strictly as in the API: what it would not keep makes it no set.
func TestASetInAnAddressKeepsAllThatItSays(t *testing.T) {
	t.Parallel()
	const list = `"list_id":"01890000-0000-7000-8000-000000000000"`
	for text, is := range map[string]bool{
		`{` + list + `}`:  true,
		` {` + list + `}`: false, // no page writes it
		`{"not":{"any_of":[{"owned":true},{` + list + `}]}}`: true,
		`{"search":{"employee_count_min":0}}`:                true,
		`{"search":{}}`:                                      true,
		`{"all_of":[{"owned":true},{"search":{"query":"x","not_in":[{"owned":true}]}}]}`: true,
		`{` + list + `} trailing`:                                     false,
		`{` + list + `}{"owned":true}`:                                false,
		`{` + list + `,"lisst_id":"x"}`:                               false,
		`{` + list + `,` + list + `}`:                                 false,
		`{"LIST_ID":"x"}`:                                             false,
		`{"search":{"Countries":["Germany"]}}`:                        false,
		`{"search":{"countries":["Germany"],"countries":["France"]}}`: false,
		`{"search":{"countris":["Germany"]}}`:                         false,
		`{"search":{"countries":[]}}`:                                 false,
		`{"search":null}`:                                             false,
		`{"owned":false}`:                                             false,
		`{"any_of":[]}`:                                               false,
		`{"not":{"search":{"query":"x"},"x":1}}`:                      false,
	} {
		ref, ok := ParseSetText(text)
		require.Equal(t, is, ok, text)
		if ok {
			again, ok := ParseSetText(SetText(ref))
			require.True(t, ok, text)
			require.Equal(t, ref, again, text)
		}
	}
}
