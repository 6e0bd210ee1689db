package view

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// Facet is the values of a text filter as bars to click.
type Facet struct {
	Param, Title, Hint string
	Out                string // the parameter that excludes values; empty if there is no such filter
	Values             []FacetValue
	Unknown            *Band  // the companies without a value; nil if there are none, or they are not counted
	More               string // the address of the page with all values; empty if all are shown
	Chosen             int    // number of included and excluded values
	Open               bool   // open at first
}

// FacetValue is one bar.
type FacetValue struct {
	Value, Label string
	Count        int
	New          int  // part of Count that the workspace does not own, a credit each
	Known        bool // Count and New are known
	Share        int  // of the facet's longest bar, in percent
	Taken, Out   bool
}

// Range is the filter of a number: its bounds, and its bands as bars.
type Range struct {
	Param, Title string
	Min, Max     *int64
	Bands        []Band
	Open         bool
}

// Band is a bar of a Range: a link that selects it, its count, and its length in percent of the longest.
type Band struct {
	ID, Label string
	Link      string
	Count     int
	New       int // as in FacetValue
	Share     int
	Taken     bool
}

// facetShown is how many values a facet shows besides the chosen ones. The field above it finds the others.
const facetShown = 5

// facetsFirst are the facets of texts that a page shows first, in this order; the table's others follow. Those of
// facetsOpen are unfolded at first.
var (
	facetsFirst = []search.Facet{
		"industries", "countries", "states", "cities", "technologies", "technology_categories", "naics_codes",
	}
	facetsOpen = []search.Facet{"industries", "countries", "technologies", "employee_count"}
)

// textFacets are the facets of texts in the order of the page.
var textFacets = func() []search.Facet {
	all := facetsFirst
	for _, f := range search.AllFacets() {
		if !f.HasBands() && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}()

// Facets returns the facets of a result, which is nil if the form has errors. In each, the chosen values come first, then the
// most common. The pages with all values of a facet are below the address all. Facets of locked fields are left out.
func Facets(w *SearchForm, found *search.Result, all string) []Facet {
	if found == nil {
		found = &search.Result{}
	}
	var views []Facet
	for _, f := range textFacets {
		if search.Hides(w.Locked, f) {
			continue
		}
		v := facetOf(w, f, found.Facets.Values[f], facetShown)
		if len(found.Facets.Values[f]) > facetShown {
			v.More = w.At(all + "/" + v.Param)
		}
		if v.Unknown = w.unknownBand(f, found.Unknown[f], len(v.Values) > 0); v.Unknown != nil {
			longest := v.Unknown.Count
			for _, value := range v.Values {
				longest = max(longest, value.Count)
			}
			v.Unknown.Share = percent(v.Unknown.Count, longest)
		}
		views = append(views, v)
	}
	return views
}

// FacetOf returns a facet with these values, and the chosen ones first.
func FacetOf(w *SearchForm, f search.Facet, counts []search.Count) Facet {
	return facetOf(w, f, counts, len(counts))
}

func facetOf(w *SearchForm, f search.Facet, counts []search.Count, shown int) Facet {
	p := f.Param()
	v := Facet{Param: p.Name, Title: p.Label, Hint: p.Hint, Open: slices.Contains(facetsOpen, f)}
	taken := *p.Texts(&w.Filters)
	var out []string
	if not := p.Opposite(); not != nil {
		v.Out, out = not.Name, *not.Texts(&w.Filters)
	}
	v.Values = barsOf(p, taken, out, counts, shown)
	v.Chosen = len(taken) + len(out)
	v.Open = v.Open || v.Chosen > 0
	return v
}

// unknownBand is the bar of the companies without a known value of a facet's field. Its link asks for them in place of those
// with values, or takes that back. If no value is known, there is nothing to choose from, and no bar.
func (w *SearchForm) unknownBand(f search.Facet, unknown search.Count, known bool) *Band {
	field, rest := f.Field().String(), w.Values()
	taken := hasFold(w.Missing, field)
	if (unknown.Count == 0 || !known) && !taken {
		return nil
	}
	missing := w.missingBut(f)
	for _, p := range query.ParamsOf(f.Field()) {
		rest.Del(p.Name)
	}
	if rest.Del("missing"); !taken {
		missing = append(missing, field)
	}
	if len(missing) > 0 {
		rest["missing"] = missing
	}
	return &Band{
		ID: "unknown-" + field, Label: "unknown", Link: withQuery("", rest), Count: unknown.Count, New: unknown.Count - unknown.Owned, Taken: taken,
	}
}

// missingBut returns the fields that must be unknown, without the facet's.
func (w *SearchForm) missingBut(f search.Facet) []string {
	return slices.DeleteFunc(slices.Clone(w.Missing), func(name string) bool { return strings.EqualFold(name, f.Field().String()) })
}

func barsOf(p *query.Param, taken, out []string, counts []search.Count, shown int) []FacetValue {
	var longest int
	bar := func(value string) FacetValue {
		fv := FacetValue{Value: value, Label: LabelOf(p.Name, value)}
		if i := slices.IndexFunc(counts, func(c search.Count) bool { return sameValue(p, c.Value, value) }); i >= 0 {
			fv.Count, fv.New, fv.Known = counts[i].Count, counts[i].Count-counts[i].Owned, true
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
		if len(bars) >= chosen+shown {
			break
		}
		if !slices.ContainsFunc(bars[:chosen], func(b FacetValue) bool { return sameValue(p, c.Value, b.Value) }) {
			bars = append(bars, bar(c.Value))
		}
	}
	for i := range bars {
		bars[i].Share = percent(bars[i].Count, longest)
	}
	return bars
}

// sameValue reports whether a facet's value is the one that a filter asks for. A country can also be given by its code.
func sameValue(p *query.Param, value, asked string) bool {
	if p.Field == query.FieldCountry {
		a, known := company.LookupCountry(value)
		b, too := company.LookupCountry(asked)
		if known && too {
			return a.Name == b.Name
		}
	}
	return hasFold([]string{value}, asked)
}

// LabelOf returns what a page shows for a value of a parameter.
func LabelOf(param, value string) string {
	switch p := query.ParamNamed(param); {
	case p.Kind == query.KindCodes:
		return sectorLabel(value)
	case p.ValueLabel != nil:
		return p.ValueLabel(value)
	}
	return value
}

// Ranges returns the number ranges of a result.
func Ranges(ctx context.Context, w *SearchForm, found *search.Result) (views []Range) {
	if found == nil {
		found = &search.Result{}
	}
	counts := found.Facets
	for _, f := range search.AllFacets() {
		if !f.HasBands() {
			continue
		}
		ends := query.ParamsOf(f.Field()) // the lower one first
		v := Range{
			Param: string(f), Title: company.FieldNamed(f.Field().String()).Label,
			Min: *ends[0].Int(&w.Filters), Max: *ends[1].Int(&w.Filters),
		}
		known := *w // choosing a band takes back that unknown values were asked for
		known.Missing = w.missingBut(f)
		longest := 0
		for _, b := range counts.Bands[f] {
			longest = max(longest, b.Count)
		}
		for i, b := range counts.Bands[f] {
			shown := Band{
				ID: v.Param + strconv.Itoa(i), Label: bandLabel(ctx, f, b.Min, b.Max), Count: b.Count, New: b.Count - b.Owned, Share: percent(b.Count, longest),
				Taken: sameBound(b.Min, v.Min) && sameBound(b.Max, v.Max),
			}
			low, high := bound(b.Min), bound(b.Max)
			if shown.Taken {
				low, high = "", ""
			}
			shown.Link = known.At("", ends[0].Name, low, ends[1].Name, high)
			v.Bands = append(v.Bands, shown)
		}
		if unknown := w.unknownBand(f, found.Unknown[f], len(v.Bands) > 0); unknown != nil {
			unknown.Share = percent(unknown.Count, max(longest, unknown.Count))
			v.Bands = append(v.Bands, *unknown)
		}
		v.Open = slices.Contains(facetsOpen, f) || v.Min != nil || v.Max != nil
		views = append(views, v)
	}
	return views
}

// bandLabel returns what a page calls a band of a facet.
func bandLabel(ctx context.Context, f search.Facet, low, high *int64) string {
	write := func(n int64) string { return Count(ctx, n) }
	if f.Field() == query.FieldFoundedYear {
		write = func(n int64) string { return strconv.FormatInt(n, 10) }
	}
	switch {
	case low == nil && high == nil:
		return "any"
	case low == nil:
		return "up to " + write(*high)
	case high == nil:
		return write(*low) + " or more"
	case *low == *high:
		return write(*low)
	}
	return write(*low) + " – " + write(*high)
}

func sameBound(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func bound(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
