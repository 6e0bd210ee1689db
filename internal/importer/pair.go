package importer

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
)

// pair is a row that is about two companies under prefixed names, such as company_name and acquirer_name: each is one
// of the source's companies, and what they are to each other is a connection from either end.
type pair struct {
	prefixes [2]string // of the company that the row is about, and of the other
	toOther  string    // what the other is to the first
	toFirst  string    // what the first is to the other; empty where only one end is told
}

// roles are the prefixes that say what a company is to the other one of its row, and what that one is to it.
var roles = map[string][2]string{
	"acquirer": {"acquirer", "acquisition"}, "acquiring": {"acquirer", "acquisition"}, "buyer": {"acquirer", "acquisition"},
	"purchaser": {"acquirer", "acquisition"}, "parent": {"parent", "subsidiary"}, "owner": {"owner", "owned_company"},
	"investor": {"investor", "portfolio"}, "customer": {"customer", "vendor"}, "client": {"customer", "vendor"},
	"vendor": {"vendor", "customer"}, "supplier": {"supplier", "customer"}, "partner": {"partner", "partner"},
	"competitor": {"competitor", "competitor"}, "subsidiary": {"subsidiary", "parent"}, "holding": {"parent", "subsidiary"},
	"acquiree": {"acquisition", "acquirer"}, "acquired": {"acquisition", "acquirer"}, "target": {"acquisition", "acquirer"},
}

const (
	sideFirst int8 = 1
	sideOther int8 = 2
)

func (p *pair) label(side int8) string { return p.prefixes[side-1] }

// findPair recognises a source of two companies a row: two prefixes before the same names, of which one is the name.
func (p *plan) findPair(s *sample) {
	if s.connections || len(p.Map) > 0 {
		return
	}
	parts := map[string]map[string]*sampledColumn{} // by prefix, then the rest of the name
	var order []string
	for _, c := range s.columns {
		prefix, rest, found := strings.Cut(normalName(c.name), "_")
		if !found {
			continue
		}
		if parts[prefix] == nil {
			parts[prefix] = map[string]*sampledColumn{}
			order = append(order, prefix)
		}
		parts[prefix][rest] = c
	}
	order = slices.DeleteFunc(order, func(prefix string) bool { return parts[prefix]["name"] == nil })
	for _, other := range order {
		role, ok := roles[other]
		if !ok {
			continue
		}
		first, ok := partner(order, other, parts)
		if !ok {
			continue
		}
		if other == "target" || other == "acquired" || other == "acquiree" {
			if _, ok := roles[first]; ok {
				continue // the row is about this one; the loop comes to the other
			}
		}
		p.pair = &pair{prefixes: [2]string{first, other}, toOther: role[0], toFirst: role[1]}
		p.assignSide(parts[first], sideFirst)
		p.assignSide(parts[other], sideOther)
		return
	}
}

// partner is the prefix that shares most names with the other one, and at least the name and one more.
func partner(order []string, other string, parts map[string]map[string]*sampledColumn) (first string, ok bool) {
	most := 1
	for _, prefix := range order {
		shared := 0
		for rest := range parts[other] {
			if parts[prefix][rest] != nil {
				shared++
			}
		}
		if prefix != other && shared > most {
			first, most, ok = prefix, shared, true
		}
	}
	return first, ok
}

func (p *plan) assignSide(columns map[string]*sampledColumn, side int8) {
	for rest, c := range columns {
		if c.by == ByYou {
			continue
		}
		t := target{side: side, name: rest}
		c.by, c.confidence = ByNobody, 0
		known, ok := aliasOf(rest)
		if rest == "id" || rest == "uuid" {
			known, ok = alias{column: colID}, true
		}
		if fit, certain := c.fits(known.column); ok && !(known.weak && fit < 0.6 || certain && fit < 0.3) {
			t.alias = known
			c.by, c.confidence = ByName, 0.95
		}
		t.commas, t.codes, t.na = c.commas(), c.endsInCountryCodes(), c.na()
		p.targets[c.name] = t
	}
}

// connect says in both directions what the companies of a row are to each other.
func (p *pair) connect(first, other *item) {
	if first.company == nil || other.company == nil {
		return
	}
	first.connections = append(first.connections, catalog.Connection{Category: p.toOther, Target: first.with(other)})
	if p.toFirst != "" {
		other.connections = append(other.connections, catalog.Connection{Category: p.toFirst, Target: other.with(first)})
	}
}

// with names the other company of a row as the end of a connection.
func (*item) with(other *item) catalog.End { return other.company.End() }
