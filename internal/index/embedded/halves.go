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
