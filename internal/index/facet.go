package index

import (
	"slices"

	"github.com/opencapi/capi/internal/text"
)

// Facet is a property that matches are counted by. It has the name of the filter for it.
type Facet uint8

// The facets, in the order in which they are shown.
const (
	FacetCountries Facet = iota
	FacetStates
	FacetCities
	FacetIndustries
	FacetNAICSCodes
	FacetTechnologies
	FacetTechnologyCategories
	FacetEmployeeCount
	FacetFoundedYear
	facetCount
)

var facetNames = [facetCount]string{
	"countries", "states", "cities", "industries", "naics_codes", "technologies", "technology_categories",
	"employee_count", "founded_year",
}

// AllFacets returns all facets.
func AllFacets() []Facet {
	all := make([]Facet, facetCount)
	for i := range all {
		all[i] = Facet(i)
	}
	return all
}

// ParseFacet returns the facet with the name.
func ParseFacet(name string) (Facet, bool) {
	i := slices.Index(facetNames[:], name)
	return Facet(max(i, 0)), i >= 0
}

// NearestFacet returns the name of the facet that was probably meant; empty if none is near.
func NearestFacet(name string) string { return text.Nearest(name, facetNames[:]) }

func (f Facet) String() string { return facetNames[f] }

// HasBands reports whether the facet counts ranges of numbers, which have no values to complete.
func (f Facet) HasBands() bool { return f == FacetEmployeeCount || f == FacetFoundedYear }

// FacetPrefix restricts one facet to the values that begin with Text, ignoring case and accents, as in autocompletion. The
// zero value does not restrict anything.
type FacetPrefix struct {
	Facet Facet
	Text  string
}

// Counts returns the values of a facet of texts, and nil for a facet of numbers.
func (f *Facets) Counts(facet Facet) []Count {
	if counts := f.counts(facet); counts != nil {
		return *counts
	}
	return nil
}

// Replace takes one facet's counts or bands from another result.
func (f *Facets) Replace(facet Facet, from Facets) {
	switch facet {
	case FacetEmployeeCount:
		f.EmployeeCount = from.EmployeeCount
	case FacetFoundedYear:
		f.FoundedYear = from.FoundedYear
	default:
		*f.counts(facet) = *from.counts(facet)
	}
}

// counts returns where the values of a facet of texts are kept; nil for a facet of numbers.
func (f *Facets) counts(facet Facet) *[]Count {
	switch facet {
	case FacetCountries:
		return &f.Countries
	case FacetStates:
		return &f.States
	case FacetCities:
		return &f.Cities
	case FacetIndustries:
		return &f.Industries
	case FacetNAICSCodes:
		return &f.NAICSCodes
	case FacetTechnologies:
		return &f.Technologies
	case FacetTechnologyCategories:
		return &f.TechnologyCategories
	default:
		return nil
	}
}
