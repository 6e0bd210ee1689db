package embedded

import (
	"slices"
	"sync/atomic"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// snapshot is the index at one moment, immutable. Each company is alive in one part at most.
type snapshot struct {
	id        uint64 // counts up within the instance
	seq       uint64
	companies int
	parts     []part
	keys      keysets
}

// part is a segment as one moment sees it.
type part struct {
	*segment
	// dead are the slots that hold no company any more, in the order they died; the segment's holes come first. Moments
	// share one growing list and each sees its own length of it.
	deleted []uint32
	// alive has the slots not in dead. Only the writer reads and changes it, under Index.mu: it is of the newest moment.
	live bitset
}

func newPart(s *segment) part {
	p := part{segment: s, deleted: slices.Clone(s.holes), live: make(bitset, wordsFor(s.slots))}
	p.live.setFirst(s.slots)
	for _, slot := range p.deleted {
		p.live.clear(slot)
	}
	return p
}

// companies is the number of companies alive.
func (p *part) companies() int { return p.slots - len(p.deleted) }

// applied is the next moment: the changed companies die wherever they are, the fresh segments come at the end. Only
// for the newest snapshot, under Index.mu.
func (s *snapshot) withChanges(changes []index.Change, fresh []*segment, seq uint64) *snapshot {
	next := &snapshot{seq: max(seq, s.seq), companies: s.companies, parts: slices.Clone(s.parts)}
	deleted := make([][]uint32, len(next.parts))
	for i := range next.parts { // which reads files, and may end in a panic: nothing is changed until all is read
		deleted[i] = next.parts[i].liveSlotsOf(changes)
	}
	for i := range next.parts {
		p := &next.parts[i]
		for _, slot := range deleted[i] {
			p.live.clear(slot)
		}
		p.deleted = append(p.deleted, deleted[i]...)
		next.companies -= len(deleted[i])
	}
	next.parts = slices.DeleteFunc(next.parts, func(p part) bool { return p.companies() == 0 })
	for _, f := range fresh {
		next.parts = append(next.parts, newPart(f))
		next.companies += f.companies()
	}
	return next
}

// holding are the slots in which companies of the changes live.
func (p *part) liveSlotsOf(changes []index.Change) (slots []uint32) {
	for _, c := range changes {
		if slot, held := p.slot(c.Number); held && p.live.has(slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// kill notes the company's death, if it lives here.
func (p *part) markDeleted(n company.Number) {
	slot, held := p.slot(n)
	if held && p.live.has(slot) {
		p.live.clear(slot)
		p.deleted = append(p.deleted, slot)
	}
}

// find is the part and slot in which the company lives at this moment.
func (s *snapshot) find(n company.Number) (in int, slot uint32, ok bool) {
	for i := range s.parts {
		p := &s.parts[i]
		if slot, held := p.slot(n); held && !slices.Contains(p.deleted, slot) {
			return i, slot, true
		}
	}
	return 0, 0, false
}

// The dead of a segment are one growing list, of which each moment sees a prefix. What was made of a prefix serves all
// later moments: a segment that a quarter has died of need not be asked who that was in every search.

// graves are the slots of the first so many of a segment's dead, as a set.
type tombstones struct {
	count int
	slots bitset
}

// census is what the values of some graves count. Who counts the living takes it off the totals.
type deletedCounts struct {
	tombstones *tombstones
	rows       []uint32 // by the ids of rows
	cities     []uint32 // by the city's id plus 1
}

// known is what was made of a segment's dead last.
type tombstoneCache struct {
	tombstones atomic.Pointer[tombstones]
	counts     atomic.Pointer[deletedCounts]
}

// settleFrom is the number of the dead from which they are made a set again: so many are soon looked at one by one.
const tombstonesMin = 1024

// settled are the graves of this moment, and the dead that are not among them; nil if there are few.
func (p *part) tombstones() (g *tombstones, others []uint32) {
	if g = p.tombstoneCache.tombstones.Load(); g != nil && g.count > len(p.deleted) {
		return nil, p.deleted // a later moment has looked
	}
	begun := 0
	if g != nil {
		begun = g.count
	}
	if len(p.deleted)-begun < tombstonesMin {
		return g, p.deleted[begun:]
	}
	next := &tombstones{len(p.deleted), make(bitset, wordsFor(p.slots))}
	if g != nil {
		copy(next.slots, g.slots)
	}
	for _, slot := range p.deleted[begun:] {
		next.slots.set(slot)
	}
	p.tombstoneCache.tombstones.CompareAndSwap(g, next)
	return next, nil
}

// dropDead takes the dead out of a set of slots.
func (p *part) removeDeleted(from bitset) {
	g, others := p.tombstones()
	if g != nil {
		from.andNot(g.slots)
	}
	for _, slot := range others {
		from.clear(slot)
	}
}

// deadCounted is the census of most of this moment's dead; nil if they are few. It reads rows.
func (p *part) deletedCounts() *deletedCounts {
	g, _ := p.tombstones()
	if g == nil {
		return nil
	}
	last := p.tombstoneCache.counts.Load()
	if last != nil && last.tombstones.count <= len(p.deleted) && last.tombstones.count+tombstonesMin > g.count {
		return last
	}
	next := &deletedCounts{g, make([]uint32, p.rows.ids()), make([]uint32, len(p.rows.cityTotals))}
	fresh := slices.Clone(g.slots)
	if last != nil && last.tombstones.count <= g.count {
		fresh.andNot(last.tombstones.slots)
		copy(next.rows, last.rows)
		copy(next.cities, last.cities)
	}
	slots := fresh.appendTo(nil)
	p.rows.count(slots, next.rows, countFrequent|countRare)
	p.rows.countCities(slots, next.cities)
	p.tombstoneCache.counts.CompareAndSwap(last, next)
	return next
}
