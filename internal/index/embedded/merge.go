package embedded

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
)

// segmentMerge merges parts into one segment, section by section, without the companies' records.
type segmentMerge struct {
	parts  []part
	layout layout
	slots  [][]uint32 // by part and old slot: the new slot, none for deleted ones
	from   []origin   // by new slot: the old one
}

// origin is a slot of a part. For a hole, part equals none.
type origin struct{ part, slot uint32 }

// merge returns one segment with the live companies of the parts, nil if no company is live. A company must be live in at
// most one part, and the parts' groups must have been verified. If it writes to a file, at most one group is in memory at a
// time.
func merge(parts []part, to *fileWriter) (*segment, error) {
	defer runtime.KeepAlive(parts)
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.number(0), b.number(0)) })
	m := newSegmentMerge(parts)
	if m.layout.slots == 0 {
		return nil, to.discard()
	}
	s := &segment{slots: m.layout.slots, base: m.layout.base, numbers: m.layout.numbers, holes: m.layout.holes}
	m.layout.slotOf = nil
	var ids [fieldCount][][]uint32
	var holders [facetFields][]uint32
	for f := range s.values {
		s.values[f], ids[f] = m.values(field(f))
		if field(f) < facetFields {
			holders[f] = s.values[f].counts()
		}
		to.writeGroups(s, groupSet(holdersOf(field(f))))
	}
	s.words = m.words()
	to.writeGroups(s, groupSet(groupWords))
	s.links = m.links(ids[fieldConnectionCategory])
	to.writeGroups(s, groupSet(groupLinks))
	for f := range s.ints {
		s.ints[f] = m.ints(intField(f))
		to.writeGroups(s, groupSet(intsOf(intField(f))))
	}
	s.names = m.names(func(s *segment) *names { return &s.names })
	to.writeGroups(s, groupSet(groupNames))
	s.domains = m.names(func(s *segment) *names { return &s.domains })
	to.writeGroups(s, groupSet(groupDomains))
	s.rows = m.rows(holders, ids)
	to.writeGroups(s, groupSet(groupRows, groupTotals))
	if to == nil {
		return s, nil
	}
	for f := range fieldCount {
		to.writeGroups(s, groupSet(keysOf(f)))
	}
	to.writeGroups(s, groupSet(groupLayout))
	return to.finish()
}

func newSegmentMerge(parts []part) *segmentMerge {
	m := &segmentMerge{parts: parts}
	var numbers []uint32
	var live []origin
	var queue mergeQueue
	lists, at := make([][]uint32, len(parts)), make([]int, len(parts))
	for i := range parts {
		if lists[i] = liveSlots(&parts[i]); len(lists[i]) > 0 {
			queue.items = append(queue.items, i)
		}
	}
	head := func(i int) uint32 { return parts[i].number(lists[i][at[i]]) }
	queue.less = func(a, b int) bool { return head(a) < head(b) }
	queue.init()
	for len(queue.items) > 0 {
		i := queue.items[0]
		numbers = append(numbers, head(i))
		live = append(live, origin{uint32(i), lists[i][at[i]]})
		at[i]++
		queue.advance(at[i] < len(lists[i]))
	}
	m.layout = newLayout(numbers)
	m.from = make([]origin, m.layout.slots)
	for i := range m.from {
		m.from[i].part = none
	}
	m.slots = make([][]uint32, len(parts))
	for i := range m.slots {
		m.slots[i] = slices.Repeat([]uint32{none}, parts[i].slots)
	}
	for i, o := range live {
		slot := m.layout.slotOf[i]
		m.from[slot] = o
		m.slots[o.part][o.slot] = slot
	}
	return m
}

func liveSlots(p *part) []uint32 {
	live := make(bitset, wordsFor(p.slots))
	live.setFirst(p.slots)
	for _, slot := range p.deleted {
		live.clear(slot)
	}
	return live.appendTo(make([]uint32, 0, p.companies()))
}

// inverted merges dicts with their postings and drops keys without postings. occurrences are those of each part's postings,
// or nil. The last result is the new id of each part's keys.
func (m *segmentMerge) inverted(
	dicts []*dict, posts []*postings, occurrences [][]occurrence,
) (dict, postings, []occurrence, [][]uint32) {
	all, ids := mergeDicts(dicts)
	out := postingMerger{slots: m.layout.slots, withOccurrences: occurrences != nil}
	out.grow(posts, all.len())
	at := make([]int, len(dicts))
	empty := make([]bool, all.len())
	for k := range all.len() {
		for i := range dicts {
			if at[i] == len(ids[i]) || ids[i][at[i]] != uint32(k) {
				continue
			}
			var stored []occurrence
			if occurrences != nil {
				stored = occurrences[i]
			}
			out.add(posts[i], at[i], m.slots[i], stored)
			at[i]++
		}
		empty[k] = !out.endKey()
	}
	kept, newIDs := all.without(func(id int) bool { return empty[id] })
	for _, of := range ids {
		for i := range of {
			of[i] = newIDs[of[i]]
		}
	}
	return kept, out.finish(), out.occurrences, ids
}

func (m *segmentMerge) values(f field) (values, [][]uint32) {
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

// spellings adds up the spellings of each value, weighted by the share of its companies that are live in each part.
func (m *segmentMerge) spellings(f field, merged *values, ids [][]uint32) {
	at := make([]int, len(m.parts))
	for k := range merged.len() {
		counts := map[string]uint32{}
		for i := range m.parts {
			v := &m.parts[i].values[f]
			for ; at[i] < len(ids[i]) && ids[i][at[i]] <= uint32(k); at[i]++ {
				if live := m.liveCount(i, v, at[i]); live > 0 {
					v.addSpellings(counts, at[i], live)
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

// liveCount returns how many of the value's companies are live.
func (m *segmentMerge) liveCount(i int, v *values, key int) uint32 {
	if len(m.parts[i].deleted) == len(m.parts[i].holes) {
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

func (m *segmentMerge) rows(holders [facetFields][]uint32, ids [fieldCount][][]uint32) rows {
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

// rowIDs returns the new id of each row id of a part.
func (m *segmentMerge) rowIDs(i int, r *rows, ids [fieldCount][][]uint32) []uint32 {
	old := &m.parts[i].rows
	renamed := make([]uint32, old.ids())
	for f := range rowFields {
		for k, id := range ids[f][i] {
			renamed[old.first[f]+uint32(k)] = r.first[f] + id
		}
	}
	return renamed
}

func (m *segmentMerge) links(categoryIDs [][]uint32) links {
	dicts := make([]*dict, len(m.parts))
	total := 0
	for i := range m.parts {
		dicts[i] = &m.parts[i].links.targets
		total += len(m.parts[i].links.slots)
	}
	all, ids := mergeDicts(dicts)
	kept := make([]link, 0, total)
	used := make([]bool, all.len())
	inOrder := true
	for i := range m.parts {
		m.eachLink(i, func(target uint32, one link) {
			one.target, one.category = ids[i][target], categoryIDs[i][one.category]
			used[one.target] = true
			kept = append(kept, one)
		})
		if i > 0 {
			last := &m.parts[i-1]
			inOrder = inOrder && last.number(uint32(last.slots-1)) < m.parts[i].number(0)
		}
	}
	targets, newIDs := all.without(func(id int) bool { return !used[id] })
	for i := range kept {
		kept[i].target = newIDs[kept[i].target]
	}
	if !inOrder {
		kept = sortBySlot(kept, m.layout.slots)
	}
	return newLinks(targets, kept)
}

// sortBySlot returns the links sorted by slot.
func sortBySlot(all []link, slots int) []link {
	next := make([]uint32, slots+1)
	for _, one := range all {
		next[one.slot+1]++
	}
	for i := range slots {
		next[i+1] += next[i]
	}
	sorted := make([]link, len(all))
	for _, one := range all {
		sorted[next[one.slot]] = one
		next[one.slot]++
	}
	return sorted
}

// eachLink yields the links of a part's live companies by target, with their new slots.
func (m *segmentMerge) eachLink(i int, yield func(target uint32, one link)) {
	l := &m.parts[i].links
	for t := range uint32(l.targets.len()) {
		for p := l.starts[t]; p < l.starts[t+1]; p++ {
			if slot := m.slots[i][l.slots[p]]; slot != none {
				yield(t, link{slot: slot, category: l.category(p)})
			}
		}
	}
}

func (m *segmentMerge) ints(f intField) ints {
	values := make([]int64, len(m.from))
	for slot, o := range m.from {
		values[slot] = unknown
		if o.part != none {
			values[slot] = m.parts[o.part].ints[f].values[o.slot]
		}
	}
	orders := make([][]uint32, len(m.parts))
	for i := range m.parts {
		orders[i] = m.parts[i].ints[f].order
	}
	return orderedInts(values, m.order(orders, func(a, b uint32) int {
		switch va, vb := values[a], values[b]; {
		case va < vb:
			return -1
		case va > vb:
			return 1
		}
		return 0
	}))
}

func (m *segmentMerge) names(of func(*segment) *names) names {
	size := 0
	for i := range m.parts {
		size += len(of(m.parts[i].segment).bytes)
	}
	n := names{bytes: make([]byte, 0, size), ends: make([]uint32, 0, len(m.from))}
	for _, o := range m.from {
		if o.part == none {
			n.add(nil)
			continue
		}
		n.add(of(m.parts[o.part].segment).name(o.slot))
	}
	orders := make([][]uint32, len(m.parts))
	for i := range m.parts {
		orders[i] = of(m.parts[i].segment).order
	}
	n.order = m.order(orders, func(a, b uint32) int { return bytes.Compare(n.name(a), n.name(b)) })
	n.setValueStarts()
	return n
}

// order merges the parts' sort orders into one of new slots; ties are ordered by slot.
func (m *segmentMerge) order(orders [][]uint32, compare func(a, b uint32) int) []uint32 {
	runs := make([][]uint32, len(orders))
	for i, order := range orders {
		runs[i] = make([]uint32, 0, len(order))
	}
	total := 0
	var queue mergeQueue
	for i, order := range orders {
		for _, slot := range order {
			if to := m.slots[i][slot]; to != none {
				runs[i] = append(runs[i], to)
			}
		}
		if total += len(runs[i]); len(runs[i]) > 0 {
			queue.items = append(queue.items, i)
		}
	}
	queue.less = func(a, b int) bool {
		c := compare(runs[a][0], runs[b][0])
		return c < 0 || c == 0 && runs[a][0] < runs[b][0]
	}
	queue.init()
	merged := make([]uint32, 0, total)
	for len(queue.items) > 0 {
		i := queue.items[0]
		merged = append(merged, runs[i][0])
		runs[i] = runs[i][1:]
		queue.advance(len(runs[i]) > 0)
	}
	return merged
}

func (m *segmentMerge) words() words {
	n := len(m.parts)
	dicts, posts, occurrences := make([]*dict, n), make([]*postings, n), make([][]occurrence, n)
	streamLen := 0
	for i := range m.parts {
		w := &m.parts[i].words
		dicts[i], posts[i], occurrences[i] = &w.dict, &w.postings, w.occurrences
		streamLen += len(w.stream)
	}
	var merged words
	var ids [][]uint32
	merged.dict, merged.postings, merged.occurrences, ids = m.inverted(dicts, posts, occurrences)
	merged.ends = make([]uint32, 0, m.layout.slots)
	merged.nameLen = make([]uint8, m.layout.slots)
	merged.stream = make([]uint32, 0, streamLen)
	for slot, o := range m.from {
		if o.part != none {
			w := &m.parts[o.part].words
			merged.addText(w.text(o.slot), ids[o.part])
			merged.nameLen[slot] = w.nameLen[o.slot]
		}
		merged.ends = append(merged.ends, uint32(len(merged.stream)))
	}
	return merged
}

func (w *words) addText(text, ids []uint32) {
	for i, t := range text {
		if t == none {
			w.nameTokens += uint64(i)
			w.descriptionTokens += uint64(len(text) - i - 1)
		} else {
			t = ids[t]
		}
		w.stream = append(w.stream, t)
	}
}
