package index

import (
	"slices"

	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Facet is something that matches are counted by: the name in query's table of parameters.
type Facet string

// facets are the rows of query's table that have a facet, in its order.
var facets = func() (rows []query.Param) {
	for _, p := range query.Params {
		if p.Facet != "" {
			rows = append(rows, p)
		}
	}
	return rows
}()

// AllFacets returns all facets in the order in which they are shown.
func AllFacets() []Facet {
	all := make([]Facet, len(facets))
	for i, p := range facets {
		all[i] = Facet(p.Facet)
	}
	return all
}

// ParseFacet returns the facet with the name; false if no facet has it.
func ParseFacet(name string) (Facet, bool) { return Facet(name), Facet(name).Param() != nil }

// FacetOf returns the facet that counts what the named parameter reads; false if no facet does.
func FacetOf(param string) (Facet, bool) {
	p := query.ParamNamed(param)
	i := slices.IndexFunc(facets, func(f query.Param) bool { return p != nil && f.Field == p.Field })
	if i < 0 {
		return "", false
	}
	return Facet(facets[i].Facet), true
}

// NearestFacet returns the facet's name that may have been meant; empty if none is near.
func NearestFacet(name string) string {
	names := make([]string, len(facets))
	for i, p := range facets {
		names[i] = p.Facet
	}
	return text.Nearest(name, names)
}

// Field returns the field whose values the facet counts. The facet of FieldNAICS counts sectors.
func (f Facet) Field() query.Field { return f.Param().Field }

// HasBands reports whether the facet counts numbers, by bands; it has no values to complete.
func (f Facet) HasBands() bool { return f.Param().Kind == query.KindMin }

// Param returns the parameter that asks for the facet's values, or for its lower bound; nil for an unknown facet.
func (f Facet) Param() *query.Param {
	i := slices.IndexFunc(facets, func(p query.Param) bool { return p.Facet == string(f) })
	if i < 0 {
		return nil
	}
	return &facets[i]
}

// FacetPrefix restricts one facet to the values that begin with Text, ignoring case and accents, as in autocompletion. The
// zero value does not restrict anything.
type FacetPrefix struct {
	Facet Facet
	Text  string
}

// Facets are exact counts over all matches. Facets that were not asked for are missing.
type Facets struct {
	Values map[Facet][]Count // highest first, then by value; the NAICS codes by sector, their first two digits
	Bands  map[Facet][]Band  // for numbers: ascending, without the empty ones
}

// Set sets one facet's counts or bands to those of another result.
func (f *Facets) Set(facet Facet, from Facets) {
	if f.Values == nil {
		f.Values, f.Bands = map[Facet][]Count{}, map[Facet][]Band{}
	}
	if facet.HasBands() {
		f.Bands[facet] = from.Bands[facet]
	} else {
		f.Values[facet] = from.Values[facet]
	}
}
