package importer

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A source may have several addresses of a company: its headquarters and its legal address, or that of a contact. Their columns
// are groups, named by the words before city, country and so on, and a record's place is that of one group: parts of two
// addresses would be a place that does not exist.

// isPlace reports whether a column is part of an address.
func (c column) isPlace() bool {
	switch c {
	case colCountry, colCountryCode, colState, colCity, colPostal:
		return true
	default:
		return false
	}
}

// groupPrefixes begin the names of columns of an address.
var groupPrefixes = append([]string{"shipping_", "mailing_", "postal_", "office_", "contact_", "person_"}, ownerPrefixes...)

// placeGroup returns the words before city, country and so on in a column's name; empty if there are none.
func placeGroup(name string) string {
	rest := normalName(name)
	whole := rest
	for cut := true; cut; {
		cut = false
		for _, prefix := range groupPrefixes {
			after, ok := strings.CutPrefix(rest, prefix)
			if _, known := aliasOf(after); ok && known {
				rest, cut = after, true
			}
		}
	}
	return strings.TrimSuffix(whole, rest)
}

// groupOrder is the order in which addresses are preferred.
func groupOrder(group string) int {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(group, w) })
	}
	switch {
	case group == "":
		return 0
	case has("headquarter", "hq_", "head_office"):
		return 2
	case has("main_", "primary_"):
		return 3
	case has("billing_"):
		return 4
	case has("registered_", "legal_", "reg_"):
		return 6
	case has("shipping_", "mailing_", "postal_", "person_", "contact_"):
		return 7
	case has("company_", "organization_", "organisation_", "org_", "business_", "account_", "employer_", "firm_"):
		return 1
	}
	return 5
}

// groupPlaces groups the columns of addresses if there are several addresses.
func (p *plan) groupPlaces(s *sample) {
	if p.pair != nil || s.connections {
		return
	}
	var groups []string
	cities, countries := map[string]bool{}, map[string]bool{}
	of, locations := map[*sampledColumn]string{}, map[*sampledColumn]string{}
	for _, c := range s.columns {
		t := p.targets[c.name]
		if t.column == colLocation && c.by != ByYou {
			locations[c] = placeGroup(c.name)
		}
		if !t.column.isPlace() || c.by == ByYou || isJurisdiction(c.name) {
			continue
		}
		group := placeGroup(c.name)
		of[c] = group
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
		cities[group] = cities[group] || t.column == colCity
		countries[group] = countries[group] || t.column == colCountry || t.column == colCountryCode
	}
	if p.contacts {
		maps.Copy(locations, of)
		if p.dropPersonsPlace(locations) {
			return
		}
	}
	if count(cities) < 2 && count(countries) < 2 {
		return
	}
	slices.SortStableFunc(groups, func(a, b string) int { return cmp.Compare(groupOrder(a), groupOrder(b)) })
	for c, group := range of {
		t := p.targets[c.name]
		t.group, t.cityless = int8(slices.Index(groups, group)+1), !cities[group] //nolint:gosec // there are few groups
		p.targets[c.name] = t
	}
}

func count(m map[string]bool) int {
	n := 0
	for _, has := range m {
		if has {
			n++
		}
	}
	return n
}

// dropPersonsPlace keeps the place of a contact as attributes, if the company's has columns of its own.
func (p *plan) dropPersonsPlace(groups map[*sampledColumn]string) bool {
	var persons []*sampledColumn
	firms := 0
	for c, group := range groups {
		switch groupOrder(group) {
		case 0:
			persons = append(persons, c)
		case 1, 2:
			firms++
		}
	}
	if firms == 0 || len(persons) == 0 {
		return false
	}
	p.drop(persons, "the place of the person, as there are columns of the company's")
	return true
}

// isJurisdiction reports whether a column says where a company is registered. It says where a company is only if nothing else does.
func isJurisdiction(name string) bool { return strings.Contains(normalName(name), "jurisdiction") }

// assignPlaces assigns the values of one of the record's addresses: the first with a city, else with a country. A country that has
// no city in the whole source also belongs to an address without one.
func (m *mapper) assignPlaces(b *builder) {
	if len(m.places) == 0 {
		return
	}
	slices.SortStableFunc(m.places, func(a, b listValue) int { return cmp.Compare(a.group, b.group) })
	chosen, country := m.places[0].group, false
	for _, want := range [][]column{{colCountry, colCountryCode}, {colCity}} {
		i := slices.IndexFunc(m.places, func(v listValue) bool { return slices.Contains(want, v.column) && !isUnknown(&v.field.Value, v.target) })
		if i >= 0 {
			chosen = m.places[i].group
		}
	}
	for _, v := range m.places {
		if v.group == chosen {
			m.assign(b, v.target, v.field)
			country = country || v.column == colCountry || v.column == colCountryCode
		}
	}
	for _, v := range m.places {
		switch {
		case v.group == chosen:
		case v.cityless && !country && (v.column == colCountry || v.column == colCountryCode):
			m.assign(b, v.target, v.field)
		default:
			b.attribute(v.field)
		}
	}
}
