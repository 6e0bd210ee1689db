package embedded

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// halvesFrom is the number of slots from which a second core is worth its start.
const halvesFrom = 20000

// inHalves runs fn over the set, in two goroutines if it is large; first is the number of the half's first word.
func inHalves(b bitset, fn func(half bitset, first int)) {
	if !severalCores() || b.count() < halvesFrom {
		fn(b, 0)
		return
	}
	middle := b.middle()
	both(func() { fn(b[:middle], 0) }, func() { fn(b[middle:], middle) })
}

// sidesFrom is the number of slots that a second goroutine must have to look at to be worth its start.
const sidesFrom = 1 << 18

// sides deal the parts out to one arena, or to two if they are large: one for each goroutine.
func (s *snapshot) sides(scratch *arena) []*arena {
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
	if min(slots[0], slots[1]) >= sidesFrom && severalCores() {
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
type sided interface{ side() *arena }

func (h *hits) side() *arena { return h.scratch }

// eachSide calls fn for each, in a goroutine for each side.
func eachSide[T any, P interface {
	*T
	sided
}](all []T, fn func(one P)) {
	var sides [2][]P
	for i := range all {
		side := 0
		if P(&all[i]).side() != P(&all[0]).side() {
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
	both(work(sides[0]), work(sides[1]))
}

// both runs a, and b in a second goroutine, and returns when both have ended. What b panics with, it panics with: the
// caller may know that a file's damage is the reason.
func both(a, b func()) {
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
func (b bitset) middle() int {
	half := b.count() / 2
	for i := range b {
		if half -= b[i : i+1].count(); half <= 0 {
			return i + 1
		}
	}
	return len(b)
}

func severalCores() bool { return runtime.GOMAXPROCS(0) > 1 }
