package company

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/text"
)

// FieldSet is a set of fields of the table. The zero FieldSet is empty.
type FieldSet uint64

// AlwaysVisible are the fields that no list of visible fields can hide: those that identify a company, and the times, which are
// about the catalog's record and can be null in no answer.
var AlwaysVisible = fieldSetOf("id", "name", "created_at", "updated_at")

// VisibleAll stands for every field in a list of visible fields, those of later versions too.
const VisibleAll = "all"

func fieldSetOf(names ...string) (set FieldSet) {
	for i := range Fields {
		if slices.Contains(names, Fields[i].Name) {
			set |= 1 << i
		}
	}
	return set
}

// IsEmpty reports whether the set has no field.
func (s FieldSet) IsEmpty() bool { return s == 0 }

// Has reports whether the set has the field of the name.
func (s FieldSet) Has(name string) bool { return s&fieldSetOf(name) != 0 }

// Names returns the names of the fields in the table's order, nil for none.
func (s FieldSet) Names() (names []string) {
	for i := range Fields {
		if s&(1<<i) != 0 {
			names = append(names, Fields[i].Name)
		}
	}
	return names
}

// SplitFields returns the names in a text in which commas or spaces separate them.
func SplitFields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// ParseVisible checks a list of visible fields and returns it in the table's order, with the fields that are always visible;
// VisibleAll alone stays as it is. The error names the first unknown field.
func ParseVisible(names []string) ([]string, error) {
	var visible FieldSet
	for _, given := range names {
		name := text.Fold(given)
		switch known := fieldSetOf(name); {
		case name == VisibleAll && len(names) == 1:
			return []string{VisibleAll}, nil
		case name == VisibleAll:
			return nil, fmt.Errorf("%s stands alone; leave the other fields out", VisibleAll)
		case known == 0:
			return nil, unknownField(given)
		default:
			visible |= known
		}
	}
	return (visible | AlwaysVisible).Names(), nil
}

func unknownField(given string) error {
	var all []string
	for i := range Fields {
		all = append(all, Fields[i].Name)
	}
	if near := text.Nearest(text.Fold(given), all); near != "" {
		return fmt.Errorf("%q is not a field of a company; did you mean %s?", text.Short(given), near)
	}
	return fmt.Errorf("%q is not a field of a company; the fields are %s", text.Short(given), strings.Join(all, ", "))
}

// LockedBy returns the fields that a list of visible fields locks: all that it does not name, so that a field of a later version
// is locked until somebody adds it. An empty list, like VisibleAll, locks none.
func LockedBy(visible []string) FieldSet {
	if len(visible) == 0 || slices.Contains(visible, VisibleAll) {
		return 0
	}
	every := FieldSet(1)<<len(Fields) - 1
	return every &^ AlwaysVisible &^ fieldSetOf(visible...)
}

// Masked returns the company without the values of the locked fields, as if they were unknown. It is the only place where
// values are left out. The company itself is returned if nothing is locked; it is never changed.
func (c *Company) Masked(locked FieldSet) *Company {
	if locked.IsEmpty() {
		return c
	}
	masked := &Company{Number: c.Number}
	for i := range Fields {
		if locked&(1<<i) == 0 {
			Fields[i].copy(masked, c)
		}
	}
	if locked.Has("domain") { // the domains of others must not be read through a connection to them
		masked.Connections = slices.Clone(masked.Connections)
		for i := range masked.Connections {
			masked.Connections[i].Domain = ""
		}
	}
	return masked
}

// copy copies the field's value.
func (f *Field) copy(to, from *Company) {
	switch f.Kind {
	case KindText:
		*f.Text(to) = *f.Text(from)
	case KindList:
		*f.List(to) = *f.List(from)
	case KindInteger:
		*f.Int(to) = *f.Int(from)
	case KindTime:
		*f.Time(to) = *f.Time(from)
	case KindID:
		to.ID = from.ID
	case KindConnections:
		to.Connections = from.Connections
	case KindAttributes:
		to.Attributes = from.Attributes
	}
}
