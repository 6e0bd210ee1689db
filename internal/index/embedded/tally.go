package embedded

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// countRow says which of a row's values to count.
type countRow uint8

const (
	countFrequent countRow = 1 << iota
	countRare
)

// countBlock is how many rows are counted at a time: they stay in the first cache between the passes.
const countBlock = 256

// count adds the slots' values to the counters, one for each id.
func (r *rows) count(slots, counts []uint32, which countRow) {
	width, ids := r.width(), r.bitWords()
	var columns []planes
	if which&countFrequent != 0 {
		columns = make([]planes, ids)
	}
	var t *tally
	if which&countRare != 0 && !r.wide {
		t = tallies.Get().(*tally)
	}
	for rest := slots; len(rest) > 0; {
		block := rest[:min(len(rest), countBlock)]
		rest = rest[len(block):]
		if len(columns) == 0 {
			r.touch(block, width)
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
		eachShared(r.rest.slots, slots, func(i, _ int) { t.add(r.rest.of(i)) })
		t.moveTo(counts)
		tallies.Put(t)
	}
	counts[0] = 0 // the padding
}

// touch reads a word of each row, so that the memory fetches run side by side.
func (r *rows) touch(slots []uint32, width int) {
	sum := uint64(0)
	for _, slot := range slots {
		sum |= r.cells[int(slot)*width]
	}
	touched.Store(sum)
}

// touched keeps the compiler from leaving touch out.
var touched atomic.Uint64

// countCities adds the slots to the counters, one for each city and one for none.
func (r *rows) countCities(slots, cities []uint32) {
	for _, slot := range slots {
		cities[r.city[slot]]++
	}
}

// tally has a counter for every 16-bit id, so that counting needs no bounds checks; idle ones are zero.
type tally [1 << 16]uint32

var tallies = sync.Pool{New: func() any { return new(tally) }}

func (t *tally) add(words []uint64) {
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

func (t *tally) moveTo(counts []uint32) {
	addUp(counts, t[:len(counts)])
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
	eachShared(r.rest.slots, slots, func(i, _ int) { add(r.rest.of(i)) })
}

func addUp(sum, more []uint32) {
	more = more[:len(sum)]
	for i := range sum {
		sum[i] += more[i]
	}
}

// takeFrom makes of each count what is left of the total.
func takeFrom(totals, counts []uint32) {
	totals = totals[:len(counts)]
	for i := range counts {
		counts[i] = totals[i] - counts[i]
	}
}
