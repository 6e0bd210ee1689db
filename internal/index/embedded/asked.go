package embedded

import (
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/text"
)

// asked is what a search wants to know of facets.
type asked struct {
	limit  int // values a field
	fields [facetFields]bool
	prefix index.FacetPrefix // its text folded
}

// facetField is where each facet is counted.
func facetField(f index.Facet) field {
	switch f {
	case index.FacetCountries:
		return fieldCountry
	case index.FacetStates:
		return fieldState
	case index.FacetCities:
		return fieldCity
	case index.FacetIndustries:
		return fieldIndustry
	case index.FacetNAICSCodes:
		return fieldSector
	case index.FacetTechnologies:
		return fieldTechnology
	case index.FacetTechnologyCategories:
		return fieldCategory
	case index.FacetEmployeeCount:
		return fieldBand
	default:
		return fieldDecade
	}
}

func askedFacets(r index.Request) asked {
	a := asked{limit: r.FacetLimit, prefix: r.FacetPrefix}
	a.prefix.Text = text.Fold(a.prefix.Text)
	facets := r.Facets
	if facets == nil {
		facets = index.AllFacets()
	}
	for _, f := range facets {
		a.fields[facetField(f)] = true
	}
	if len(facets) == 0 {
		a.limit = 0
	}
	return a
}

// anyRow holds if a field that stands in rows is asked for.
func (a *asked) anyRow() bool {
	for f := range rowFields {
		if a.fields[f] {
			return true
		}
	}
	return false
}

// prefixOf is what the field's values must begin with, if anything.
func (a *asked) prefixOf(f field) (prefix string, narrowed bool) {
	if a.prefix.Text == "" || a.prefix.Facet.HasBands() || facetField(a.prefix.Facet) != f {
		return "", false
	}
	return a.prefix.Text, true
}
