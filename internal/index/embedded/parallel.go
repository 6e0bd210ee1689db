package embedded

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// halvesFrom is the number of slots from which a second core is worth its start.
const parallelMin = 20000

// inHalves runs fn over the set, in two goroutines if it is large; first is the number of the half's first word.
func parallelHalves(b bitset, fn func(half bitset, first int)) {
	if !multicore() || b.count() < parallelMin {
		fn(b, 0)
		return
	}
	middle := b.midpoint()
	runBoth(func() { fn(b[:middle], 0) }, func() { fn(b[middle:], middle) })
}

// sidesFrom is the minimum number of slots in the smaller half that makes a second goroutine worth starting. Tests lower
// it, so that small segments take the parallel path too.
var shardMin = 1 << 18

// sides deal the parts out to one arena, or to two if they are large: one for each goroutine.
func (s *snapshot) assignShards(scratch *arena) []*arena {
	sides := make([]*arena, len(s.parts))
	var slots [2]int
	for i := range s.parts {
		lighter := 0
		if slots[1] < slots[0] {
			lighter = 1
		}
		slots[lighter] += s.parts[i].slots
		sides[i] = scratch
		if lighter == 1 {
			sides[i] = nil
		}
	}
	second := scratch
	if min(slots[0], slots[1]) >= shardMin && multicore() {
		second = scratch.second()
	}
	for i := range sides {
		if sides[i] == nil {
			sides[i] = second
		}
	}
	return sides
}

// sided is what works on one part.
type sharded interface{ shard() *arena }

func (h *hits) shard() *arena { return h.scratch }

// eachSide calls fn for each, in a goroutine for each side.
func eachShard[T any, P interface {
	*T
	sharded
}](all []T, fn func(one P)) {
	var sides [2][]P
	for i := range all {
		side := 0
		if P(&all[i]).shard() != P(&all[0]).shard() {
			side = 1
		}
		sides[side] = append(sides[side], &all[i])
	}
	work := func(side []P) func() {
		return func() {
			for _, one := range side {
				fn(one)
			}
		}
	}
	if len(sides[1]) == 0 {
		work(sides[0])()
		return
	}
	runBoth(work(sides[0]), work(sides[1]))
}

// both runs a, and b in a second goroutine, and returns when both have ended. What b panics with, it panics with: the
// caller may know that a file's damage is the reason.
func runBoth(a, b func()) {
	var second sync.WaitGroup
	var panicked *panicError
	second.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				panicked = &panicError{r, debug.Stack()}
			}
		}()
		debug.SetPanicOnFault(true) // the goroutine ends here
		b()
	})
	func() {
		defer second.Wait() // also if a panics: b works on what a's caller takes back
		a()
	}()
	if panicked != nil {
		panic(panicked)
	}
}

// panicError is another goroutine's panic.
type panicError struct {
	value any
	stack []byte
}

func (c *panicError) Error() string {
	return fmt.Sprintf("%v\n\nin a second goroutine:\n%s", c.value, c.stack)
}

func (c *panicError) Unwrap() error {
	err, _ := c.value.(error)
	return err
}

// middle is the word before which about half of the set stands.
func (b bitset) midpoint() int {
	half := b.count() / 2
	for i := range b {
		if half -= b[i : i+1].count(); half <= 0 {
			return i + 1
		}
	}
	return len(b)
}

func multicore() bool { return runtime.GOMAXPROCS(0) > 1 }

// arena lends cleared scratch memory to one search and takes all of it back at its end. Not safe for concurrent use.
type arena struct {
	bitsFree     freeList[uint64]
	countersFree freeList[uint32]
	listsFree    freeList[uint32]

	secondArena *arena // for a second goroutine of the search
}

var arenas = sync.Pool{New: func() any { return new(arena) }}

func borrowArena() *arena { return arenas.Get().(*arena) }

func (a *arena) close() {
	if a.secondArena != nil {
		a.secondArena.close()
		a.secondArena = nil
	}
	a.bitsFree.reset()
	a.countersFree.reset()
	a.listsFree.reset()
	arenas.Put(a)
}

// second is another arena, lent for as long as this one.
func (a *arena) second() *arena {
	if a.secondArena == nil {
		a.secondArena = borrowArena()
	}
	return a.secondArena
}

func (a *arena) bits(slots int) bitset       { return a.bitsFree.get(wordsFor(slots)) }
func (a *arena) uninitBits(slots int) bitset { return a.bitsFree.getUninit(wordsFor(slots)) }
func (a *arena) release(b bitset)            { a.bitsFree.release(b) }
func (a *arena) counters(n int) []uint32     { return a.countersFree.get(n) }
func (a *arena) list(n int) []uint32         { return a.listsFree.getUninit(n)[:0] }

// pile is a free list of slices; lent ones come back with giveBack, or all at once with reset.
type freeList[T any] struct{ free, lent [][]T }

func (p *freeList[T]) get(n int) []T {
	s := p.getUninit(n)
	clear(s)
	return s
}

func (p *freeList[T]) getUninit(n int) []T {
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
func (p *freeList[T]) release(s []T) {
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
const freeMax = 64

func (p *freeList[T]) reset() {
	p.free = append(p.free, p.lent...)
	if len(p.free) > freeMax {
		p.free = p.free[len(p.free)-freeMax:]
	}
	clear(p.lent)
	p.lent = p.lent[:0]
}
