package embedded

import (
	"cmp"
	"runtime"
	"slices"
)

// merging is the making of one segment out of parts, section by section, without the companies' records.
type merging struct {
	parts  []part
	layout layout
	slots  [][]uint32 // of each part's slots: the new slot, none for the dead
	from   []origin   // of each new slot: whence it came
}

// origin is a slot of a part; a hole has none.
type origin struct{ part, slot uint32 }

// merge makes one segment of what is alive in the parts; nil if nothing is. A company is alive in one part at most. The
// parts' groups must have been verified. With a file to write to, no more than one group is in memory at a time.
func merge(parts []part, to *writing) (*segment, error) {
	defer runtime.KeepAlive(parts)
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.number(0), b.number(0)) })
	m := newMerging(parts)
	if m.layout.slots == 0 {
		return nil, to.abandon()
	}
	s := &segment{slots: m.layout.slots, base: m.layout.base, numbers: m.layout.numbers, holes: m.layout.holes}
	m.layout.slotOf = nil
	var ids [fieldCount][][]uint32
	var holders [facetFields][]uint32
	for f := range s.values {
		s.values[f], ids[f] = m.values(field(f))
		if field(f) < facetFields {
			holders[f] = s.values[f].holders()
		}
		to.put(s, only(whoOf(field(f))))
	}
	s.words = m.words()
	to.put(s, only(groupWords))
	s.links = m.links(ids[fieldRelation])
	to.put(s, only(groupLinks))
	for f := range s.ints {
		s.ints[f] = m.ints(intField(f))
		to.put(s, only(intsOf(intField(f))))
	}
	s.names = m.names()
	to.put(s, only(groupNames))
	s.rows = m.rows(holders, ids)
	to.put(s, only(groupRows, groupTotals))
	if to == nil {
		return s, nil
	}
	for f := range fieldCount {
		to.put(s, only(keysOf(f)))
	}
	to.put(s, only(groupLayout))
	return to.finish()
}

func newMerging(parts []part) *merging {
	m := &merging{parts: parts}
	var numbers []uint32
	var alive []origin
	var queue mergeQueue
	lists, at := make([][]uint32, len(parts)), make([]int, len(parts))
	for i := range parts {
		if lists[i] = aliveSlots(&parts[i]); len(lists[i]) > 0 {
			queue.items = append(queue.items, i)
		}
	}
	head := func(i int) uint32 { return parts[i].number(lists[i][at[i]]) }
	queue.less = func(a, b int) bool { return head(a) < head(b) }
	queue.init()
	for len(queue.items) > 0 {
		i := queue.items[0]
		numbers = append(numbers, head(i))
		alive = append(alive, origin{uint32(i), lists[i][at[i]]})
		at[i]++
		queue.advance(at[i] < len(lists[i]))
	}
	m.layout = layOut(numbers)
	m.place(alive)
	return m
}

func aliveSlots(p *part) []uint32 {
	alive := make(bitset, wordsFor(p.slots))
	alive.setFirst(p.slots)
	for _, slot := range p.dead {
		alive.clear(slot)
	}
	return alive.appendTo(make([]uint32, 0, p.companies()))
}

// place fills slots and from.
func (m *merging) place(alive []origin) {
	m.from = make([]origin, m.layout.slots)
	for i := range m.from {
		m.from[i].part = none
	}
	m.slots = make([][]uint32, len(m.parts))
	for i := range m.slots {
		m.slots[i] = slices.Repeat([]uint32{none}, m.parts[i].slots)
	}
	for i, o := range alive {
		slot := m.layout.slotOf[i]
		m.from[slot] = o
		m.slots[o.part][o.slot] = slot
	}
}

// inverted merges dicts and their postings; keys without a posting left are dropped. marks are those of
// each part's postings, if they have any; ids is what each part's keys became.
func (m *merging) inverted(dicts []*dict, posts []*postings, marks [][]mark) (dict, postings, []mark, [][]uint32) {
	all, ids := mergeDicts(dicts)
	out := postingMerger{slots: m.layout.slots, withMarks: marks != nil}
	out.grow(posts, all.len())
	at := make([]int, len(dicts))
	empty := make([]bool, all.len())
	for k := range all.len() {
		for i := range dicts {
			if at[i] == len(ids[i]) || ids[i][at[i]] != uint32(k) {
				continue
			}
			out.gather(posts[i], at[i], m.slots[i], marksOf(marks, i))
			at[i]++
		}
		empty[k] = !out.flush()
	}
	kept, newIDs := all.without(func(id int) bool { return empty[id] })
	for _, of := range ids {
		for i := range of {
			of[i] = newIDs[of[i]]
		}
	}
	return kept, out.finish(), out.marks, ids
}

func marksOf(marks [][]mark, i int) []mark {
	if marks == nil {
		return nil
	}
	return marks[i]
}

func (m *merging) values(f field) (values, [][]uint32) {
	dicts, posts := make([]*dict, len(m.parts)), make([]*postings, len(m.parts))
	for i := range m.parts {
		v := &m.parts[i].values[f]
		dicts[i], posts[i] = &v.dict, &v.postings
	}
	var merged values
	var ids [][]uint32
	merged.dict, merged.postings, _, ids = m.inverted(dicts, posts, nil)
	m.spellings(f, &merged, ids)
	return merged, ids
}

// spellings adds up the spellings of each value, in proportion to what is left alive of it in each part.
func (m *merging) spellings(f field, merged *values, ids [][]uint32) {
	at := make([]int, len(m.parts))
	for k := range merged.len() {
		counts := map[string]uint32{}
		for i := range m.parts {
			v := &m.parts[i].values[f]
			for ; at[i] < len(ids[i]) && ids[i][at[i]] <= uint32(k); at[i]++ {
				if left := m.left(i, v, at[i]); left > 0 {
					v.addSpellings(counts, at[i], left)
				}
			}
		}
		all := make([]spelling, 0, len(counts))
		for s, n := range counts {
			all = append(all, spelling{s, n})
		}
		merged.spellings.add(all)
	}
}

// left is how many of the value's companies are alive.
func (m *merging) left(i int, v *values, key int) uint32 {
	if len(m.parts[i].dead) == len(m.parts[i].holes) {
		return uint32(v.count(key))
	}
	n := uint32(0)
	v.each(key, func(slot, _ uint32) {
		if m.slots[i][slot] != none {
			n++
		}
	})
	return n
}

func (v *values) addSpellings(counts map[string]uint32, key int, left uint32) {
	s := &v.spellings
	for i := s.starts[key]; i < s.starts[key+1]; i++ {
		text, n := s.of(i)
		counts[text] += max(1, uint32(uint64(n)*uint64(left)/uint64(v.count(key))))
	}
}

func (m *merging) rows(holders [facetFields][]uint32, ids [fieldCount][][]uint32) rows {
	r := newRowBuilder(holders, len(m.from))
	renamed := make([][]uint32, len(m.parts))
	for i := range m.parts {
		renamed[i] = m.rowIDs(i, &r.rows, ids)
	}
	var row []uint32
	for slot, o := range m.from {
		row = row[:0]
		if o.part != none {
			old := &m.parts[o.part].rows
			row = old.appendIDs(row, o.slot)
			for i, id := range row {
				row[i] = renamed[o.part][id]
			}
			if c := old.city[o.slot]; c > 0 {
				r.city[slot] = ids[fieldCity][o.part][c-1] + 1
			}
		}
		r.add(row)
	}
	return r.finish()
}

// rowIDs is what each id of a part's rows becomes.
func (m *merging) rowIDs(i int, r *rows, ids [fieldCount][][]uint32) []uint32 {
	old := &m.parts[i].rows
	renamed := make([]uint32, old.ids())
	for f := range rowFields {
		for k, id := range ids[f][i] {
			renamed[old.first[f]+uint32(k)] = r.first[f] + id
		}
	}
	return renamed
}
