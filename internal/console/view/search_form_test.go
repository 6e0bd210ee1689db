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
		"no_filter": {"x"},
	})
	require.Equal(t, "pay", w.Query)
	require.Equal(t, []string{"Germany", "France"}, w.Countries)
	require.Equal(t, []string{"Retail"}, w.Industries, "what is left out is not asked for")
	require.Equal(t, int64(50), *w.EmployeeCountMin)
	require.Equal(t, []query.ConnectionFilter{
		{Category: "vendor", ConnectedDomain: "acme.example"}, {Category: "investor", ConnectedDomain: "b.example"},
	}, w.Connections)
	_, _, err := w.Parse()
	require.Equal(t, "founded_year_max", fault.Fields(err)[0].Field)
	empty := ReadSearchForm(url.Values{"connection_category": {""}, "sort_by": {"name"}})
	require.True(t, empty.isEmpty())
}
