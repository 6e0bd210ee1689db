package embedded

import "sync"

// arena lends cleared scratch memory to one search and takes all of it back at its end. Not safe for concurrent use.
type arena struct {
	bitPile     pile[uint64]
	counterPile pile[uint32]
	listPile    pile[uint32]

	twin *arena // for a second goroutine of the search
}

var arenas = sync.Pool{New: func() any { return new(arena) }}

func borrowArena() *arena { return arenas.Get().(*arena) }

func (a *arena) release() {
	if a.twin != nil {
		a.twin.release()
		a.twin = nil
	}
	a.bitPile.reset()
	a.counterPile.reset()
	a.listPile.reset()
	arenas.Put(a)
}

// second is another arena, lent for as long as this one.
func (a *arena) second() *arena {
	if a.twin == nil {
		a.twin = borrowArena()
	}
	return a.twin
}

func (a *arena) bits(slots int) bitset      { return a.bitPile.get(wordsFor(slots)) }
func (a *arena) dirtyBits(slots int) bitset { return a.bitPile.getDirty(wordsFor(slots)) }
func (a *arena) giveBack(b bitset)          { a.bitPile.giveBack(b) }
func (a *arena) counters(n int) []uint32    { return a.counterPile.get(n) }
func (a *arena) emptyList(n int) []uint32   { return a.listPile.getDirty(n)[:0] }

// pile is a free list of slices; lent ones come back with giveBack, or all at once with reset.
type pile[T any] struct{ free, lent [][]T }

func (p *pile[T]) get(n int) []T {
	s := p.getDirty(n)
	clear(s)
	return s
}

func (p *pile[T]) getDirty(n int) []T {
	for i, s := range p.free {
		if cap(s) >= n {
			last := len(p.free) - 1
			p.free[i] = p.free[last]
			p.free = p.free[:last]
			p.lent = append(p.lent, s)
			return s[:n]
		}
	}
	s := make([]T, n)
	p.lent = append(p.lent, s)
	return s
}

// giveBack returns a slice early; the latest lent ones are found at once.
func (p *pile[T]) giveBack(s []T) {
	if cap(s) == 0 {
		return
	}
	for i := len(p.lent) - 1; i >= 0; i-- {
		if l := p.lent[i]; cap(l) > 0 && &l[:1][0] == &s[:1][0] {
			p.lent = append(p.lent[:i], p.lent[i+1:]...)
			p.free = append(p.free, s)
			return
		}
	}
}

// keepMax bounds what an idle arena holds on to, in slices.
const keepMax = 64

func (p *pile[T]) reset() {
	p.free = append(p.free, p.lent...)
	if len(p.free) > keepMax {
		p.free = p.free[len(p.free)-keepMax:]
	}
	clear(p.lent)
	p.lent = p.lent[:0]
}
