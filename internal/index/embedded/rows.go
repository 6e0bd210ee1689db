package embedded

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// rows hold for each slot the ids of all its values of the row fields in one list, in one space of ids, for counting
// in one pass. Id 0 stands for no value: lists are padded with it to whole words. Ids take 16 bits, or 32 where there
// are too many.
type rows struct {
	words []uint64
	ends  []uint32              // where each slot's words end
	first [rowFields + 1]uint32 // the id of each field's first value, and the end of the last
	wide  bool
	city  []uint32 // of each slot: the city's id plus 1, 0 for none

	totals     []uint32 // of each id, over all slots
	cityTotals []uint32 // likewise; [0] counts slots without a city
}

func newRows(sizes [rowFields]int) rows {
	var r rows
	next := uint32(1)
	for f, n := range sizes {
		r.first[f] = next
		next += uint32(n)
	}
	r.first[rowFields] = next
	r.wide = next > math.MaxUint16+1
	return r
}

func (r *rows) ids() int { return int(r.first[rowFields]) }

// add appends the next slot's row.
func (r *rows) add(ids []uint32) {
	step := 4
	if r.wide {
		step = 2
	}
	for chunk := range slices.Chunk(ids, step) {
		word := uint64(0)
		for i, id := range chunk {
			word |= uint64(id) << (i * 64 / step)
		}
		r.words = append(r.words, word)
	}
	r.ends = append(r.ends, uint32(len(r.words)))
}

// appendIDs appends the ids of a slot.
func (r *rows) appendIDs(ids []uint32, slot uint32) []uint32 {
	for _, w := range r.row(slot) {
		for ; w != 0; w >>= r.idBits() {
			if r.wide {
				ids = append(ids, uint32(w))
			} else {
				ids = append(ids, uint32(uint16(w)))
			}
		}
	}
	return ids
}

func (r *rows) idBits() int {
	if r.wide {
		return 32
	}
	return 16
}

func (r *rows) row(slot uint32) []uint64 {
	start := uint32(0)
	if slot > 0 {
		start = r.ends[slot-1]
	}
	return r.words[start:r.ends[slot]]
}

// sum computes the totals.
func (r *rows) sum(cities int) {
	r.totals = make([]uint32, r.ids())
	r.cityTotals = make([]uint32, cities+1)
	all := make([]uint32, 0, 1<<12)
	for slot := range uint32(len(r.ends)) {
		if all = append(all, slot); len(all) == cap(all) {
			r.count(all, r.totals, r.cityTotals)
			all = all[:0]
		}
	}
	r.count(all, r.totals, r.cityTotals)
}

// count adds the slots' values to the counters, one for each id, and one for each city and for none; no counters count
// nothing.
func (r *rows) count(slots, counts, cities []uint32) {
	if len(cities) > 0 {
		for _, slot := range slots {
			cities[r.city[slot]]++
		}
	}
	if len(counts) == 0 {
		return
	}
	if r.wide {
		r.countWide(slots, counts)
	} else {
		t := tallies.Get().(*tally)
		r.countNarrow(slots, t)
		addUp(counts, t[:len(counts)])
		clear(t[:len(counts)])
		tallies.Put(t)
	}
	counts[0] = 0 // the padding
}

// tally has a counter for every 16-bit id, so that counting needs no bounds checks; idle ones are zero.
type tally [1 << 16]uint32

var tallies = sync.Pool{New: func() any { return new(tally) }}

// countBlock is how many slots are counted at a time, so that the cache misses of a pass overlap.
const countBlock = 256

func (r *rows) countNarrow(slots []uint32, t *tally) {
	var starts, ends [countBlock]uint32
	for len(slots) > 0 {
		block := slots[:min(len(slots), countBlock)]
		slots = slots[len(block):]
		for i, slot := range block {
			starts[i], ends[i] = r.span(slot)
		}
		r.touch(starts[:len(block)], ends[:len(block)])
		for i := range block {
			for _, w := range r.words[starts[i]:ends[i]] {
				t[uint16(w)]++
				t[uint16(w>>16)]++
				t[uint16(w>>32)]++
				t[uint16(w>>48)]++
			}
		}
	}
}

// touch reads the first and the last word of each span, so that the memory fetches run side by side.
func (r *rows) touch(starts, ends []uint32) {
	sum := uint64(0)
	for i, start := range starts {
		if end := ends[i]; end > start {
			sum |= r.words[start] | r.words[end-1]
		}
	}
	touched.Store(sum)
}

// touched keeps the compiler from leaving touch out.
var touched atomic.Uint64

func (r *rows) span(slot uint32) (start, end uint32) {
	if slot > 0 {
		start = r.ends[slot-1]
	}
	return start, r.ends[slot]
}

func (r *rows) countWide(slots, counts []uint32) {
	for _, slot := range slots {
		for _, w := range r.row(slot) {
			counts[uint32(w)]++
			counts[w>>32]++
		}
	}
}

func addUp(sum, more []uint32) {
	more = more[:len(sum)]
	for i := range sum {
		sum[i] += more[i]
	}
}
