package embedded

import (
	"bytes"
	"cmp"
	"math"

	"github.com/opencapi/capi/internal/query"
)

// entry is a match on its way to the page. Entries order by key, then name where names are compared, then number.
type entry struct {
	key    uint64
	number uint32
	slot   uint32
	in     uint32 // the part, as hits or the snapshot count them
}

// nullKey is the key of an unknown value, which comes last.
const nullKey = math.MaxUint64

// order sorts the matches of one search.
type order struct {
	sort    query.Sort
	hits    []hits
	terms   []rankedTerm
	stats   textStats
	scratch *arena
}

// after is a place in the order: what comes behind it is asked for.
type after struct {
	key    uint64
	name   []byte // the whole folded name, for names
	number uint32
}

func (s *snapshot) order(scratch *arena, found []hits, q query.Query, by query.Sort) *order {
	o := &order{sort: by, hits: found, scratch: scratch}
	if by.By == query.ByRelevance {
		o.stats = s.textStats()
		o.terms = s.rankedTerms(q.Root)
	}
	return o
}

// first gives the first k matches behind the place, in order.
func (o *order) first(k int, behind *after) []entry {
	if k == 0 {
		return nil
	}
	var merged []entry
	for i := range o.hits {
		merged = mergeEntries(merged, o.of(i, k, behind), k, o.compare)
	}
	return merged
}

// of gives the first k of one part.
func (o *order) of(i, k int, behind *after) []entry {
	switch o.sort.By {
	case query.ByRelevance:
		return o.byRelevance(i, k, behind)
	case query.ByName:
		return o.by(nameColumn{&o.hits[i].names}, i, k, behind)
	default:
		return o.by(intColumn{&o.hits[i].ints[intOf(o.sort.By)]}, i, k, behind)
	}
}

func intOf(k query.SortKey) intField {
	switch k {
	case query.ByFoundedYear:
		return intFounded
	case query.ByUpdatedAt:
		return intUpdated
	default:
		return intEmployees
	}
}

// compare is the order of entries, whichever parts they are from.
func (o *order) compare(a, b entry) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	if o.sort.By == query.ByName && a.key != nullKey {
		if c := bytes.Compare(o.name(a), o.name(b)); c != 0 {
			return o.directed(c)
		}
	}
	return cmp.Compare(a.number, b.number)
}

func (o *order) name(e entry) []byte { return o.hits[e.in].names.name(e.slot) }

func (o *order) directed(c int) int {
	if o.sort.Desc {
		return -c
	}
	return c
}

// behind tells whether the entry comes behind the place.
func (o *order) behind(e entry, place *after) bool {
	if place == nil {
		return true
	}
	if e.key != place.key {
		return e.key > place.key
	}
	if o.sort.By == query.ByName && e.key != nullKey {
		if c := bytes.Compare(o.name(e), place.name); c != 0 {
			return o.directed(c) > 0
		}
	}
	return e.number > place.number
}

// by sorts one part by a column: along the column's order while matches are dense in it, else by choosing from them.
func (o *order) by(c column, i, k int, behind *after) []entry {
	h := &o.hits[i]
	if float64(k)*float64(h.slots) < float64(h.count)*float64(h.count) {
		return o.walk(c, i, k, behind)
	}
	best := newBest(k, o.compare)
	for _, slot := range h.bits.appendTo(o.scratch.emptyList(h.count)) {
		e := entry{c.key(slot, o.sort.Desc), h.number(slot), slot, uint32(i)}
		if o.behind(e, behind) {
			best.add(e)
		}
	}
	return best.sorted()
}

// walk takes matches along the column's order, then those without a value.
func (o *order) walk(c column, i, k int, behind *after) []entry {
	h := &o.hits[i]
	list := make([]entry, 0, min(k, h.count))
	take := func(slot uint32) bool {
		if h.bits.has(slot) {
			e := entry{c.key(slot, o.sort.Desc), h.number(slot), slot, uint32(i)}
			if o.behind(e, behind) {
				list = append(list, e)
			}
		}
		return len(list) < k
	}
	known := c.sorted()
	if start := o.start(c, behind); o.sort.Desc {
		walkDown(c, known[:start], take)
	} else {
		walkAll(known[start:], take)
	}
	if len(list) < k {
		o.takeUnknown(c, i, k, behind, &list)
	}
	return list
}

func walkAll(slots []uint32, take func(slot uint32) bool) bool {
	for _, slot := range slots {
		if !take(slot) {
			return false
		}
	}
	return true
}

// walkDown goes from the highest value to the lowest; slots of one value come ascending.
func walkDown(c column, known []uint32, take func(slot uint32) bool) {
	for end := len(known); end > 0; {
		start := c.groupOf(end - 1)
		if !walkAll(known[start:end], take) {
			return
		}
		end = start
	}
}

// start bounds the column's order to what may come behind the place: a start going up, an end going down.
func (o *order) start(c column, behind *after) int {
	all := len(c.sorted())
	switch {
	case behind == nil && o.sort.Desc:
		return all
	case behind == nil:
		return 0
	case behind.key == nullKey && o.sort.Desc:
		return 0
	case behind.key == nullKey:
		return all
	}
	return c.seek(behind, o.sort.Desc, o.sort.Desc)
}

// takeUnknown appends the matches without a value, by number.
func (o *order) takeUnknown(c column, i, k int, behind *after, list *[]entry) {
	h := &o.hits[i]
	first := uint32(0)
	if behind != nil && behind.key == nullKey {
		first = h.slotFrom(behind.number + 1)
	}
	for slot := first; int(slot) < h.slots && len(*list) < k; slot++ {
		if h.bits.has(slot) && c.key(slot, o.sort.Desc) == nullKey {
			*list = append(*list, entry{nullKey, h.number(slot), slot, uint32(i)})
		}
	}
}
