package embedded

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// run iterates over a part's matches in the result order, the matches with one key at a time.
type run struct {
	*hits
	key      uint64
	head     uint32   // one of the slots with the key
	slots    []uint32 // the matches with the key, ascending
	nonEmpty bool     // the first advance found matches
	next     func(r *run, limit int) bool
	// collect appends the first k matches and the one after them to numbers, which must be empty, and returns the k-th one's
	// key. It replaces advance if there is a single part.
	collect func(r *run, numbers []company.Number, k int) ([]company.Number, uint64)
}

// advance moves to the next key with a match and loads up to limit of its matches. It returns false at the end. If a key has
// more matches than the limit, the rest may be skipped, so only the last call may be limited.
func (r *run) advance(limit int) bool { return r.next(r, limit) }

// entry is a match to select from. Entries sort by key, then by full name if sorted by name, then by number.
type entry struct {
	key    uint64
	number uint32
	slot   uint32
}

// entriesRun returns a run over sorted entries.
func (o *order) entriesRun(h *hits, entries []entry) run {
	r := run{hits: h}
	r.next = func(r *run, limit int) bool {
		r.slots = r.slots[:0]
		for ; len(entries) > 0 && len(r.slots) < limit; entries = entries[1:] {
			e := entries[0]
			if len(r.slots) > 0 && (e.key != r.key || o.sort.By == query.ByName && e.key != nullKey &&
				string(r.names.name(e.slot)) != string(r.names.name(r.head))) {
				break
			}
			r.key, r.head = e.key, e.slot
			r.slots = append(r.slots, e.slot)
		}
		return len(r.slots) > 0
	}
	r.collect = func(_ *run, numbers []company.Number, k int) ([]company.Number, uint64) {
		if len(entries) == 0 {
			return numbers, 0
		}
		for _, e := range entries[:min(k+1, len(entries))] {
			numbers = append(numbers, company.Number(e.number))
		}
		return numbers, entries[min(k, len(entries))-1].key
	}
	return r
}

// orderScan iterates over a column's sort order, then over the slots without a value.
type orderScan struct {
	*order
	column
	rest         []uint32  // the part of the sort order that is still to be scanned
	skipped      int       // the number of slots before rest
	unknownBegun bool      // the slots without a value were loaded
	after        *position // nil once the scan is past it

	selectInstead func() run // fallback of a single part if matches turn out to be sparse
}

// scanRun returns a run that scans a column's sort order.
func (o *order) scanRun(c column, h *hits, k int, after *position) run {
	w := &orderScan{order: o, column: c, rest: c.ordered(), after: after}
	w.selectInstead = func() run { return o.selectRun(c, h, k, after) }
	switch {
	case after == nil:
	case after.key == nullKey:
		w.rest = nil
	case o.sort.Desc:
		w.rest = w.rest[:c.seek(after, true, true)]
	default:
		w.skipped = c.seek(after, false, false)
		w.rest = w.rest[w.skipped:]
	}
	return run{hits: h, next: w.next, collect: w.collect}
}

func (w *orderScan) collect(r *run, numbers []company.Number, k int) ([]company.Number, uint64) {
	kth, left := uint32(0), scanShare*r.count
	for len(w.rest) > 0 && len(numbers) <= k {
		group := w.nextGroup()
		if left -= len(group); left < 0 {
			other := w.selectInstead()
			return other.collect(&other, numbers[:0], k)
		}
		if w.after != nil {
			group = w.afterPosition(r.hits, group)
		}
		for _, slot := range group {
			if !r.bits.has(slot) {
				continue
			}
			if len(numbers) < k {
				kth = slot
			}
			if numbers = append(numbers, company.Number(r.number(slot))); len(numbers) > k {
				break
			}
		}
	}
	if len(numbers) <= k && w.loadUnknown(r, k+1-len(numbers)) {
		for _, slot := range r.slots {
			if len(numbers) < k {
				kth = slot
			}
			numbers = append(numbers, company.Number(r.number(slot)))
		}
	}
	return numbers, w.key(kth, w.order.sort.Desc)
}

func (w *orderScan) next(r *run, limit int) bool {
	for len(w.rest) > 0 {
		group := w.nextGroup()
		if w.after != nil {
			group = w.afterPosition(r.hits, group)
		}
		r.slots = r.slots[:0]
		for _, slot := range group {
			if r.bits.has(slot) {
				if r.slots = append(r.slots, slot); len(r.slots) == limit {
					break
				}
			}
		}
		if len(r.slots) > 0 {
			r.head = r.slots[0]
			r.key = w.key(r.head, w.order.sort.Desc)
			return true
		}
	}
	if w.unknownBegun {
		return false
	}
	w.unknownBegun = true
	return w.loadUnknown(r, limit)
}

// nextGroup takes the slots with the next value.
func (w *orderScan) nextGroup() (slots []uint32) {
	if w.order.sort.Desc {
		start := w.starts().lastUpTo(len(w.rest) - 1)
		slots, w.rest = w.rest[start:], w.rest[:start]
		return slots
	}
	end := w.starts().firstFrom(w.skipped+1, w.skipped+len(w.rest)) - w.skipped
	slots, w.rest, w.skipped = w.rest[:end], w.rest[end:], w.skipped+end
	return slots
}

// afterPosition returns the slots of the group that come after the position.
func (w *orderScan) afterPosition(h *hits, group []uint32) []uint32 {
	switch c := w.compareTo(w.after, h, w.key(group[0], w.order.sort.Desc), group[0]); {
	case c < 0:
		return nil
	case c == 0:
		from, _ := slices.BinarySearch(group, h.slotFrom(w.after.number+1))
		return group[from:]
	}
	w.after = nil
	return group
}

// loadUnknown loads the matches without a value.
func (w *orderScan) loadUnknown(r *run, limit int) bool {
	first := uint32(0)
	if w.after != nil && w.after.key == nullKey {
		first = r.slotFrom(w.after.number + 1)
	}
	r.key, r.slots = nullKey, r.slots[:0]
	for i := int(first >> 6); i < len(r.bits); i++ {
		word := r.bits[i]
		if i == int(first>>6) {
			word &= ^uint64(0) << (first & 63)
		}
		for ; word != 0 && len(r.slots) < limit; word &= word - 1 {
			if slot := uint32(i<<6 + bits.TrailingZeros64(word)); w.key(slot, w.order.sort.Desc) == nullKey {
				r.slots = append(r.slots, slot)
			}
		}
		if len(r.slots) == limit {
			break
		}
	}
	return len(r.slots) > 0
}

// column is a section of a segment that can be sorted by.
type column interface {
	ordered() []uint32                 // the slots with a value, by value, then slot
	key(slot uint32, desc bool) uint64 // nullKey without a value
	// seek returns the index in ordered of the first slot whose value is at least the position's or, if above is set,
	// greater.
	seek(to *position, above, desc bool) int
	// starts returns the indexes in ordered where a new value begins.
	starts() bitset
}

type intColumn struct{ *ints }

func (c intColumn) ordered() []uint32              { return c.order }
func (c intColumn) key(s uint32, desc bool) uint64 { return intKey(c.values[s], desc) }
func (c intColumn) starts() bitset                 { return c.valueStarts }
func (c intColumn) seek(to *position, above, desc bool) int {
	v := intOfKey(to.key, desc)
	if above && v == math.MaxInt64 {
		return len(c.order)
	}
	if above {
		v++
	}
	return c.ints.seek(v)
}

// intKey maps a number to a key that ascends in the sort's direction. As unknown is the lowest number, no known one maps to
// nullKey.
func intKey(v int64, desc bool) uint64 {
	switch {
	case v == unknown:
		return nullKey
	case desc:
		return ^(uint64(v) ^ signBit)
	}
	return (uint64(v) ^ signBit) - 1
}

const signBit = 1 << 63

// intOfKey returns the number of a key, which must not be nullKey.
func intOfKey(key uint64, desc bool) int64 {
	if desc {
		return int64(^key ^ signBit)
	}
	return int64((key + 1) ^ signBit)
}

type nameColumn struct{ *names }

func (c nameColumn) ordered() []uint32 { return c.order }

// key returns the first bytes of the name, in the sort's direction. No folded name begins with eight bytes of 0 or 255, so
// no key of a name is nullKey.
func (c nameColumn) key(s uint32, desc bool) uint64 {
	name := c.name(s)
	switch {
	case len(name) == 0:
		return nullKey
	case desc:
		return ^keyPrefix(name)
	}
	return keyPrefix(name)
}

func (c nameColumn) starts() bitset { return c.valueStarts }

func (c nameColumn) seek(to *position, above, _ bool) int {
	if above {
		return c.search(to.name, 1)
	}
	return c.search(to.name, 0)
}

// search returns the index of the first name whose comparison with the given one is at least least.
func (c nameColumn) search(name []byte, least int) int {
	return sort.Search(len(c.order), func(i int) bool { return bytes.Compare(c.name(c.order[i]), name) >= least })
}
