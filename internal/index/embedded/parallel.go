package embedded

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// parallelMin is the number of slots from which a second goroutine is worth starting.
const parallelMin = 20000

// parallelShards runs fn over the set, in two shards and goroutines if it is large; first is the index of the shard's first word.
func parallelShards(b bitset, fn func(shard bitset, first int)) {
	if !multicore() || b.count() < parallelMin {
		fn(b, 0)
		return
	}
	middle := b.midpoint()
	runBoth(func() { fn(b[:middle], 0) }, func() { fn(b[middle:], middle) })
}

// shardMin is the minimum number of slots in the smaller shard that makes a second goroutine worth starting. Tests lower
// it, so that small segments take the parallel path too.
var shardMin = 1 << 18

// assignShards returns the arena of each part: all the same or, if the parts are large, one of two. The parts of one arena
// are a shard, and each shard has its own goroutine.
func (s *snapshot) assignShards(scratch *arena) []*arena {
	arenas := make([]*arena, len(s.parts))
	var slots [2]int
	for i := range s.parts {
		lighter := 0
		if slots[1] < slots[0] {
			lighter = 1
		}
		slots[lighter] += s.parts[i].slots
		arenas[i] = scratch
		if lighter == 1 {
			arenas[i] = nil
		}
	}
	second := scratch
	if min(slots[0], slots[1]) >= shardMin && multicore() {
		second = scratch.second()
	}
	for i := range arenas {
		if arenas[i] == nil {
			arenas[i] = second
		}
	}
	return arenas
}

// sharded is work on one part; shard returns the part's arena.
type sharded interface{ shard() *arena }

func (h *hits) shard() *arena { return h.scratch }

// eachShard calls fn for each element, in one goroutine per shard.
func eachShard[T any, P interface {
	*T
	sharded
}](all []T, fn func(one P)) {
	var shards [2][]P
	for i := range all {
		shard := 0
		if P(&all[i]).shard() != P(&all[0]).shard() {
			shard = 1
		}
		shards[shard] = append(shards[shard], &all[i])
	}
	work := func(shard []P) func() {
		return func() {
			for _, one := range shard {
				fn(one)
			}
		}
	}
	if len(shards[1]) == 0 {
		work(shards[0])()
		return
	}
	runBoth(work(shards[0]), work(shards[1]))
}

// cores has a place for each search that may run at the same time. More would take turns on the same cores: each one would take
// longer, none would end earlier, and all would need memory. Waiting searches run in the order of their arrival.
var cores = make(chan struct{}, runtime.GOMAXPROCS(0))

// awaitCore waits for a free core, which release gives back.
func awaitCore(ctx context.Context) (release func(), err error) {
	select {
	case cores <- struct{}{}:
		return releaseCore, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func releaseCore() { <-cores }

// runBoth runs a, and b in a second goroutine if a core is free, and returns when both have ended. It repeats a panic of b in the caller's
// goroutine, which may find that damage to a file caused it.
func runBoth(a, b func()) {
	select {
	case cores <- struct{}{}:
		defer releaseCore()
	default:
		a()
		b()
		return
	}
	var second sync.WaitGroup
	var panicked *panicError
	second.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				panicked = &panicError{r, debug.Stack()}
			}
		}()
		debug.SetPanicOnFault(true) // no need to restore it, the goroutine ends
		b()
	})
	func() {
		defer second.Wait() // also if a panics: b uses memory that a's caller releases
		a()
	}()
	if panicked != nil {
		panic(panicked)
	}
}

// panicError is the panic of another goroutine.
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

// midpoint returns the index of the word that splits the set into two about equal halves.
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

// arena provides scratch memory to one search and takes all of it back at the end. It is not safe for concurrent use.
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

// second returns another arena, which is closed together with this one.
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

// freeList is a free list of slices. Slices come back through release, or all at once through reset.
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

// release returns a slice early. The search for it starts with the latest ones.
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

// freeMax is the maximum number of slices that an idle arena keeps.
const freeMax = 64

func (p *freeList[T]) reset() {
	p.free = append(p.free, p.lent...)
	if len(p.free) > freeMax {
		p.free = p.free[len(p.free)-freeMax:]
	}
	clear(p.lent)
	p.lent = p.lent[:0]
}
