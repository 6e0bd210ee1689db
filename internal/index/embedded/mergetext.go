package embedded

func (m *merging) words() words {
	n := len(m.parts)
	dicts, posts, marks := make([]*dict, n), make([]*postings, n), make([][]mark, n)
	for i := range m.parts {
		w := &m.parts[i].words
		dicts[i], posts[i], marks[i] = &w.dict, &w.postings, w.marks
	}
	var merged words
	var ids [][]uint32
	merged.dict, merged.postings, merged.marks, ids = m.inverted(dicts, posts, marks)
	merged.ends = make([]uint32, 0, m.layout.slots)
	merged.nameLen = make([]uint8, m.layout.slots)
	merged.stream = make([]uint32, 0, m.streamLen())
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

func (m *merging) streamLen() int {
	n := 0
	for i := range m.parts {
		n += len(m.parts[i].words.stream)
	}
	return n
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
