package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// Company is the page of a company.
type Company struct {
	search.Item
	Out        []outgoing
	Attributes []attribute
	In         search.Incomings
	InNext     string
	Lists      []list.List
}

// outgoing are the companies of one category to which a company is connected.
type outgoing struct {
	Category  string
	Companies []company.Connection
	More      int // the number that is not shown
}

type attribute struct{ Name, Value string }

// The most that the page shows, so that it stays small: companies of a category, categories, attributes, and values of a
// list.
const (
	outgoingMax   = 15
	categoriesMax = 12
	attributesMax = 40
	valuesMax     = 24
)

func OutgoingOf(connections []company.Connection) (all []outgoing) {
	for _, c := range connections {
		i := slices.IndexFunc(all, func(o outgoing) bool { return o.Category == c.Category })
		if i < 0 && len(all) == categoriesMax {
			i = len(all) - 1
			all[i].Category = "other"
		}
		if i < 0 {
			i, all = len(all), append(all, outgoing{Category: c.Category})
		}
		if len(all[i].Companies) == outgoingMax {
			all[i].More++
			continue
		}
		all[i].Companies = append(all[i].Companies, c)
	}
	return all
}

func AttributesOf(c *company.Company) (all []attribute) {
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		if len(all) == attributesMax {
			break
		}
		all = append(all, attribute{name, fmt.Sprint(c.Attributes[name])})
	}
	return all
}

// connectionName returns the display name of a connected company.
func connectionName(c company.Connection) string { return cmp.Or(c.Name, c.Domain, "unnamed") }
