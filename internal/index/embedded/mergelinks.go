package embedded

func (m *merging) links(categoryIDs [][]uint32) links {
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
		inOrder = inOrder && (i == 0 || m.disjoint(i-1, i))
	}
	targets, newIDs := all.without(func(id int) bool { return !used[id] })
	for i := range kept {
		kept[i].target = newIDs[kept[i].target]
	}
	if !inOrder {
		kept = bySlot(kept, m.layout.slots)
	}
	return newLinks(targets, kept)
}

// bySlot sorts links by slot.
func bySlot(all []link, slots int) []link {
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

// eachLink yields the living links of a part, target by target, with their new slots.
func (m *merging) eachLink(i int, yield func(target uint32, one link)) {
	l := &m.parts[i].links
	for t := range uint32(l.targets.len()) {
		for p := l.starts[t]; p < l.starts[t+1]; p++ {
			if slot := m.slots[i][l.slots[p]]; slot != none {
				yield(t, link{slot: slot, category: l.category(p)})
			}
		}
	}
}

// disjoint holds if all of part a's numbers are below all of part b's.
func (m *merging) disjoint(a, b int) bool {
	pa, pb := &m.parts[a], &m.parts[b]
	return pa.number(uint32(pa.slots-1)) < pb.number(0)
}
