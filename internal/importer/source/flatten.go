package source

import (
	"maps"
	"slices"
)

const (
	flattenDepthMax   = 4
	flattenMembersMax = 30 // an object of more is a table of its own, and stays whole
)

// flatten replaces objects by their members, so that {"company": {"name": "Acme"}} has a field company.name. Objects
// that are one value by the schema stay whole.
func flatten(schema Schema, fields []Field) []Field {
	if !slices.ContainsFunc(fields, isObject) {
		return fields
	}
	out := make([]Field, 0, 2*len(fields))
	for _, f := range fields {
		out = appendFlat(schema, out, f, flattenDepthMax)
	}
	return out
}

func isObject(f Field) bool {
	_, ok := f.Value.Other.(map[string]any)
	return ok && f.Value.Kind == Other
}

func appendFlat(schema Schema, out []Field, f Field, depth int) []Field {
	members, ok := f.Value.Other.(map[string]any)
	if !ok || f.Value.Kind != Other || depth == 0 || len(members) == 0 || len(members) > flattenMembersMax || schema.Column(f.Name).Whole {
		return append(out, f)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		out = appendFlat(schema, out, Field{f.Name + "." + name, valueOf(members[name])}, depth-1)
	}
	return out
}
