package api

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

// checker holds a body against its schema and gathers every fault. Huma's own validation is not used for it: it takes
// names in any letter case, echoes the body in its errors and knows no nearest name.
type checker struct {
	registry  huma.Registry
	faults    []fault.FieldError
	rewritten bool // what was read differs from what was written
}

func (c *checker) refuse(v *value, where *place, format string, args ...any) {
	v.faulty, c.rewritten = true, true
	c.faults = tell(c.faults, where, fmt.Sprintf(format, args...))
}

// resolve gives the schema itself, for what is that or null too.
func (c *checker) resolve(s *huma.Schema) *huma.Schema {
	for {
		switch {
		case s.Ref != "":
			s = c.registry.SchemaFromRef(s.Ref)
		case len(s.AnyOf) > 0:
			s = s.AnyOf[0]
		default:
			return s
		}
	}
}

func (c *checker) check(s *huma.Schema, v *value, where *place) {
	if v.faulty {
		c.rewritten = true
		return
	}
	s = c.resolve(s)
	if want := wanted(s); v.kind != want {
		c.refuse(v, where, "must be %v, not %v", want, v.kind)
		return
	}
	switch v.kind {
	case kindObject:
		c.object(s, v, where)
	case kindArray:
		c.array(s, v, where)
	case kindString:
		c.str(s, v, where)
	case kindNumber:
		c.integer(s, v, where)
	case kindBool, kindNull:
	}
}

func wanted(s *huma.Schema) kind {
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

// object takes null for an optional member as its absence.
func (c *checker) object(s *huma.Schema, v *value, where *place) {
	given := map[string]bool{}
	for _, m := range v.members {
		inner := &place{parent: where, name: m.name}
		property, known := s.Properties[m.name]
		switch {
		case !known:
			c.refuse(m.value, inner, "%s", c.unknown(s, m.name, where))
		case m.value.kind != kindNull:
			given[m.name] = true
			c.check(property, m.value, inner)
		case slices.Contains(s.Required, m.name):
			given[m.name] = true
			c.refuse(m.value, inner, "is required and must not be null")
		}
	}
	for _, name := range s.Required {
		if !given[name] {
			c.refuse(&value{}, &place{parent: where, name: name}, "is required")
		}
	}
}

// misplaced says where a field belongs that people look for inside the filters of an export or a list.
var misplaced = map[string]string{
	"cursor":     "unknown field: paging belongs to POST /companies/search; here every match counts, up to the cap",
	"limit":      "unknown field: for an export it stands beside search_filters, not inside; a list takes every match",
	"sort_by":    "unknown field: it stands beside search_filters, not inside",
	"sort_order": "unknown field: it stands beside search_filters, not inside",
}

func (c *checker) unknown(s *huma.Schema, name string, where *place) string {
	if len(c.faults) >= faultsMax {
		return "" // not told any more
	}
	if message, ok := misplaced[name]; ok && where != nil {
		return message
	}
	for outer, property := range s.Properties {
		if _, inside := c.resolve(property).Properties[name]; inside {
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
	return "unknown field; known ones are " + strings.Join(known, ", ")
}

// array is faulty as a whole if an item is, or the items behind would be told by a wrong index later.
func (c *checker) array(s *huma.Schema, v *value, where *place) {
	if s.MaxItems != nil && len(v.items) > *s.MaxItems {
		c.refuse(v, where, "must hold at most %d items, not %d", *s.MaxItems, len(v.items))
		return
	}
	if s.MinItems != nil && len(v.items) < *s.MinItems {
		c.refuse(v, where, "must hold at least %d items", *s.MinItems)
	}
	for i, item := range v.items {
		c.check(s.Items, item, &place{parent: where, index: i})
		v.faulty = v.faulty || item.faulty
	}
}

func (c *checker) str(s *huma.Schema, v *value, where *place) {
	length := utf8.RuneCountInString(v.text)
	switch {
	case s.MinLength != nil && length < *s.MinLength:
		c.refuse(v, where, "must not be empty")
	case s.MaxLength != nil && length > *s.MaxLength:
		c.refuse(v, where, "must have at most %d characters, not %d", *s.MaxLength, length)
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, any(v.text)):
		c.refuse(v, where, "%s", notOneOf(s.Enum, v.text))
	case s.Format == "uuid" && !isUUID(v.text):
		c.refuse(v, where, "must be a UUID, such as 018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f")
	case s.Format == "uuid" && strings.Trim(v.text, "0-") == "":
		c.refuse(v, where, "must not be the nil UUID, which names nothing; leave the field out if it is not meant")
	case s.Format == "date-time" && !isTime(v.text):
		c.refuse(v, where, "must be a time (RFC 3339), such as 2026-03-01T09:30:00Z; a + has to be sent as %%2B")
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
		if name, ok := e.(string); ok { // not the null of what is optional
			known = append(known, name)
		}
	}
	message := "must be one of " + strings.Join(known, ", ")
	if near := text.Nearest(given, known); near != "" {
		message += fmt.Sprintf("; did you mean %s?", near)
	}
	return message
}

// integer takes 50.0 and 5e1 for 50: some languages know one kind of number only.
func (c *checker) integer(s *huma.Schema, v *value, where *place) {
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(string(v.raw), 64)
		switch {
		case ferr == nil && f != math.Trunc(f):
			c.refuse(v, where, "must be a whole number")
			return
		case ferr != nil || math.Abs(f) > 1<<53:
			c.refuse(v, where, "is out of range")
			return
		}
		n, c.rewritten = int64(f), true
		v.raw = strconv.AppendInt(nil, n, 10)
	}
	switch {
	case s.Minimum != nil && float64(n) < *s.Minimum:
		c.refuse(v, where, "must be at least %v", *s.Minimum)
	case s.Maximum != nil && float64(n) > *s.Maximum:
		c.refuse(v, where, "must be at most %v", *s.Maximum)
	}
}
