package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

// Filters select companies: lists are OR inside, parameters are AND; without any, every company matches.
type Filters struct{ query.Filters }

// TransformSchema documents the parameters as query's table does.
func (*Filters) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, p := range query.Params {
		property := s.Properties[p.Name]
		property.Description = p.Doc
		if p.Example != "" {
			property.Examples = []any{json.RawMessage(p.Example)}
		}
	}
	return s
}

// parse returns the query of the filters, or the errors with prefix in front of their fields.
func (f Filters) parse(prefix string) (query.Query, []fault.FieldError) {
	q, err := query.Parse(f.Filters)
	return q, under(prefix, fault.Fields(err))
}

// canonical returns the filters as they are stored with an export.
func (f Filters) canonical() json.RawMessage {
	p, err := json.Marshal(f.Filters)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return p
}

// parseSort returns the requested sort, or its errors.
func parseSort(by, order string, hasText bool) (query.Sort, []fault.FieldError) {
	sort, err := query.ParseSort(by, order, hasText)
	return sort, fault.Fields(err)
}

func under(prefix string, list []fault.FieldError) []fault.FieldError {
	if prefix == "" {
		return list
	}
	moved := make([]fault.FieldError, len(list))
	for i, f := range list {
		moved[i] = fault.FieldError{Field: prefix + "." + f.Field, Message: f.Message}
	}
	return moved
}
