package embedded

import (
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// storedSets returns all sets that a query names.
func storedSets(n query.Node) (sets []company.Set) {
	var parts []query.Node
	switch n := n.(type) {
	case query.InSet:
		return []company.Set{n.Set}
	case query.Not:
		return storedSets(n.Node)
	case query.Within:
		return storedSets(n.Node)
	case query.And:
		parts = n
	case query.Or:
		parts = n
	}
	for _, part := range parts {
		sets = append(sets, storedSets(part)...)
	}
	return sets
}

// keepSet removes the slots whose company is not in the set.
func (e evaluator) keepSet(found bitset, within company.Set) {
	if e.numbers != nil {
		set := within.Bitmap()
		for _, slot := range found.appendTo(e.list(e.slots)) {
			if !set.Contains(e.numbers[slot]) {
				found.clear(slot)
			}
		}
		return
	}
	inside := e.bits(e.slots)
	eachBetween(within.Bitmap(), e.base, e.base+uint32(e.slots), func(n uint32) { inside.set(n - e.base) })
	found.and(inside)
	e.release(inside)
}

// removeSet removes the slots whose company is in the set.
func (e evaluator) removeSet(found bitset, without company.Set) {
	if slots, ok := e.cachedSlots(without); ok {
		found.andNot(slots)
		return
	}
	e.eachSlot(without, found.clear)
}

// addSet adds the slots whose company is in the set.
func (e evaluator) addSet(found bitset, set company.Set) {
	if slots, ok := e.cachedSlots(set); ok {
		found.or(slots)
		return
	}
	e.eachSlot(set, found.set)
}

// cachedSlots returns the set as slots of the segment, which must not be changed; false for a set so small that looking its
// companies up costs less than keeping it.
func (e evaluator) cachedSlots(set company.Set) (bitset, bool) {
	if n := set.Len(); n == 0 || n < e.slots/smallShare {
		return nil, false
	}
	return e.slotsOf(set, lazyDense(set)), true
}

// smallShare is the share of a segment's slots below which a set is looked up company by company. Otherwise, sets that clients send
// once would drive the sets of workspaces out of the cache.
const smallShare = 256

// eachSlot yields the slots whose company is in the set.
func (e evaluator) eachSlot(set company.Set, yield func(slot uint32)) {
	if e.slots == 0 {
		return
	}
	eachBetween(set.Bitmap(), e.number(0), e.number(uint32(e.slots-1))+1, func(n uint32) {
		if slot, ok := e.slot(company.Number(n)); ok {
			yield(slot)
		}
	})
}

// eachBetween yields the set's numbers from low, inclusive, to high, exclusive.
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

// countOwned returns the number of matches that are in the set. Once the set is cached as slots, the cost depends only on
// the size of the index: one AND per 64 slots.
func countOwned(found []hits, set company.Set) (n int) {
	if set.IsEmpty() {
		return 0
	}
	dense := lazyDense(set)
	for i := range found {
		n += found[i].slotsOf(set, dense).countAnd(found[i].bits)
	}
	return n
}

// lazyDense returns a function that converts the set to one bit per number on its first call.
func lazyDense(set company.Set) func() bitset {
	return sync.OnceValue(func() bitset { return set.Bitmap().ToDense() })
}

// slotSetCache holds the sets that were last converted to a segment's slots, the latest first.
type slotSetCache struct {
	mu     sync.Mutex
	recent []slotSet
}

type slotSet struct {
	of     *roaring.Bitmap
	slots  bitset
	counts *setCounts // nil until they are asked for
}

// slotSetsMax is the number of sets, one per workspace, that are cached per segment.
const slotSetsMax = 16

func (k *slotSetCache) get(of *roaring.Bitmap) (bitset, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.recent, func(one slotSet) bool { return one.of == of })
	if i < 0 {
		return nil, false
	}
	one := k.recent[i]
	copy(k.recent[1:], k.recent[:i])
	k.recent[0] = one
	return one.slots, true
}

func (k *slotSetCache) put(of *roaring.Bitmap, slots bitset) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recent = slices.Insert(k.recent, 0, slotSet{of: of, slots: slots})
	k.recent = k.recent[:min(len(k.recent), slotSetsMax)]
}

// slotsOf returns the set as slots of the segment. It is computed once for each state of a workspace's unlocks.
func (s *segment) slotsOf(set company.Set, dense func() bitset) bitset {
	if slots, ok := s.slotSetCache.get(set.Bitmap()); ok {
		return slots
	}
	slots := make(bitset, wordsFor(s.slots))
	switch {
	case s.slots < lookUpMax: // too few slots to build the dense set
		for slot := range uint32(s.slots) {
			if set.Has(company.Number(s.number(slot))) {
				slots.set(slot)
			}
		}
	case s.numbers == nil:
		if all := dense(); int(s.base>>6) < len(all) {
			copy(slots, all[s.base>>6:])
			if left := s.slots & 63; left > 0 {
				slots[len(slots)-1] &= 1<<left - 1 // the next numbers belong to other segments
			}
		}
	default:
		all := dense()
		for slot, n := range s.numbers {
			if int(n>>6) < len(all) && all.has(n) {
				slots.set(uint32(slot))
			}
		}
	}
	s.slotSetCache.put(set.Bitmap(), slots)
	return slots
}

// Segments with fewer slots than lookUpMax look each one up in the set.
const lookUpMax = 4096
