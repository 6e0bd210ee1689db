package view

import (
	"context"
	"slices"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/search"
)

// Facet is a facet as bars to click.
type Facet struct {
	Param, Title, Hint string
	Out                string // the parameter that leaves values out; empty where there is none
	Values             []FacetValue
	Chosen             int  // values taken or left out
	Open               bool // shown unfolded at first
}

// FacetValue is one bar.
type FacetValue struct {
	Value, Label string
	Count        int
	Known        bool // Count is known
	Share        int  // of the facet's longest bar, in percent
	Taken, Out   bool
}

// Range is a facet of a number: a range, and its bands as bars.
type Range struct {
	Param, Title, Hint string
	Min, Max           *int64
	Bands              []Band
	Open               bool
}

type Band struct {
	Label string
	Link  string
	Count int
	Share int
	Taken bool
}

// facetShown is the number of values that a facet shows besides the chosen ones; the field above finds the others.
const facetShown = 8

// textFacets are the facets of texts in the order of the page.
var textFacets = []Facet{
	{Param: "industries", Title: "Industry", Hint: "Add an industry", Out: "exclude_industries", Open: true},
	{Param: "countries", Title: "Country", Hint: "Add a country", Open: true},
	{Param: "states", Title: "State or region", Hint: "Add a state"},
	{Param: "cities", Title: "City", Hint: "Add a city"},
	{Param: "technologies", Title: "Technology", Hint: "Add a technology", Open: true},
	{Param: "technology_categories", Title: "Technology category", Hint: "Add a category"},
	{Param: "naics_codes", Title: "NAICS code", Hint: "Add a code, such as 52 or 522320"},
}

// CountsOf are the values of a facet in a result.
func CountsOf(f search.Facets, param string) []search.Count {
	facet, _ := search.ParseFacet(param)
	return f.Counts(facet)
}

// Facets are the bars of a result: the chosen values first, then the commonest.
func Facets(w *SearchForm, f search.Facets) []Facet {
	views := slices.Clone(textFacets)
	for i := range views {
		v := &views[i]
		var out []string
		if v.Out != "" {
			out = *w.texts(v.Out)
		}
		taken := *w.texts(v.Param)
		v.Values = barsOf(v.Param, taken, out, CountsOf(f, v.Param))
		v.Chosen = len(taken) + len(out)
		v.Open = v.Open || v.Chosen > 0
	}
	return views
}

func barsOf(param string, taken, out []string, counts []search.Count) []FacetValue {
	var longest int
	bar := func(value string) FacetValue {
		fv := FacetValue{Value: value, Label: LabelOf(param, value)}
		if i := slices.IndexFunc(counts, func(c search.Count) bool { return sameValue(param, c.Value, value) }); i >= 0 {
			fv.Count, fv.Known = counts[i].Count, true
		}
		longest = max(longest, fv.Count)
		return fv
	}
	var bars []FacetValue
	for _, value := range taken {
		b := bar(value)
		b.Taken = true
		bars = append(bars, b)
	}
	for _, value := range out {
		b := bar(value)
		b.Out = true
		bars = append(bars, b)
	}
	chosen := len(bars)
	for _, c := range counts {
		if len(bars) >= chosen+facetShown {
			break
		}
		if !slices.ContainsFunc(bars[:chosen], func(b FacetValue) bool { return sameValue(param, c.Value, b.Value) }) {
			bars = append(bars, bar(c.Value))
		}
	}
	for i := range bars {
		bars[i].Share = percent(bars[i].Count, longest)
	}
	return bars
}

// sameValue tells whether a facet's value is what a filter asks for: countries go by codes too.
func sameValue(param, value, asked string) bool {
	if param == "countries" {
		a, known := company.LookupCountry(value)
		b, too := company.LookupCountry(asked)
		if known && too {
			return a.Name == b.Name
		}
	}
	return hasFold([]string{value}, asked)
}

func LabelOf(param, value string) string {
	if param == "naics_codes" {
		return sectorLabel(value)
	}
	return value
}

// Ranges are the ranges of a result.
func Ranges(ctx context.Context, w *SearchForm, f search.Facets) []Range {
	views := []Range{
		{Param: "employee_count", Title: "Employees", Hint: "people", Min: w.EmployeeCountMin, Max: w.EmployeeCountMax, Open: true},
		{Param: "founded_year", Title: "Founded", Hint: "year", Min: w.FoundedYearMin, Max: w.FoundedYearMax},
	}
	for i, found := range [][]search.Band{f.EmployeeCount, f.FoundedYear} {
		v := &views[i]
		longest := 0
		for _, b := range found {
			longest = max(longest, b.Count)
		}
		for _, b := range found {
			shown := Band{Count: b.Count, Share: percent(b.Count, longest), Taken: sameBound(b.Min, v.Min) && sameBound(b.Max, v.Max)}
			if i == 0 {
				shown.Label = spanLabel(b, func(n int64) string { return Count(ctx, n) })
			} else {
				shown.Label = spanLabel(b, func(n int64) string { return strconv.FormatInt(n, 10) })
			}
			low, high := bound(b.Min), bound(b.Max)
			if shown.Taken {
				low, high = "", ""
			}
			shown.Link = w.At("", v.Param+"_min", low, v.Param+"_max", high)
			v.Bands = append(v.Bands, shown)
		}
		v.Open = v.Open || v.Min != nil || v.Max != nil
	}
	return views
}

func spanLabel(b search.Band, write func(int64) string) string {
	switch {
	case b.Min == nil && b.Max == nil:
		return "any"
	case b.Min == nil:
		return "up to " + write(*b.Max)
	case b.Max == nil:
		return write(*b.Min) + " or more"
	case *b.Min == *b.Max:
		return write(*b.Min)
	}
	return write(*b.Min) + " – " + write(*b.Max)
}

func sameBound(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func bound(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
