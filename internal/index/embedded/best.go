package embedded

import "slices"

// best keeps the first k of the entries added to it, in time linear in their number.
type best struct {
	k       int
	compare func(a, b entry) int
	entries []entry
	limit   entry // once limited: nothing from here on is among the first k
	limited bool
}

func newBest(k int, compare func(a, b entry) int) *best { return &best{k: k, compare: compare} }

func (b *best) add(e entry) {
	if b.limited && (e.key > b.limit.key || b.compare(e, b.limit) >= 0) {
		return
	}
	b.entries = append(b.entries, e)
	if len(b.entries) >= 2*b.k+64 {
		b.cut()
	}
}

// cut drops all but the first k, in no order.
func (b *best) cut() {
	b.partition(0, len(b.entries))
	b.entries = b.entries[:b.k]
	b.limit, b.limited = slices.MaxFunc(b.entries, b.compare), true
}

// partition moves the first k entries to the front (quickselect, Hoare 1961).
func (b *best) partition(low, high int) {
	e := b.entries
	for high-low > 1 {
		pivot := b.median(low, (low+high)/2, high-1)
		i, j := low, high-1
		for i <= j {
			for b.compare(e[i], pivot) < 0 {
				i++
			}
			for b.compare(e[j], pivot) > 0 {
				j--
			}
			if i <= j {
				e[i], e[j] = e[j], e[i]
				i++
				j--
			}
		}
		switch {
		case b.k <= j:
			high = j + 1
		case b.k >= i:
			low = i
		default:
			return
		}
	}
}

func (b *best) median(i, j, k int) entry {
	three := [...]entry{b.entries[i], b.entries[j], b.entries[k]}
	slices.SortFunc(three[:], b.compare)
	return three[1]
}

// sorted gives the first k in order; best must not be used afterwards.
func (b *best) sorted() []entry {
	if len(b.entries) > b.k {
		b.cut()
	}
	slices.SortFunc(b.entries, b.compare)
	return b.entries
}
