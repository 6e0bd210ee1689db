package importer

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
)

// pair describes rows of two companies with prefixed columns, such as company_name and acquirer_name. Both companies are
// loaded, and connected in both directions.
type pair struct {
	prefixes [2]string // of the row's main company, and of the other
	toOther  string    // what the other is to the first
	toFirst  string    // what the first is to the other
}

// roles maps a prefix to what the company with that prefix is to the row's main company, and what that one is to it.
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

// findPair recognises rows of two companies: two prefixes share at least two column names, one of them "name".
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
				continue // this is the main company; the loop will find the other one
			}
		}
		p.pair = &pair{prefixes: [2]string{first, other}, toOther: role[0], toFirst: role[1]}
		p.assignSide(parts[first], sideFirst)
		p.assignSide(parts[other], sideOther)
		return
	}
}

// partner finds the prefix that shares most column names with the other, at least two.
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
		t.commas, t.codes, t.na = c.commas(), c.codeUse(), c.na()
		p.targets[c.name] = t
	}
}

// connect connects the companies of a row in both directions.
func (p *pair) connect(first, other *item) {
	if first.company == nil || other.company == nil {
		return
	}
	first.connections = append(first.connections, catalog.Connection{Category: p.toOther, Target: other.company.End()})
	other.connections = append(other.connections, catalog.Connection{Category: p.toFirst, Target: first.company.End()})
}
