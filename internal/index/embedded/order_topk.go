package embedded

import "slices"

// topK keeps the first k of the entries added to it, in time linear in their number.
type topK struct {
	k       int
	compare func(a, b entry) int
	entries []entry
	limit   entry // once limited: entries from here on are not among the first k
	limited bool
}

func newTopK(k int, compare func(a, b entry) int) *topK { return &topK{k: k, compare: compare} }

func (b *topK) add(e entry) {
	if b.limited && (e.key > b.limit.key || b.compare(e, b.limit) >= 0) {
		return
	}
	b.entries = append(b.entries, e)
	if len(b.entries) >= 2*b.k+64 {
		b.prune()
	}
}

// prune drops all but the first k, and leaves those unsorted.
func (b *topK) prune() {
	b.partition(0, len(b.entries))
	b.entries = b.entries[:b.k]
	b.limit, b.limited = slices.MaxFunc(b.entries, b.compare), true
}

// partition moves the first k entries to the front (quickselect, Hoare 1961).
func (b *topK) partition(low, high int) {
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

func (b *topK) median(i, j, k int) entry {
	three := [...]entry{b.entries[i], b.entries[j], b.entries[k]}
	slices.SortFunc(three[:], b.compare)
	return three[1]
}

// sorted returns the first k in order. The topK must not be used afterwards.
func (b *topK) sorted() []entry {
	if len(b.entries) > b.k {
		b.prune()
	}
	slices.SortFunc(b.entries, b.compare)
	return b.entries
}

// smallestK returns the indexes of the k smallest keys, sorted by key, then index; of all keys if there are fewer. It finds
// the k-th key by counting the upper, then the lower halves of the keys, and radix sorts the keys up to it (LSD radix sort,
// Seward 1954). Its time is linear in the number of keys.
func smallestK(keys []uint32, k int) []uint32 {
	if k <= 0 || len(keys) == 0 {
		return nil
	}
	k = min(k, len(keys))
	kth, equal := kthSmallest(keys, k)
	pairs := make([]uint64, 0, 2*k) // key and index; the second half is the sort buffer
	for i, key := range keys {
		switch {
		case key > kth:
		case key < kth:
			pairs = append(pairs, uint64(key)<<32|uint64(i))
		case equal > 0:
			equal--
			pairs = append(pairs, uint64(key)<<32|uint64(i))
		}
	}
	indexes := make([]uint32, k)
	for i, pair := range sortByKey(pairs, pairs[k:2*k]) {
		indexes[i] = uint32(pair)
	}
	return indexes
}

// kthSmallest returns the k-th smallest key, and how many of the k smallest keys are equal to it.
func kthSmallest(keys []uint32, k int) (kth uint32, equal int) {
	t := idCounterPool.Get().(*idCounters)
	defer idCounterPool.Put(t)
	defer clear(t[:])
	for _, key := range keys {
		t[key>>16]++
	}
	high, left := t.reach(k)
	clear(t[:])
	for _, key := range keys {
		if key>>16 == high {
			t[uint16(key)]++
		}
	}
	low, left := t.reach(left)
	return high<<16 | low, left
}

// reach returns the counter at which the running total reaches k, and how much is missing to k before it.
func (t *idCounters) reach(k int) (at uint32, left int) {
	left = k
	for int(t[at]) < left {
		left -= int(t[at])
		at++
	}
	return at, left
}

// sortByKey stably sorts pairs by their upper halves; room is a buffer of the same length.
func sortByKey(pairs, room []uint64) []uint64 {
	const digit = 11
	for shift := 32; shift < 64; shift += digit {
		var starts [1 << digit]uint32
		for _, p := range pairs {
			starts[p>>shift&(1<<digit-1)]++
		}
		sum := uint32(0)
		for i, n := range starts {
			starts[i], sum = sum, sum+n
		}
		for _, p := range pairs {
			d := p >> shift & (1<<digit - 1)
			room[starts[d]] = p
			starts[d]++
		}
		pairs, room = room, pairs
	}
	return pairs
}
