package embedded

import (
	"slices"
	"sync/atomic"
)

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
