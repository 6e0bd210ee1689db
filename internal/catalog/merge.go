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
	if in.Country != "" && (c.Country != in.Country || c.CountryCode != in.CountryCode) {
		c.Country, c.CountryCode, changed = in.Country, in.CountryCode, true // the code of another country must not stay
	}
	for i := range company.Fields {
		f := &company.Fields[i]
		if f.Name == "country" || f.Name == "country_code" || !f.Known(in) {
			continue
		}
		switch f.Kind {
		case company.KindText:
			if to, from := f.Text(c), *f.Text(in); *to != from {
				*to, changed = from, true
			}
		case company.KindList:
			if to, from := f.List(c), *f.List(in); !slices.Equal(*to, from) {
				*to, changed = from, true
			}
		case company.KindInteger:
			if to, from := f.Int(c), *f.Int(in); *to == nil || **to != *from {
				*to, changed = from, true
			}
		case company.KindAttributes:
			changed = mergeAttributes(c, in) || changed
		case company.KindID, company.KindTime, company.KindConnections:
		}
	}
	return changed
}

func mergeAttributes(c, in *company.Company) bool {
	changed := false
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

// placeFields are the fields that say where a company is.
var placeFields = []string{"country", "country_code", "state", "city"}

// gapsOf returns the values of in that c does not have.
func gapsOf(c, in *company.Company) *company.Company {
	out := *in
	hasPlace := c.Country != "" || c.State != "" || c.City != ""
	for i := range company.Fields {
		f := &company.Fields[i]
		known := f.Known(c)
		if slices.Contains(placeFields, f.Name) {
			known = hasPlace // one place, not parts of two
		}
		if !known {
			continue
		}
		switch f.Kind {
		case company.KindText:
			*f.Text(&out) = ""
		case company.KindList:
			*f.List(&out) = nil
		case company.KindInteger:
			*f.Int(&out) = nil
		case company.KindID, company.KindTime, company.KindConnections, company.KindAttributes:
		}
	}
	out.Attributes = maps.Clone(in.Attributes)
	for name := range c.Attributes {
		delete(out.Attributes, name)
	}
	return &out
}
