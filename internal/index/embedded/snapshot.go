package embedded

import (
	"slices"
	"sync/atomic"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// snapshot is an immutable state of the index. Each company is live in at most one part.
type snapshot struct {
	id        uint64 // ascending within the instance
	seq       uint64
	companies int
	parts     []part
	keys      keysets
}

// part is a segment as one snapshot sees it.
type part struct {
	*segment
	// The slots without a live company, in the order of deletion; the segment's holes come first. Snapshots share one
	// growing slice, and each sees a prefix of it.
	deleted []uint32
	// The slots not in deleted. It always describes the newest snapshot, so only the writer uses it, under Index.mu.
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

// companies returns the number of live companies.
func (p *part) companies() int { return p.slots - len(p.deleted) }

// withChanges returns the next snapshot: the changed companies are deleted from their old parts, and the new segments are
// appended. Must be called on the newest snapshot, under Index.mu.
func (s *snapshot) withChanges(changes []index.Change, fresh []*segment, seq uint64) *snapshot {
	next := &snapshot{seq: max(seq, s.seq), companies: s.companies, parts: slices.Clone(s.parts)}
	deleted := make([][]uint32, len(next.parts))
	for i := range next.parts { // reads files and may panic, so nothing is modified before all is read
		p := &next.parts[i]
		for _, c := range changes {
			if slot, held := p.slot(c.Number); held && p.live.has(slot) {
				deleted[i] = append(deleted[i], slot)
			}
		}
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

// markDeleted deletes the company if it is live in this part.
func (p *part) markDeleted(n company.Number) {
	slot, held := p.slot(n)
	if held && p.live.has(slot) {
		p.live.clear(slot)
		p.deleted = append(p.deleted, slot)
	}
}

// find returns the part and slot in which the company is live.
func (s *snapshot) find(n company.Number) (in int, slot uint32, ok bool) {
	for i := range s.parts {
		p := &s.parts[i]
		if slot, held := p.slot(n); held && !slices.Contains(p.deleted, slot) {
			return i, slot, true
		}
	}
	return 0, 0, false
}

// Data derived from a prefix of a segment's deleted slots stays valid for all later snapshots. So a search in a segment with
// many deletions does not have to look at each of them again.

// tombstones is the set of the first count slots in a part's deleted.
type tombstones struct {
	count int
	slots bitset
}

// deletedCounts holds the facet counts of the slots in tombstones. Counting live slots subtracts them from the totals.
type deletedCounts struct {
	tombstones *tombstones
	rows       []uint32 // by row id
	cities     []uint32 // by the city's id plus 1
}

// tombstoneCache holds what was derived last from a segment's deleted slots.
type tombstoneCache struct {
	tombstones atomic.Pointer[tombstones]
	counts     atomic.Pointer[deletedCounts]
}

// tombstonesMin is the number of new deletions from which the set is built again. Fewer are looked at one by one.
const tombstonesMin = 1024

// tombstones returns a set of most deleted slots, nil if there are few, and the deleted slots that are not in it.
func (p *part) tombstones() (g *tombstones, others []uint32) {
	if g = p.tombstoneCache.tombstones.Load(); g != nil && g.count > len(p.deleted) {
		return nil, p.deleted // cached by a later snapshot
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

// removeDeleted removes the deleted slots from the set.
func (p *part) removeDeleted(from bitset) {
	g, others := p.tombstones()
	if g != nil {
		from.andNot(g.slots)
	}
	for _, slot := range others {
		from.clear(slot)
	}
}

// deletedCounts returns the facet counts of most deleted slots, or nil if there are few. It reads rows.
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
