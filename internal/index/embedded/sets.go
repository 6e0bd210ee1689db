package embedded

import (
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
)

// keepWithin drops the slots whose company is not in the set.
func (e evaluator) keepWithin(found bitset, within company.Set) {
	if e.numbers != nil {
		set := within.Bitmap()
		for _, slot := range found.appendTo(e.emptyList(e.slots)) {
			if !set.Contains(e.numbers[slot]) {
				found.clear(slot)
			}
		}
		return
	}
	inside := e.bits(e.slots)
	eachBetween(within.Bitmap(), e.base, e.base+uint32(e.slots), func(n uint32) { inside.set(n - e.base) })
	found.and(inside)
	e.giveBack(inside)
}

// leaveOut drops the slots whose company is in the set.
func (e evaluator) leaveOut(found bitset, without company.Set) {
	inside := e.copyOf(found)
	e.keepWithin(inside, without)
	found.andNot(inside)
	e.giveBack(inside)
}

// eachBetween yields the set's numbers from low to below high.
func eachBetween(set *roaring.Bitmap, low, high uint32, yield func(n uint32)) {
	it := set.Iterator()
	it.AdvanceIfNeeded(low)
	for it.HasNext() {
		n := it.Next()
		if n >= high {
			return
		}
		yield(n)
	}
}

// fewOwned is the size up to which a set is looked up number by number.
const fewOwned = 2000

// owned counts the matches that are in the set. What it costs depends on neither's size, once both are large: matches
// are copied into a set of numbers, word by word, and two bitmaps are intersected.
func owned(scratch *arena, found []hits, total int, set company.Set) int {
	if total == 0 || set.IsEmpty() {
		return 0
	}
	if set.Len() <= fewOwned {
		return ownedOneByOne(found, set)
	}
	top := 0
	for i := range found {
		top = max(top, int(found[i].number(uint32(found[i].slots-1)))+1)
	}
	numbers := found[0].bits
	if h := &found[0]; len(found) > 1 || h.numbers != nil || h.base > 0 {
		numbers = scratch.bits(top)
		for i := range found {
			found[i].addNumbers(numbers)
		}
	}
	return int(roaring.FromDense(numbers, false).AndCardinality(set.Bitmap()))
}

func ownedOneByOne(found []hits, set company.Set) int {
	n := 0
	for i := range found {
		h := &found[i]
		eachBetween(set.Bitmap(), h.number(0), h.number(uint32(h.slots-1))+1, func(number uint32) {
			if slot, held := h.slot(company.Number(number)); held && h.bits.has(slot) {
				n++
			}
		})
	}
	return n
}

// addNumbers adds the matches' numbers to a set of numbers.
func (h *hits) addNumbers(numbers bitset) {
	if h.numbers == nil {
		numbers[h.base>>6:][:len(h.bits)].or(h.bits)
		return
	}
	for i, w := range h.bits {
		for ; w != 0; w &= w - 1 {
			numbers.set(h.numbers[i<<6+bits.TrailingZeros64(w)])
		}
	}
}
