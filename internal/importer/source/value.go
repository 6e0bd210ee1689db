package source

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Field is one named value.
type Field struct {
	Name  string
	Value Value
}

// Kind is the type of a Value.
type Kind uint8

// The kinds.
const (
	Null   Kind = iota
	Text        // Value.Text
	Number      // Value.Text, as the source writes it
	Cell        // Value.Text, from a format without types: it may be text, a number or a list
	Texts       // Value.Texts
	Other       // Value.Other, as encoding/json decodes it, numbers as json.Number
)

// Value is one value of a record.
type Value struct {
	Kind  Kind
	Text  string
	Texts []string
	Other any
}

// IsBlank reports whether the value is empty.
func (v *Value) IsBlank() bool {
	switch v.Kind {
	case Text, Number, Cell:
		return strings.TrimSpace(v.Text) == ""
	case Texts:
		return len(v.Texts) == 0
	case Other:
		return v.Other == nil
	case Null:
	}
	return true
}

// Any returns the value as encoding/json decodes it, numbers as json.Number.
func (v *Value) Any() any {
	switch v.Kind {
	case Text, Cell:
		return v.Text
	case Number:
		return json.Number(v.Text)
	case Texts:
		out := make([]any, len(v.Texts))
		for i, s := range v.Texts {
			out[i] = s
		}
		return out
	case Other:
		return v.Other
	case Null:
	}
	return nil
}

// valueOf converts what encoding/json decodes, numbers as json.Number, to a Value.
func valueOf(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case string:
		return Value{Kind: Text, Text: v}
	case json.Number:
		return Value{Kind: Number, Text: v.String()}
	case []any:
		texts := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return Value{Kind: Other, Other: v}
			}
			texts = append(texts, s)
		}
		return Value{Kind: Texts, Texts: texts}
	default:
		return Value{Kind: Other, Other: v}
	}
}

// objectText writes the fields as a JSON object, in their order.
func objectText(fields []Field) string {
	var s strings.Builder
	s.WriteByte('{')
	for i := range fields {
		name, err1 := json.Marshal(fields[i].Name)
		value, err2 := json.Marshal(fields[i].Value.Any())
		if err1 != nil || err2 != nil {
			continue
		}
		if s.Len() > 1 {
			s.WriteByte(',')
		}
		s.Write(name)
		s.WriteByte(':')
		s.Write(value)
	}
	s.WriteByte('}')
	return s.String()
}

const (
	flattenDepthMax   = 4
	flattenMembersMax = 30    // a larger object is most likely a map keyed by data, and stays whole unless its members have known names
	flattenKnownMin   = 3     // of the names in a larger object
	flattenManyMax    = 1_000 // members of a larger object
)

// flatten replaces objects by their members: {"company": {"name": "Acme"}} becomes the field company.name. Objects
// that the schema wants whole stay.
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

// isMap reports whether an object has too many members to be fields of a record: its keys are data, such as countries or months.
func isMap(schema Schema, members map[string]any) bool {
	if len(members) <= flattenMembersMax {
		return false
	}
	known := 0
	for name := range members {
		if known < flattenKnownMin && schema.Column(name).Known {
			known++
		}
	}
	return known < flattenKnownMin || len(members) > flattenManyMax
}

func appendFlat(schema Schema, out []Field, f Field, depth int) []Field {
	members, ok := f.Value.Other.(map[string]any)
	if !ok || f.Value.Kind != Other || depth == 0 || len(members) == 0 || schema.Column(f.Name).Whole || isMap(schema, members) {
		return append(out, f)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		out = appendFlat(schema, out, Field{f.Name + "." + name, valueOf(members[name])}, depth-1)
	}
	return out
}
