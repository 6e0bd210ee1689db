package indextest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

func testEmpty(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	require.Zero(t, ix.Seq())
	check(t.Context(), t, ix, truth{}, search{limit: 1, facets: 5, owned: company.SetOf(1)})
	require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 4}}, 9))
	require.Equal(t, uint64(9), ix.Seq())
	check(t.Context(), t, ix, truth{}, search{limit: 1, facets: 5, owned: company.SetOf(4)})
}

func testRanking(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	stuffing := "Robots, robots and robots: robots for robots by robots. Robots! Robots and more robots."
	require.NoError(t, ix.Apply(t.Context(), changesOf(
		record{Name: "Harvest Partners", Description: stuffing}.company(1),
		record{Name: "Nordic Robots", Description: "Builds machines for warehouses."}.company(2),
		record{Name: "The Very Long Winded Company of Robots and Other Machines of Every Kind"}.company(3),
		record{Name: "Robots"}.company(4),
		record{Name: "Bakery", Description: "We bake bread. Once we met robots."}.company(5),
		record{Name: "Unrelated"}.company(6),
	), 1))
	q, err := query.Parse(query.Filters{Query: "robots"})
	require.NoError(t, err)
	r, err := ix.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []company.Number{4, 2, 3, 1, 5}, r.Page)
}

func testNamesakes(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	large, small := int64(40_000), int64(12)
	require.NoError(t, ix.Apply(t.Context(), changesOf(
		record{Name: "Orbit Catering", EmployeeCount: &small}.company(1),
		record{Name: "Orbit Freight"}.company(2),
		record{Name: "Orbit Industries", EmployeeCount: &large}.company(3),
		record{Name: "Travel Desk", Description: "Orbit by Orbit for Orbit.", EmployeeCount: &large}.company(4),
		record{Name: "Blue Planet"}.company(5),
		record{Name: "The Planet"}.company(6),
	), 1))
	for word, want := range map[string][]company.Number{"orbit": {3, 1, 2, 4}, "planet": {6, 5}} {
		q, err := query.Parse(query.Filters{Query: word})
		require.NoError(t, err)
		r, err := ix.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, want, r.Page, word)
	}
}

func testLookup(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	target := id.New[id.Company]()
	require.NoError(t, ix.Apply(t.Context(), changesOf(
		record{Industries: []string{"Software"}, City: "Zürich", NAICSCodes: []string{"522320"}}.company(1),
		record{Industries: []string{"Softwares"}, City: "Bern"}.company(2),
		linked(3, company.Connection{Category: "Vendor", ID: target, Domain: "sales.test"}),
		linked(4, company.Connection{Category: "Customer", Domain: "gone.test"}),
	), 1))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 2}, {Number: 4}}, 2))
	known, err := ix.Lookup(t.Context(), []query.Given{
		{Field: query.FieldIndustry, Value: "software"},
		{Field: query.FieldIndustry, Value: "softwares"},
		{Field: query.FieldIndustry, Value: "agriculture"},
		{Field: query.FieldCity, Value: "zurick"},
		{Field: query.FieldIndustry, Value: "soft"},
		{Field: query.FieldIndustry, Value: "sof"},
		{Field: query.FieldNAICS, Value: "5223"},
		{Field: query.FieldNAICS, Value: "99"},
		{Field: query.FieldEmployeeCount, Value: "5"},
		{Field: query.FieldConnectionCategory, Value: "vendor"},
		{Field: query.FieldConnectionCategory, Value: "vendors"},
		{Field: query.FieldConnectionCategory, Value: "customer"},
		{Field: query.FieldConnectedDomain, Value: "sales.test"},
		{Field: query.FieldConnectedDomain, Value: "sales.tes"},
		{Field: query.FieldConnectedDomain, Value: "gone.test"},
		{Field: query.FieldConnectedCompany, Value: target.String()},
		{Field: query.FieldConnectedCompany, Value: id.New[id.Company]().String()},
	})
	require.NoError(t, err)
	require.Equal(t, []index.Known{
		{Found: true},
		{Suggestion: "Software"},
		{},
		{Suggestion: "Zürich"},
		{Suggestion: "Software"}, // Softwares has no company any more
		{},
		{Found: true},
		{},
		{Found: true},
		{Found: true},
		{Suggestion: "Vendor"},
		{},
		{Found: true},
		{},
		{},
		{Found: true},
		{},
	}, known)
}

// testUnknownWords looks up the words of texts, also after companies were changed and removed.
func testUnknownWords(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	require.NoError(t, ix.Apply(t.Context(), changesOf(
		record{Name: "Fintech Labs", Description: "A fintech, e-commerce and wi fi company; healthcare. C++"}.company(1),
		record{Name: "Bank", Description: "Bank of farmers in Frams. 東京 U.S."}.company(2),
		record{Name: "Farmed Fish", Description: "farmed, farmed"}.company(3),
		record{Name: "Framers", Description: "frames by framers"}.company(4),
	), 1))
	require.NoError(t, ix.Apply(t.Context(), changesOf(record{Name: "Frames", Description: "frames"}.company(5)), 2))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 4}}, 3))
	for filters, want := range map[*query.Filters][]index.Known{
		{Query: "fintehc"}:                                         {{Suggestion: "fintech"}},
		{Query: "Fintech labs c++"}:                                {{Found: true}, {Found: true}, {Found: true}},
		{Query: "ecommerce e commerce e-commerce"}:                 {{Found: true}, {Found: true}, {Found: true}, {Found: true}},
		{Query: "wifi wi-fi health care US"}:                       {{Found: true}, {Found: true}, {Found: true}, {Found: true}, {Found: true}},
		{Query: "framers"}:                                         {{Suggestion: "frames"}}, // removed; frames is in use
		{Query: "farmres"}:                                         {{Suggestion: "farmers"}},
		{Query: "framed"}:                                          {{Suggestion: "frames"}}, // one error, as farmed, which is less frequent
		{Query: "e-comerce"}:                                       {{Suggestion: "ecommerce"}},
		{Query: "C#"}:                                              {{}},
		{Query: "東京 京東"}:                                           {{Found: true}, {}},
		{Query: "zzzzzz"}:                                          {{}},
		{Query: `"bank labs" "ecommerce"`}:                         {{Found: true}, {Found: true}, {}},
		{Keywords: []string{"health care", "wifi x"}}:              {{Found: true}, {Found: true}, {Found: true}, {}},
		{ExcludeKeywords: []string{"fintehc company"}}:             {{Suggestion: "fintech"}, {Found: true}},
		{Query: "infintech of-fish bankof", Has: []string{"name"}}: {{Suggestion: "fintech"}, {Suggestion: "fish"}, {Suggestion: "bank"}},
	} {
		q, err := query.Parse(*filters)
		require.NoError(t, err)
		known, err := ix.Lookup(t.Context(), q.Given())
		require.NoError(t, err)
		require.Equal(t, want, known, filters)
	}
}

// testDomains searches for domains: their companies come first, then those that only mention them.
func testDomains(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	large := int64(90_000)
	require.NoError(t, ix.Apply(t.Context(), changesOf(
		record{Name: "Acme com", Description: "acme com, acme.com", EmployeeCount: &large}.company(1),
		record{Name: "Roadrunner", Domain: "acme.com"}.company(2),
		record{Name: "Acme Labs", Domain: "acme.com.mx"}.company(3),
		record{Name: "Coyote", Domain: "ACME.com"}.company(4),
		record{Name: "Other", Domain: "acm.example"}.company(5),
		record{Name: "Gone", Domain: "gone.example"}.company(6),
	), 1))
	require.NoError(t, ix.Apply(t.Context(), changesOf(record{Name: "Tool", Domain: "tool.example"}.company(7)), 2))
	require.NoError(t, ix.Apply(t.Context(), []index.Change{{Number: 6}}, 3))
	for _, row := range []struct {
		filters query.Filters
		want    []company.Number
	}{
		{query.Filters{Query: "https://www.Acme.com/a"}, []company.Number{2, 4, 1}},
		{query.Filters{Query: "http://jobs.acme.com"}, []company.Number{2, 4}},
		{query.Filters{Query: "acme.com roadrunner"}, []company.Number{2}},
		{query.Filters{Query: "acme.com", Prefix: true}, []company.Number{2, 4, 3, 1}},
		{query.Filters{Query: "acme.c", Prefix: true}, []company.Number{4, 3, 2, 1}}, // Coyote has a word in c
		{query.Filters{Query: "acm.", Prefix: true}, []company.Number{5, 1, 3}},      // Acme begins with it
		{query.Filters{Query: "tool.example"}, []company.Number{7}},
		{query.Filters{Query: "gone.example"}, []company.Number{}},
	} {
		for range 2 {
			q, err := query.Parse(row.filters)
			require.NoError(t, err)
			r, err := ix.Search(t.Context(), index.Request{Query: q, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 10})
			require.NoError(t, err)
			require.Equal(t, row.want, r.Page, row.filters)
			known, err := ix.Lookup(t.Context(), q.Given())
			require.NoError(t, err)
			require.Equal(t, len(row.want) > 0, known[0].Found, row.filters)
			if m, ok := ix.(Merger); ok {
				m.MergeAll()
			}
		}
	}
}

func linked(n company.Number, to company.Connection) *company.Company {
	c := record{}.company(n)
	c.Connections = []company.Connection{to}
	return c
}

func testSpelling(t *testing.T, open Open) {
	ix := open(t)
	defer ix.Close()
	for i, city := range []string{"ZURICH", "Zürich", "Zürich", "zürich"} {
		require.NoError(t, ix.Apply(t.Context(), changesOf(record{City: city}.company(company.Number(i+1))), uint64(i+1)))
	}
	want := []index.Count{{Value: "Zürich", Count: 4}}
	for range 2 {
		r, err := ix.Search(t.Context(), index.Request{Limit: 1, FacetLimit: 3})
		require.NoError(t, err)
		require.Equal(t, want, r.Facets.Values["cities"])
		if m, ok := ix.(Merger); ok {
			m.MergeAll()
		}
	}
}
