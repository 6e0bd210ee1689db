package embedded

import (
	"runtime"
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
	var second sync.WaitGroup
	second.Go(func() { fn(b[middle:], middle) })
	fn(b[:middle], 0)
	second.Wait()
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
