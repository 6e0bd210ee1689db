package embedded

import (
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// facetRequest says which facets a search counts.
type facetRequest struct {
	limit  int // values per field
	facets []index.Facet
	fields [facetFields]bool // those of facets
	prefix index.FacetPrefix // with folded text
	owned  company.Set       // counted separately for each value; empty if it is not asked for
	sets   []company.Set     // that the search names; their counts may be known
}

// facetField returns the field that a facet counts.
func facetField(facet index.Facet) field {
	switch of := facet.Field(); of {
	case query.FieldNAICS:
		return fieldSector
	case query.FieldEmployeeCount:
		return fieldBand
	case query.FieldFoundedYear:
		return fieldDecade
	default:
		f, _ := fieldOf(of)
		return f
	}
}

func newFacetRequest(r index.Request) facetRequest {
	a := facetRequest{limit: r.FacetLimit, facets: r.Facets, prefix: r.FacetPrefix}
	a.prefix.Text = text.Fold(a.prefix.Text)
	if r.FacetOwned {
		a.owned = r.Owned
	}
	a.sets = append(storedSets(r.Query.Root), r.Excluded...)
	if a.facets == nil {
		a.facets = index.AllFacets()
	}
	for _, f := range a.facets {
		a.fields[facetField(f)] = true
	}
	if len(a.facets) == 0 {
		a.limit = 0
	}
	return a
}

// needsRows reports whether any requested field is stored in rows.
func (a *facetRequest) needsRows() bool {
	for f := range rowFields {
		if a.fields[f] {
			return true
		}
	}
	return false
}

// prefixOf returns the prefix that the field's values must have; narrowed is false if any value will do.
func (a *facetRequest) prefixOf(f field) (prefix string, narrowed bool) {
	if a.prefix.Text == "" || a.prefix.Facet.HasBands() || facetField(a.prefix.Facet) != f {
		return "", false
	}
	return a.prefix.Text, true
}

// partCounts holds the counts of one part's facet values, indexed by the segment's ids.
type partCounts struct {
	*hits
	rows   []uint32 // by row id
	cities []uint32 // by the city's id plus 1
	// The counts of most deleted slots, computed by an earlier search. Set only while slots that do not match are counted.
	deleted *deletedCounts
	// The rare values in rows are not counted yet; topValues counts those that may be among the top values one by one.
	pending bool
	owned   *partCounts // of the owned matches alone; nil if they are not counted
}

// field returns the counts of a field, indexed by the segment's ids.
func (c *partCounts) field(f field) []uint32 {
	if f == fieldCity {
		return c.cities[1:]
	}
	return c.rows[c.hits.rows.first[f]:c.hits.rows.first[f+1]]
}

// ownedOf returns how many owned matches have the value with the segment's id.
func (c *partCounts) ownedOf(f field, local uint32) uint32 {
	switch o := c.owned; {
	case o == nil:
		return 0
	case o.pending && f != fieldCity && o.isRare(f, local):
		return o.values[f].countIn(int(local), o.bits)
	default:
		return o.field(f)[local]
	}
}

// countOwned counts the values of the owned matches.
func (c *partCounts) countOwned(request facetRequest, dense func() bitset) {
	owned := &hits{part: c.part, bits: c.scratch.uninitBits(c.slots), scratch: c.scratch}
	copy(owned.bits, c.bits)
	owned.bits.and(c.slotsOf(request.owned, dense))
	owned.count = owned.bits.count()
	c.owned = &partCounts{hits: owned}
	request.sets = []company.Set{request.owned}
	c.owned.count(request)
}

// facets counts the values of the matches and returns the top values of each field.
func (s *snapshot) facets(found []hits, request facetRequest) (index.Facets, error) {
	for i := range found {
		if h := &found[i]; h.count < h.slots || !request.owned.IsEmpty() {
			if err := h.verify(request.groupsOfRows()); err != nil {
				return index.Facets{}, err
			}
		}
	}
	all := make([]partCounts, len(found))
	for i := range found {
		all[i].hits = &found[i]
	}
	dense := lazyDense(request.owned)
	eachShard(all, func(c *partCounts) {
		c.count(request)
		if !request.owned.IsEmpty() {
			c.countOwned(request, dense)
		}
	})
	tops := s.tops(all, request)
	counts := index.Facets{Values: map[index.Facet][]index.Count{}, Bands: map[index.Facet][]index.Band{}}
	for _, facet := range request.facets {
		switch f := facetField(facet); f {
		case fieldBand:
			counts.Bands[facet] = bands(all, f, bandBounds)
		case fieldDecade:
			counts.Bands[facet] = bands(all, f, decadeBounds)
		default:
			counts.Values[facet] = tops[f]
		}
	}
	return counts, nil
}

// count counts the rows of the matches or, if fewer, the rows of all other slots, which are then subtracted from the totals.
// Most deleted slots among the others were counted by an earlier search.
func (c *partCounts) count(request facetRequest) {
	h, scratch := c.hits, c.hits.scratch
	if request.needsRows() {
		c.rows = scratch.counters(h.rows.ids())
	}
	if request.fields[fieldCity] {
		c.cities = scratch.counters(len(h.rows.cityTotals))
	}
	if c.countFromSets(request.sets) {
		return
	}
	if h.count*2 <= h.companies() {
		c.countSlots(scratch, h.list(), false, request)
		return
	}
	others := scratch.bits(h.slots)
	others.setFirst(h.slots)
	others.andNot(h.bits)
	if c.deleted = h.deletedCounts(); c.deleted != nil {
		others.andNot(c.deleted.tombstones.slots)
	}
	c.countSlots(scratch, others.appendTo(scratch.list(others.count())), true, request)
}

// countSlots counts the values of the given slots: the matches or, if others is set, the slots that do not match.
func (c *partCounts) countSlots(scratch *arena, slots []uint32, others bool, request facetRequest) {
	r := &c.hits.rows
	countParallel(scratch, slots, c.cities, r.countCities)
	if others {
		if c.deleted != nil && c.cities != nil {
			addCounts(c.cities, c.deleted.cities)
		}
		subtractCounts(r.cityTotals, c.cities)
	}
	if c.rows == nil {
		return
	}
	first := countFrequent
	if len(slots)*probeShare < c.slots {
		first |= countRare
	}
	countParallel(scratch, slots, c.rows, func(slots, counts []uint32) { r.count(slots, counts, first) })
	if others {
		c.subtractFromTotals(first)
	}
	if first&countRare != 0 {
		return
	}
	if c.pending = c.probingPays(len(slots), request); c.pending {
		c.countPendingBands(request)
		return
	}
	countParallel(scratch, slots, c.rows, func(slots, counts []uint32) { r.count(slots, counts, countRare) })
	if others {
		c.subtractFromTotals(countRare)
	}
}

// subtractFromTotals turns the counts of the other slots into those of the matches, for the frequent values, the rare values
// or both.
func (c *partCounts) subtractFromTotals(which countRow) {
	totals := c.hits.rows.totals
	if which == countFrequent|countRare {
		if c.deleted != nil {
			addCounts(c.rows, c.deleted.rows)
		}
		subtractCounts(totals, c.rows)
		return
	}
	for id, total := range totals {
		if c.isFrequent.has(uint32(id)) != (which == countFrequent) {
			continue
		}
		c.rows[id] = total - c.rows[id]
		if c.deleted != nil {
			c.rows[id] -= c.deleted.rows[id]
		}
	}
}

// countPendingBands counts the pending bands right away, because every band is returned.
func (c *partCounts) countPendingBands(request facetRequest) {
	for _, f := range []field{fieldBand, fieldDecade} {
		if request.fields[f] {
			c.eachRare(f, func(local, _ uint32) { c.field(f)[local] = c.values[f].countIn(int(local), c.bits) })
		}
	}
}

// countParallel counts the slots, in two goroutines if there are many. It does nothing if counts is empty.
func countParallel(scratch *arena, slots, counts []uint32, count func(slots, counts []uint32)) {
	if len(counts) == 0 {
		return
	}
	if len(slots) < parallelMin || !multicore() {
		count(slots, counts)
		return
	}
	others, middle := scratch.counters(len(counts)), len(slots)/2
	runBoth(func() { count(slots[:middle], counts) }, func() { count(slots[middle:], others) })
	addCounts(counts, others)
}
