package importer

import (
	"maps"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// Field is what a column of a file can be read as.
type Field struct {
	Name  string // as in a Mapping
	Label string // for people
}

// otherFields are the fields that only files have.
var otherFields = []Field{
	{fieldNames[colLocation], "Location (city, state, country)"},
	{fieldNames[colPostal], "Postal code"},
	{fieldNames[colEmployeesMax], "Employees, at most"},
}

// Fields returns the fields for Mapping.Map: those of companies in the order of company.Fields, then those that only files
// have. Besides these there are attributes.NAME and connections.CATEGORY.
func Fields() []Field {
	var out []Field
	for _, f := range company.Fields {
		if _, ok := fieldByName(f.Name); ok {
			out = append(out, Field{f.Name, f.Label})
		}
	}
	return append(out, otherFields...)
}

// Relations returns the categories of connections that columns are recognised as, such as investor.
func Relations() []string {
	return slices.Compact(slices.Sorted(maps.Values(relations)))
}
