package embedded

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
)

// setCounts holds the facet counts of a set's slots, also of deleted ones.
type setCounts struct {
	rows   []uint32 // by row id
	cities []uint32 // by the city's id plus 1
}

// fromSetsMin is the number of slots from which the counts of a set are worth keeping. Tests lower it.
var fromSetsMin = 1 << 14

// coveringSet is a set whose counts make up most of those that are asked for.
type coveringSet struct {
	of        *roaring.Bitmap
	slots     bitset
	elsewhere []uint32 // slots of the set that are not asked for
}

// countFromSets counts the values of the matches from the counts of sets that were kept by an earlier search. It does so if the
// matches, or all slots that do not match, are about the union of some sets: then it counts only the slots in which they differ. It
// reports whether it did.
func (c *partCounts) countFromSets(sets []company.Set) bool {
	if len(sets) == 0 || c.slots < fromSetsMin {
		return false
	}
	others := c.hits.count*2 > c.companies()
	return c.countSlotsFromSets(sets, others) || c.countSlotsFromSets(sets, !others)
}

// countSlotsFromSets is countFromSets for the matches or, if others is set, by way of the slots that do not match.
func (c *partCounts) countSlotsFromSets(sets []company.Set, others bool) bool {
	h, scratch := c.hits, c.scratch
	rest, size := scratch.uninitBits(h.slots), h.count
	defer scratch.release(rest)
	copy(rest, h.bits)
	var deleted *deletedCounts
	if others {
		rest.setFirst(h.slots)
		rest.andNot(h.bits)
		if deleted = h.deletedCounts(); deleted != nil {
			rest.andNot(deleted.tombstones.slots)
		}
		size = rest.count()
	}
	covering, left := c.cover(rest, size, sets)
	if size < fromSetsMin || left*2 > size {
		return false
	}
	c.addRows(rest.appendTo(scratch.list(left)), addCounts)
	for _, set := range covering {
		known := h.slotSetCache.countsOf(set.of, func() *setCounts { return c.countSet(set.slots) })
		c.add(known.rows, known.cities)
		c.addRows(set.elsewhere, takeCounts)
	}
	if !others {
		return true
	}
	if deleted != nil {
		c.add(deleted.rows, deleted.cities)
	}
	if c.rows != nil {
		subtractCounts(h.rows.totals, c.rows)
	}
	if c.cities != nil {
		subtractCounts(h.rows.cityTotals, c.cities)
	}
	return true
}

// cover removes the sets that are mostly within the size slots of rest from it. It returns these sets, and the number of slots
// that remain to be counted: those left in rest, and those of the sets that are elsewhere.
func (c *partCounts) cover(rest bitset, size int, sets []company.Set) (covering []coveringSet, left int) {
	e := evaluator{c.part, c.scratch, nil}
	left = size
	for _, set := range sets {
		slots, ok := e.cachedSlots(set)
		if !ok {
			continue
		}
		n, inside := slots.count(), rest.countAnd(slots)
		if inside*4 < n*3 {
			continue
		}
		elsewhere := c.scratch.uninitBits(c.slots)
		copy(elsewhere, slots)
		elsewhere.andNot(rest)
		covering = append(covering, coveringSet{set.Bitmap(), slots, elsewhere.appendTo(c.scratch.list(n - inside))})
		c.scratch.release(elsewhere)
		rest.andNot(slots)
		left += n - 2*inside
	}
	return covering, left
}

// countSet counts the slots' values of all facets.
func (c *partCounts) countSet(slots bitset) *setCounts {
	r := &c.hits.rows
	known := &setCounts{make([]uint32, r.ids()), make([]uint32, len(r.cityTotals))}
	list := slots.appendTo(c.scratch.list(slots.count()))
	countParallel(c.scratch, list, known.rows, func(slots, counts []uint32) { r.count(slots, counts, countFrequent|countRare) })
	countParallel(c.scratch, list, known.cities, r.countCities)
	return known
}

// add adds known counts to those that are asked for.
func (c *partCounts) add(rows, cities []uint32) {
	if c.rows != nil {
		addCounts(c.rows, rows)
	}
	if c.cities != nil {
		addCounts(c.cities, cities)
	}
}

// addRows counts the values of the slots and combines them with the counts so far.
func (c *partCounts) addRows(slots []uint32, combine func(sum, more []uint32)) {
	r := &c.hits.rows
	if len(slots) == 0 {
		return
	}
	if c.rows != nil {
		counts := c.scratch.counters(len(c.rows))
		countParallel(c.scratch, slots, counts, func(slots, counts []uint32) { r.count(slots, counts, countFrequent|countRare) })
		combine(c.rows, counts)
	}
	if c.cities != nil {
		counts := c.scratch.counters(len(c.cities))
		countParallel(c.scratch, slots, counts, r.countCities)
		combine(c.cities, counts)
	}
}

func takeCounts(sum, less []uint32) {
	less = less[:len(sum)]
	for i := range sum {
		sum[i] -= less[i]
	}
}

// countsOf returns the counts of a set that was converted to slots, which count computes if they are not kept yet.
func (k *slotSetCache) countsOf(of *roaring.Bitmap, count func() *setCounts) *setCounts {
	k.mu.Lock()
	for i := range k.recent {
		if k.recent[i].of == of && k.recent[i].counts != nil {
			defer k.mu.Unlock()
			return k.recent[i].counts
		}
	}
	k.mu.Unlock()
	known := count()
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.recent {
		if k.recent[i].of == of {
			k.recent[i].counts = known
		}
	}
	return known
}
