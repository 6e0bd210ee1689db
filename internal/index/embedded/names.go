package embedded

import (
	"bytes"
	"slices"
)

// names are the folded names and the order by them.
type names struct {
	bytes []byte
	ends  []uint32 // where each slot's name ends
	order []uint32 // the slots with a name, by name, then slot
	// firsts are the places in order where each name begins.
	firsts bitset
}

func (n *names) add(folded []byte) {
	n.bytes = append(n.bytes, folded...)
	n.ends = append(n.ends, uint32(len(n.bytes)))
}

func (n *names) name(slot uint32) []byte {
	start := uint32(0)
	if slot > 0 {
		start = n.ends[slot-1]
	}
	return n.bytes[start:n.ends[slot]]
}

func (n *names) sort() {
	type head struct {
		key  uint64
		slot uint32
	}
	heads := make([]head, 0, len(n.ends))
	for slot := range uint32(len(n.ends)) {
		if name := n.name(slot); len(name) > 0 {
			heads = append(heads, head{headOf(name), slot})
		}
	}
	slices.SortFunc(heads, func(a, b head) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		if c := bytes.Compare(n.name(a.slot), n.name(b.slot)); c != 0 {
			return c
		}
		return int(a.slot) - int(b.slot)
	})
	n.order = make([]uint32, len(heads))
	for i, h := range heads {
		n.order[i] = h.slot
	}
	n.markFirsts()
}

func (n *names) markFirsts() {
	n.firsts = firstsOf(n.order, func(a, b uint32) bool { return bytes.Equal(n.name(a), n.name(b)) })
}
