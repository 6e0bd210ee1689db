package reqbody

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// Validator validates JSON values and parameters against schemas and collects every error. Huma's own validation is not
// used: it accepts names in any letter case, echoes the body in its errors and suggests no names.
type Validator struct {
	Registry huma.Registry // resolves references of schemas

	// Hints are messages for fields that are unknown where they are, below the root, by the field's name.
	Hints map[string]string

	errs    []fault.FieldError
	changed bool // a value is invalid or normalized, so the body must be rendered again before it is decoded
}

// Errors returns the errors that were found so far.
func (v *Validator) Errors() []fault.FieldError { return v.errs }

// Reject adds an error of the field.
func (v *Validator) Reject(field, format string, args ...any) {
	v.reject(&Value{}, &path{name: field}, format, args...)
}

func (v *Validator) reject(val *Value, at *path, format string, args ...any) {
	val.invalid, v.changed = true, true
	v.errs = appendError(v.errs, at, fmt.Sprintf(format, args...))
}

// Deref follows references, and returns the first alternative of a schema that has several: the second one is null.
func Deref(registry huma.Registry, s *huma.Schema) *huma.Schema {
	for {
		switch {
		case s.Ref != "":
			s = registry.SchemaFromRef(s.Ref)
		case len(s.AnyOf) > 0:
			s = s.AnyOf[0]
		default:
			return s
		}
	}
}

// check validates val, the value at the path, against s.
func (v *Validator) check(s *huma.Schema, val *Value, at *path) {
	if val.invalid {
		v.changed = true
		return
	}
	s = Deref(v.Registry, s)
	if want := kindOf(s); val.kind != want {
		v.reject(val, at, "must be %v, not %v", want, val.kind)
		return
	}
	switch val.kind {
	case kindObject:
		v.object(s, val, at)
	case kindArray:
		v.array(s, val, at)
	case kindString:
		v.str(s, val, at)
	case kindNumber:
		v.integer(s, val, at)
	case kindBool, kindNull:
	}
}

// kindOf returns the kind of the values of the schema.
func kindOf(s *huma.Schema) kind {
	switch s.Type {
	case huma.TypeObject:
		return kindObject
	case huma.TypeArray:
		return kindArray
	case huma.TypeInteger:
		return kindNumber
	case huma.TypeBoolean:
		return kindBool
	default:
		return kindString
	}
}

// object treats null for an optional member as its absence.
func (v *Validator) object(s *huma.Schema, val *Value, at *path) {
	given := map[string]bool{}
	for _, m := range val.members {
		inner := &path{parent: at, name: m.name}
		property, known := s.Properties[m.name]
		switch {
		case !known:
			v.reject(m.value, inner, "%s", v.unknown(s, m.name, at))
		case m.value.kind != kindNull:
			given[m.name] = true
			v.check(property, m.value, inner)
		case slices.Contains(s.Required, m.name):
			given[m.name] = true
			v.reject(m.value, inner, "is required and must not be null")
		}
	}
	for _, name := range s.Required {
		if !given[name] {
			v.reject(&Value{}, &path{parent: at, name: name}, "is required")
		}
	}
}

// unknown returns the message for a field that s does not have.
func (v *Validator) unknown(s *huma.Schema, name string, at *path) string {
	if len(v.errs) >= errorsMax {
		return "" // it would not be reported
	}
	if message, ok := v.Hints[name]; ok && at != nil {
		return message
	}
	for outer, property := range s.Properties {
		if _, inside := Deref(v.Registry, property).Properties[name]; inside {
			return "unknown field: it belongs inside " + outer
		}
	}
	known := make([]string, 0, len(s.Properties))
	for property := range s.Properties {
		known = append(known, property)
	}
	slices.Sort(known)
	if near := text.Nearest(name, known); near != "" {
		return fmt.Sprintf("unknown field; did you mean %s?", near)
	}
	return "unknown field; known fields are " + strings.Join(known, ", ")
}

// array rejects the whole list if an item is invalid: without it, later errors would name wrong indexes.
func (v *Validator) array(s *huma.Schema, val *Value, at *path) {
	if s.MaxItems != nil && len(val.items) > *s.MaxItems {
		v.reject(val, at, "must have at most %d items, not %d", *s.MaxItems, len(val.items))
		return
	}
	if s.MinItems != nil && len(val.items) < *s.MinItems {
		v.reject(val, at, "must have at least %s", text.Count(*s.MinItems, "item", "items"))
	}
	for i, item := range val.items {
		v.check(s.Items, item, &path{parent: at, index: i})
		val.invalid = val.invalid || item.invalid
	}
}

func (v *Validator) str(s *huma.Schema, val *Value, at *path) {
	length := utf8.RuneCountInString(val.text)
	switch {
	case s.MinLength != nil && length < *s.MinLength:
		v.reject(val, at, "must not be empty")
	case s.MaxLength != nil && length > *s.MaxLength:
		v.reject(val, at, "must have at most %d characters, not %d", *s.MaxLength, length)
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, any(val.text)):
		v.reject(val, at, "%s", notOneOf(s.Enum, val.text))
	case s.Format == "uuid" && !isUUID(val.text):
		v.reject(val, at, "must be a UUID, such as 018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f")
	case s.Format == "uuid" && strings.Trim(val.text, "0-") == "":
		v.reject(val, at, "must not be the nil UUID; leave the field out instead")
	case s.Format == "date-time" && !isTime(val.text):
		v.reject(val, at, "must be an RFC 3339 time such as 2026-03-01T09:30:00Z; in a query string, send + as %%2B")
	}
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isUUID(s string) bool {
	_, err := id.Parse[id.Company](s)
	return err == nil
}

func notOneOf(enum []any, given string) string {
	var known []string
	for _, e := range enum {
		if name, ok := e.(string); ok { // optional fields list null too
			known = append(known, name)
		}
	}
	message := "must be one of " + strings.Join(known, ", ")
	if near := text.Nearest(given, known); near != "" {
		message += fmt.Sprintf("; did you mean %s?", near)
	}
	return message
}

// integer accepts 50.0 and 5e1 as 50, because some languages have only one number type.
func (v *Validator) integer(s *huma.Schema, val *Value, at *path) {
	n, err := strconv.ParseInt(string(val.raw), 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(string(val.raw), 64)
		switch {
		case ferr == nil && f != math.Trunc(f):
			v.reject(val, at, "must be a whole number")
			return
		case ferr != nil || math.Abs(f) > 1<<53:
			v.reject(val, at, "is out of range")
			return
		}
		n, v.changed = int64(f), true
		val.raw = strconv.AppendInt(nil, n, 10)
	}
	switch {
	case s.Minimum != nil && float64(n) < *s.Minimum:
		v.reject(val, at, "must be at least %v", *s.Minimum)
	case s.Maximum != nil && float64(n) > *s.Maximum:
		v.reject(val, at, "must be at most %v", *s.Maximum)
	}
}
