package embedded

import "github.com/opencapi/capi/internal/query"

// group is some sections of a segment that are checked together before their first use.
type group uint8

const (
	groupLayout group = iota
	groupTotals
	groupRows
	groupNames
	groupLinks
	groupWords
	groupInts                                // one for each intField
	groupKeys  = groupInts + group(intCount) // one for each field: its values and their spellings
	groupWho   = groupKeys + group(fieldCount)
	groupCount = groupWho + group(fieldCount)
)

func intsOf(f intField) group { return groupInts + group(f) }
func keysOf(f field) group    { return groupKeys + group(f) }
func whoOf(f field) group     { return groupWho + group(f) } // who has each value

// groups is a set of them.
type groups uint64

const allGroups groups = 1<<groupCount - 1

func only(all ...group) (g groups) {
	for _, one := range all {
		g |= 1 << one
	}
	return g
}

func (g groups) has(one group) bool { return g>>one&1 != 0 }

// openingGroups are what an index reads of a segment when it takes it in.
func openingGroups() groups {
	g := only(groupLayout)
	for f := range facetFields {
		g |= only(keysOf(f))
	}
	return g
}

// groupsOf are those that answering the node reads.
func groupsOf(n query.Node) (g groups) {
	switch n := n.(type) {
	case query.And:
		for _, part := range n {
			g |= groupsOf(part)
		}
	case query.Or:
		for _, part := range n {
			g |= groupsOf(part)
		}
	case query.Not:
		g = groupsOf(n.Node)
	case query.OneOf:
		g = groupsOfField(n.Field)
	case query.Prefix:
		g = groupsOfField(n.Field)
	case query.Range:
		if f, ok := intFieldOf(n.Field); ok {
			g = only(intsOf(f))
		}
	case query.Term, query.Phrase:
		g = only(groupWords)
	case query.Connected:
		g = only(groupLinks, keysOf(fieldRelation), whoOf(fieldRelation))
	}
	return g
}

func groupsOfField(of query.Field) groups {
	if f, ok := fieldOf(of); ok {
		return only(keysOf(f), whoOf(f))
	}
	if of == query.FieldConnectedDomain || of == query.FieldConnectedCompany {
		return only(groupLinks)
	}
	return 0
}

func groupsOfSort(by query.Sort) groups {
	switch by.By {
	case query.ByRelevance:
		return only(intsOf(intEmployees)) // and words, which a query with words needs anyway
	case query.ByName:
		return only(groupNames)
	default:
		return only(intsOf(intOf(by.By)))
	}
}

// groups are those that all counting reads.
func (a *asked) groups() (g groups) {
	if a.limit == 0 {
		return 0
	}
	for f := range facetFields {
		if a.fields[f] {
			g |= only(groupTotals, keysOf(f))
		}
	}
	return g
}

// groupsOfRows are those that counting reads where not all slots of a segment match.
func (a *asked) groupsOfRows() groups {
	g := only(groupRows)
	for f := range facetFields {
		if a.fields[f] {
			g |= only(whoOf(f))
		}
	}
	return g
}
