package embedded

import "bytes"

func (m *merging) ints(f intField) ints {
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

func (m *merging) names() names {
	size := 0
	for i := range m.parts {
		size += len(m.parts[i].names.bytes)
	}
	n := names{bytes: make([]byte, 0, size), ends: make([]uint32, 0, len(m.from))}
	for _, o := range m.from {
		if o.part == none {
			n.add(nil)
			continue
		}
		n.add(m.parts[o.part].names.name(o.slot))
	}
	orders := make([][]uint32, len(m.parts))
	for i := range m.parts {
		orders[i] = m.parts[i].names.order
	}
	n.order = m.order(orders, func(a, b uint32) int { return bytes.Compare(n.name(a), n.name(b)) })
	n.markFirsts()
	return n
}

// order merges the parts' orders into one of the new slots, ties by slot.
func (m *merging) order(orders [][]uint32, compare func(a, b uint32) int) []uint32 {
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
