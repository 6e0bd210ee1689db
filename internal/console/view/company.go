package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// Company is the page of a company.
type Company struct {
	search.Item
	Out        []Outgoing
	Attributes []Attribute
	In         search.Incomings
	InNext     string
	Lists      []list.List
}

// Outgoing are the companies of one category to which a company is connected.
type Outgoing struct {
	Category  string
	Companies []company.Connection
	More      int // the number that is not shown
}

// Attribute is a value of the source that fits no field.
type Attribute struct{ Name, Value string }

// The most that the page shows, so that it stays small: companies of a category, categories, attributes, and values of a
// list.
const (
	outgoingMax   = 15
	categoriesMax = 12
	attributesMax = 40
	valuesMax     = 24

	attributeLengthMax = 200
)

// OutgoingOf returns the connections grouped by category, at most categoriesMax categories of at most outgoingMax companies.
func OutgoingOf(connections []company.Connection) (all []Outgoing) {
	for _, c := range connections {
		i := slices.IndexFunc(all, func(o Outgoing) bool { return o.Category == c.Category })
		if i < 0 && len(all) == categoriesMax {
			i = len(all) - 1
			all[i].Category = "other"
		}
		if i < 0 {
			i, all = len(all), append(all, Outgoing{Category: c.Category})
		}
		if len(all[i].Companies) == outgoingMax {
			all[i].More++
			continue
		}
		all[i].Companies = append(all[i].Companies, c)
	}
	return all
}

// AttributesOf returns the attributes sorted by name, at most attributesMax.
func AttributesOf(c *company.Company) (all []Attribute) {
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		if len(all) == attributesMax {
			break
		}
		all = append(all, Attribute{name, fmt.Sprint(c.Attributes[name])})
	}
	return all
}

// parts returns the values of an attribute that lists several, shortened as a whole.
func (a Attribute) parts() []string {
	return strings.FieldsFunc(clip(a.Value, attributeLengthMax), func(r rune) bool { return r == ';' || r == '\n' })
}

// connectionName returns the display name of a connected company.
func connectionName(c company.Connection) string { return cmp.Or(c.Name, c.Domain, "unnamed") }
