package embedded

import (
	"math/bits"
	"slices"
	"sync"

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

// owned counts the matches that are in the set. What it costs depends on neither's size, once both are large: where
// numbers lie close together matches are copied into a set of numbers, word by word, and two bitmaps are intersected;
// where they are scattered the set is kept in slots.
func owned(scratch *arena, found []hits, total int, set company.Set) int {
	if total == 0 || set.IsEmpty() {
		return 0
	}
	if set.Len() <= fewOwned {
		return ownedOneByOne(found, set)
	}
	n, top, rest := 0, 0, 0
	for i := range found {
		h := &found[i]
		if h.bySlots() {
			n += h.inSlots(set).countShared(h.bits)
			continue
		}
		top, rest = max(top, int(h.number(uint32(h.slots-1)))+1), rest+1
	}
	if rest == 0 {
		return n
	}
	numbers := found[0].bits
	if h := &found[0]; len(found) > 1 || h.numbers != nil || h.base > 0 {
		numbers = scratch.bits(top)
		for i := range found {
			if h := &found[i]; !h.bySlots() {
				h.addNumbers(numbers)
			}
		}
	}
	return n + int(roaring.FromDense(numbers, false).AndCardinality(set.Bitmap()))
}

// scatteredFrom is the number of matches from which a set in slots is worth its making.
const scatteredFrom = 4096

func (h *hits) bySlots() bool { return h.numbers != nil && h.count >= scatteredFrom }

// slotSets are the sets that were last translated into a segment's slots.
type slotSets struct {
	mu     sync.Mutex
	recent []slotSet // the latest first
}

type slotSet struct {
	of    *roaring.Bitmap
	slots bitset
}

// slotSetsMax is the number of sets kept a segment: those of as many workspaces.
const slotSetsMax = 8

// inSlots is the set as slots of a segment of scattered numbers. It is made once for each state of a workspace's unlocks.
func (s *segment) inSlots(set company.Set) bitset {
	k := &s.slotSets
	k.mu.Lock()
	i := slices.IndexFunc(k.recent, func(one slotSet) bool { return one.of == set.Bitmap() })
	if i >= 0 {
		slots := k.recent[i].slots
		k.mu.Unlock()
		return slots
	}
	k.mu.Unlock()
	slots := make(bitset, wordsFor(s.slots))
	dense := bitset(set.Bitmap().ToDense())
	for slot, n := range s.numbers {
		if int(n>>6) >= len(dense) {
			break
		}
		if dense.has(n) {
			slots.set(uint32(slot))
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recent = slices.Insert(k.recent, 0, slotSet{set.Bitmap(), slots})
	k.recent = k.recent[:min(len(k.recent), slotSetsMax)]
	return slots
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
