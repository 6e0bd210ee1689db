package catalog

import (
	"maps"
	"reflect"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// merge copies the known values of in to c and reports whether any was different. Values that in does not have stay. Lists
// are replaced as a whole, attributes one by one. Id, number, times and connections do not change.
func merge(c, in *company.Company) bool {
	changed := false
	set := func(dst *string, src string) {
		if src != "" && *dst != src {
			*dst, changed = src, true
		}
	}
	set(&c.Name, in.Name)
	set(&c.Domain, in.Domain)
	set(&c.Website, in.Website)
	set(&c.LinkedInURL, in.LinkedInURL)
	set(&c.Description, in.Description)
	set(&c.State, in.State)
	set(&c.City, in.City)
	if in.Country != "" && (c.Country != in.Country || c.CountryCode != in.CountryCode) {
		c.Country, c.CountryCode, changed = in.Country, in.CountryCode, true
	}
	return mergeRest(c, in) || changed
}

func mergeRest(c, in *company.Company) bool {
	changed := false
	list := func(dst *[]string, src []string) {
		if len(src) > 0 && !slices.Equal(*dst, src) {
			*dst, changed = src, true
		}
	}
	list(&c.Industries, in.Industries)
	list(&c.NAICSCodes, in.NAICSCodes)
	list(&c.Technologies, in.Technologies)
	list(&c.TechnologyCategories, in.TechnologyCategories)
	number := func(dst **int64, src *int64) {
		if src != nil && (*dst == nil || **dst != *src) {
			*dst, changed = src, true
		}
	}
	number(&c.EmployeeCount, in.EmployeeCount)
	number(&c.FoundedYear, in.FoundedYear)
	for name, value := range in.Attributes {
		old, known := c.Attributes[name]
		if value == nil || known && reflect.DeepEqual(old, value) {
			continue
		}
		// A copy: the map may be shared with another row of the batch.
		c.Attributes = maps.Clone(c.Attributes)
		if c.Attributes == nil {
			c.Attributes = map[string]any{}
		}
		c.Attributes[name], changed = value, true
	}
	return changed
}

// gapsOf returns the values of in that c does not have.
func gapsOf(c, in *company.Company) *company.Company {
	out := *in
	for _, f := range [][2]*string{
		{&c.Name, &out.Name},
		{&c.Domain, &out.Domain},
		{&c.Website, &out.Website},
		{&c.LinkedInURL, &out.LinkedInURL},
		{&c.Description, &out.Description},
	} {
		if *f[0] != "" {
			*f[1] = ""
		}
	}
	if c.Country != "" || c.State != "" || c.City != "" {
		out.Country, out.CountryCode, out.State, out.City = "", "", "", "" // one place, not parts of two
	}
	for _, f := range [][2]*[]string{
		{&c.Industries, &out.Industries},
		{&c.NAICSCodes, &out.NAICSCodes},
		{&c.Technologies, &out.Technologies},
		{&c.TechnologyCategories, &out.TechnologyCategories},
	} {
		if len(*f[0]) > 0 {
			*f[1] = nil
		}
	}
	if c.EmployeeCount != nil {
		out.EmployeeCount = nil
	}
	if c.FoundedYear != nil {
		out.FoundedYear = nil
	}
	out.Attributes = maps.Clone(in.Attributes)
	for name := range c.Attributes {
		delete(out.Attributes, name)
	}
	return &out
}
