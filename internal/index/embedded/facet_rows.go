package embedded

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// countRow selects which values of a row to count.
type countRow uint8

const (
	countFrequent countRow = 1 << iota
	countRare
)

// countBlock is the number of rows counted at a time, so that they stay in the L1 cache between passes.
const countBlock = 256

// count adds the slots' values to counts, which has one counter per row id.
func (r *rows) count(slots, counts []uint32, which countRow) {
	width, ids := r.width(), r.bitWords()
	var columns []bitSlices
	if which&countFrequent != 0 {
		columns = make([]bitSlices, ids)
	}
	var t *idCounters
	if which&countRare != 0 && !r.wide {
		t = idCounterPool.Get().(*idCounters)
	}
	for rest := slots; len(rest) > 0; {
		block := rest[:min(len(rest), countBlock)]
		rest = rest[len(block):]
		if len(columns) == 0 {
			r.prefetch(block, width)
		}
		for column := range columns {
			columns[column].add(r.cells[column:], width, block)
		}
		if t != nil {
			for _, slot := range block {
				at := int(slot) * width
				t.add(r.cells[at+ids : at+width])
			}
		}
	}
	most := bits.Len(uint(len(slots)))
	for i := range columns {
		for bit, id := range r.frequent[i*64 : min(i*64+64, len(r.frequent))] {
			counts[id] += columns[i].count(bit, most)
		}
	}
	if which&countRare == 0 {
		return
	}
	if t == nil {
		r.countWide(slots, counts)
	} else {
		intersect(r.overflow.slots, slots, func(i, _ int) { t.add(r.overflow.at(i)) })
		t.flush(counts)
		idCounterPool.Put(t)
	}
	counts[0] = 0 // padding
}

// prefetch reads one word of each row, so that the memory accesses overlap.
func (r *rows) prefetch(slots []uint32, width int) {
	sum := uint64(0)
	for _, slot := range slots {
		sum |= r.cells[int(slot)*width]
	}
	prefetchSink.Store(sum)
}

// prefetchSink keeps the compiler from removing prefetch.
var prefetchSink atomic.Uint64

// countCities adds the slots to the counters: one per city, and one for slots without a city.
func (r *rows) countCities(slots, cities []uint32) {
	for _, slot := range slots {
		cities[r.city[slot]]++
	}
}

// idCounters has one counter for every 16-bit id, so that counting needs no bounds checks. Pooled ones are zeroed.
type idCounters [1 << 16]uint32

var idCounterPool = sync.Pool{New: func() any { return new(idCounters) }}

func (t *idCounters) add(words []uint64) {
	for _, w := range words {
		if w == 0 {
			return
		}
		t[uint16(w)]++
		t[uint16(w>>16)]++
		t[uint16(w>>32)]++
		t[uint16(w>>48)]++
	}
}

// flush adds the counters to counts and zeroes them.
func (t *idCounters) flush(counts []uint32) {
	addCounts(counts, t[:len(counts)])
	clear(t[:len(counts)])
}

func (r *rows) countWide(slots, counts []uint32) {
	width, ids := r.width(), r.bitWords()
	add := func(words []uint64) {
		for _, w := range words {
			counts[uint32(w)]++
			counts[w>>32]++
		}
	}
	for _, slot := range slots {
		at := int(slot) * width
		add(r.cells[at+ids : at+width])
	}
	intersect(r.overflow.slots, slots, func(i, _ int) { add(r.overflow.at(i)) })
}

func addCounts(sum, more []uint32) {
	more = more[:len(sum)]
	for i := range sum {
		sum[i] += more[i]
	}
}

// subtractCounts replaces each count by its total minus the count.
func subtractCounts(totals, counts []uint32) {
	totals = totals[:len(counts)]
	for i := range counts {
		counts[i] = totals[i] - counts[i]
	}
}

// bitSlices counts 64 columns at once, bit-sliced: bit c of bitSlices[k] is bit k of column c's count. Words are added with
// carry-save adders (Harley and Seal; see Mula, Kurz, Lemire 2018).
type bitSlices [32]uint64

// add counts the first word of each slot's row, 16 slots per step. Rows are width words long.
func (p *bitSlices) add(cells []uint64, width int, slots []uint32) {
	ones, twos, fours, eights := p[0], p[1], p[2], p[3]
	for len(slots) >= 16 {
		s := slots[:16]
		slots = slots[16:]
		word := func(i int) uint64 { return cells[int(s[i])*width] }
		var twosA, twosB, foursA, foursB, eightsA, eightsB, sixteens uint64
		ones, twosA = carrySave(ones, word(0), word(1))
		ones, twosB = carrySave(ones, word(2), word(3))
		twos, foursA = carrySave(twos, twosA, twosB)
		ones, twosA = carrySave(ones, word(4), word(5))
		ones, twosB = carrySave(ones, word(6), word(7))
		twos, foursB = carrySave(twos, twosA, twosB)
		fours, eightsA = carrySave(fours, foursA, foursB)
		ones, twosA = carrySave(ones, word(8), word(9))
		ones, twosB = carrySave(ones, word(10), word(11))
		twos, foursA = carrySave(twos, twosA, twosB)
		ones, twosA = carrySave(ones, word(12), word(13))
		ones, twosB = carrySave(ones, word(14), word(15))
		twos, foursB = carrySave(twos, twosA, twosB)
		fours, eightsB = carrySave(fours, foursA, foursB)
		eights, sixteens = carrySave(eights, eightsA, eightsB)
		p.addFrom(4, sixteens)
	}
	p[0], p[1], p[2], p[3] = ones, twos, fours, eights
	for _, slot := range slots {
		p.addFrom(0, cells[int(slot)*width])
	}
}

// carrySave adds three bits in each bit position.
func carrySave(a, b, c uint64) (sum, carry uint64) {
	u := a ^ b
	return u ^ c, a&b | u&c
}

// addFrom adds a word, starting at the k-th slice.
func (p *bitSlices) addFrom(k int, w uint64) {
	for ; w != 0; k++ {
		p[k], w = p[k]^w, p[k]&w
	}
}

// count returns the column's count, which must fit in the given number of bits.
func (p *bitSlices) count(column, bits int) (n uint32) {
	for k, plane := range p[:bits] {
		n |= uint32(plane>>column&1) << k
	}
	return n
}
