package embedded

import (
	"math/bits"
	"slices"
)

// postingMerger builds merged postings, one key at a time.
type postingMerger struct {
	postings
	slots           int
	withOccurrences bool
	occurrences     []occurrence // by position of the posting

	found  []uint64 // of the current key: slot << 16 | occurrence
	sorted bool     // found is in ascending order so far

	seen   bitset       // scratch for frequent keys
	bySlot []occurrence // scratch for frequent keys
}

// grow allocates capacity for the postings of the sources.
func (m *postingMerger) grow(sources []*postings, keys int) {
	lists, all := 0, 0
	for _, p := range sources {
		lists += len(p.lists)
		all += int(p.starts[len(p.starts)-1])
	}
	m.starts, m.offsets = append(make([]uint32, 0, keys+1), 0), make([]uint32, 0, keys)
	m.lists = make([]uint32, 0, lists)
	if m.withOccurrences {
		m.occurrences = make([]occurrence, 0, all)
	}
}

// add adds one part's postings of the current key.
func (m *postingMerger) add(p *postings, key int, slots []uint32, occurrences []occurrence) {
	if len(m.found) == 0 {
		m.sorted = true
	}
	p.each(key, func(slot, pos uint32) {
		to := slots[slot]
		if to == none {
			return
		}
		packed := uint64(to) << 16
		if occurrences != nil {
			packed |= uint64(occurrences[pos])
		}
		if n := len(m.found); n > 0 && m.found[n-1] > packed {
			m.sorted = false
		}
		m.found = append(m.found, packed)
	})
}

// endKey ends the current key and reports whether it has any posting. A key without postings gets no entry.
func (m *postingMerger) endKey() bool {
	if len(m.found) == 0 {
		return false
	}
	if !m.sorted {
		m.sort()
	}
	if len(m.found)*32 > m.slots {
		words := wordsFor(m.slots)
		m.offsets = append(m.offsets, uint32(len(m.sets)/words))
		m.sets = append(m.sets, make([]uint64, words)...)
		set := bitset(m.sets[len(m.sets)-words:])
		for _, f := range m.found {
			set.set(uint32(f >> 16))
		}
	} else {
		m.offsets = append(m.offsets, uint32(len(m.lists)))
		for _, f := range m.found {
			m.lists = append(m.lists, uint32(f>>16))
		}
	}
	if m.withOccurrences {
		for _, f := range m.found {
			m.occurrences = append(m.occurrences, occurrence(f))
		}
	}
	m.starts = append(m.starts, m.starts[len(m.starts)-1]+uint32(len(m.found)))
	m.found = m.found[:0]
	return true
}

// sort sorts found. Large lists go through a bit set, which takes a single pass.
func (m *postingMerger) sort() {
	if len(m.found)*64 < m.slots {
		slices.Sort(m.found)
		return
	}
	if m.seen == nil {
		m.seen, m.bySlot = make(bitset, wordsFor(m.slots)), make([]occurrence, m.slots)
	}
	for _, f := range m.found {
		m.seen.set(uint32(f >> 16))
		m.bySlot[f>>16] = occurrence(f)
	}
	m.found = m.found[:0]
	for i, w := range m.seen {
		for ; w != 0; w &= w - 1 {
			slot := uint64(i)<<6 + uint64(bits.TrailingZeros64(w))
			m.found = append(m.found, slot<<16|uint64(m.bySlot[slot]))
		}
		m.seen[i] = 0
	}
}

func (m *postingMerger) finish() postings {
	p := m.postings
	p.slots = m.slots
	return p
}

// mergeQueue is a binary heap for k-way merges; items[0] is the source whose head comes first.
type mergeQueue struct {
	items []int
	less  func(a, b int) bool
}

func (q *mergeQueue) init() {
	for i := len(q.items)/2 - 1; i >= 0; i-- {
		q.sink(i)
	}
}

// advance restores the heap after the first source's head was taken; more says whether that source has another.
func (q *mergeQueue) advance(more bool) {
	if !more {
		last := len(q.items) - 1
		q.items[0] = q.items[last]
		q.items = q.items[:last]
	}
	q.sink(0)
}

func (q *mergeQueue) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(q.items) {
			return
		}
		if right := child + 1; right < len(q.items) && q.less(q.items[right], q.items[child]) {
			child = right
		}
		if !q.less(q.items[child], q.items[i]) {
			return
		}
		q.items[i], q.items[child] = q.items[child], q.items[i]
		i = child
	}
}
