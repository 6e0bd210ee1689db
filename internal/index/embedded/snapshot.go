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
	dead []uint32
	// alive has the slots not in dead. Only the writer reads and changes it, under Index.mu: it is of the newest moment.
	alive bitset
}

func newPart(s *segment) part {
	p := part{segment: s, dead: slices.Clone(s.holes), alive: make(bitset, wordsFor(s.slots))}
	p.alive.setFirst(s.slots)
	for _, slot := range p.dead {
		p.alive.clear(slot)
	}
	return p
}

// companies is the number of companies alive.
func (p *part) companies() int { return p.slots - len(p.dead) }

// applied is the next moment: the changed companies die wherever they are, the fresh segments come at the end. Only
// for the newest snapshot, under Index.mu.
func (s *snapshot) applied(changes []index.Change, fresh []*segment, seq uint64) *snapshot {
	next := &snapshot{seq: max(seq, s.seq), companies: s.companies, parts: slices.Clone(s.parts)}
	dying := make([][]uint32, len(next.parts))
	for i := range next.parts { // which reads files, and may end in a panic: nothing is changed until all is read
		dying[i] = next.parts[i].holding(changes)
	}
	for i := range next.parts {
		p := &next.parts[i]
		for _, slot := range dying[i] {
			p.alive.clear(slot)
		}
		p.dead = append(p.dead, dying[i]...)
		next.companies -= len(dying[i])
	}
	next.parts = slices.DeleteFunc(next.parts, func(p part) bool { return p.companies() == 0 })
	for _, f := range fresh {
		next.parts = append(next.parts, newPart(f))
		next.companies += f.companies()
	}
	return next
}

// holding are the slots in which companies of the changes live.
func (p *part) holding(changes []index.Change) (slots []uint32) {
	for _, c := range changes {
		if slot, held := p.slot(c.Number); held && p.alive.has(slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// kill notes the company's death, if it lives here.
func (p *part) kill(n company.Number) {
	slot, held := p.slot(n)
	if held && p.alive.has(slot) {
		p.alive.clear(slot)
		p.dead = append(p.dead, slot)
	}
}

// find is the part and slot in which the company lives at this moment.
func (s *snapshot) find(n company.Number) (in int, slot uint32, ok bool) {
	for i := range s.parts {
		p := &s.parts[i]
		if slot, held := p.slot(n); held && !slices.Contains(p.dead, slot) {
			return i, slot, true
		}
	}
	return 0, 0, false
}

// The dead of a segment are one growing list, of which each moment sees a prefix. What was made of a prefix serves all
// later moments: a segment that a quarter has died of need not be asked who that was in every search.

// graves are the slots of the first so many of a segment's dead, as a set.
type graves struct {
	dead  int
	slots bitset
}

// census is what the values of some graves count. Who counts the living takes it off the totals.
type census struct {
	of     *graves
	rows   []uint32 // by the ids of rows
	cities []uint32 // by the city's id plus 1
}

// known is what was made of a segment's dead last.
type known struct {
	graves atomic.Pointer[graves]
	census atomic.Pointer[census]
}

// settleFrom is the number of the dead from which they are made a set again: so many are soon looked at one by one.
const settleFrom = 1024

// settled are the graves of this moment, and the dead that are not among them; nil if there are few.
func (p *part) settled() (g *graves, others []uint32) {
	if g = p.known.graves.Load(); g != nil && g.dead > len(p.dead) {
		return nil, p.dead // a later moment has looked
	}
	begun := 0
	if g != nil {
		begun = g.dead
	}
	if len(p.dead)-begun < settleFrom {
		return g, p.dead[begun:]
	}
	next := &graves{len(p.dead), make(bitset, wordsFor(p.slots))}
	if g != nil {
		copy(next.slots, g.slots)
	}
	for _, slot := range p.dead[begun:] {
		next.slots.set(slot)
	}
	p.known.graves.CompareAndSwap(g, next)
	return next, nil
}

// dropDead takes the dead out of a set of slots.
func (p *part) dropDead(from bitset) {
	g, others := p.settled()
	if g != nil {
		from.andNot(g.slots)
	}
	for _, slot := range others {
		from.clear(slot)
	}
}

// deadCounted is the census of most of this moment's dead; nil if they are few. It reads rows.
func (p *part) deadCounted() *census {
	g, _ := p.settled()
	if g == nil {
		return nil
	}
	last := p.known.census.Load()
	if last != nil && last.of.dead <= len(p.dead) && last.of.dead+settleFrom > g.dead {
		return last
	}
	next := &census{g, make([]uint32, p.rows.ids()), make([]uint32, len(p.rows.cityTotals))}
	fresh := slices.Clone(g.slots)
	if last != nil && last.of.dead <= g.dead {
		fresh.andNot(last.of.slots)
		copy(next.rows, last.rows)
		copy(next.cities, last.cities)
	}
	slots := fresh.appendTo(nil)
	p.rows.count(slots, next.rows, countFrequent|countRare)
	p.rows.countCities(slots, next.cities)
	p.known.census.CompareAndSwap(last, next)
	return next
}
