package embedded

import (
	"slices"

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
