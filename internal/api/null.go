package api

import "github.com/danielgtaylor/huma/v2"

// orEmpty returns list, or an empty list for nil, which JSON would write as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orNull returns a pointer to v, or nil for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// orNullSchema allows null for a property that has a schema of its own.
func orNullSchema(s *huma.Schema, property string) *huma.Schema {
	object := s.Properties[property]
	s.Properties[property] = &huma.Schema{
		Description: object.Description, AnyOf: []*huma.Schema{{Ref: object.Ref}, {Type: "null"}},
	}
	return s
}
