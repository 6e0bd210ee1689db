package embedded

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
)

// unknown is the value of a slot without a number in a column of numbers.
const unknown = math.MinInt64

// ints is a column of numbers with its sort order.
type ints struct {
	values      []int64
	order       []uint32 // the slots with a known value, by value, then slot
	valueStarts bitset   // the indexes in order where a new value begins
}

func newInts(values []int64) ints {
	type pair struct {
		value int64
		slot  uint32
	}
	known := make([]pair, 0, len(values))
	for slot, v := range values {
		if v != unknown {
			known = append(known, pair{v, uint32(slot)})
		}
	}
	slices.SortFunc(known, func(a, b pair) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return int(a.slot) - int(b.slot)
	})
	order := make([]uint32, len(known))
	for i, p := range known {
		order[i] = p.slot
	}
	return orderedInts(values, order)
}

func orderedInts(values []int64, order []uint32) ints {
	return ints{values, order, valueStartsOf(order, func(a, b uint32) bool { return values[a] == values[b] })}
}

// valueStartsOf returns the indexes in order where a new value begins.
func valueStartsOf(order []uint32, same func(a, b uint32) bool) bitset {
	firsts := make(bitset, wordsFor(len(order)))
	for i, slot := range order {
		if i == 0 || !same(order[i-1], slot) {
			firsts.set(uint32(i))
		}
	}
	return firsts
}

// inRange returns the part of order with values from low to high, both inclusive.
func (c *ints) inRange(low, high *int64) []uint32 {
	from, to := 0, len(c.order)
	if low != nil {
		from = c.seek(*low)
	}
	if high != nil && *high < math.MaxInt64 {
		to = c.seek(*high + 1)
	}
	return c.order[from:max(from, to)]
}

// seek returns the index in order of the first value that is at least v.
func (c *ints) seek(v int64) int {
	i, _ := slices.BinarySearchFunc(c.order, v, func(slot uint32, v int64) int { return cmp.Compare(c.values[slot], v) })
	return i
}

// names is the column of folded names with its sort order.
type names struct {
	bytes []byte
	ends  []uint32 // where each slot's name ends in bytes
	order []uint32 // the slots with a name, by name, then slot
	// The indexes in order where a new name begins.
	valueStarts bitset
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

// withPrefix returns the slots whose name is the given one or, with prefix, begins with it, in the order of the names.
func (n *names) withPrefix(name string, prefix bool) []uint32 {
	matches := func(slot uint32) bool {
		return string(n.name(slot)) == name || prefix && bytes.HasPrefix(n.name(slot), []byte(name))
	}
	from, _ := slices.BinarySearchFunc(n.order, name, func(slot uint32, name string) int { return strings.Compare(string(n.name(slot)), name) })
	rest := n.order[from:] // those that match come first
	to, _ := slices.BinarySearchFunc(rest, true, func(slot uint32, _ bool) int {
		if matches(slot) {
			return -1
		}
		return 1
	})
	return rest[:to]
}

func (n *names) sort() {
	type head struct {
		key  uint64
		slot uint32
	}
	heads := make([]head, 0, len(n.ends))
	for slot := range uint32(len(n.ends)) {
		if name := n.name(slot); len(name) > 0 {
			heads = append(heads, head{keyPrefix(name), slot})
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
	n.setValueStarts()
}

func (n *names) setValueStarts() {
	n.valueStarts = valueStartsOf(n.order, func(a, b uint32) bool { return bytes.Equal(n.name(a), n.name(b)) })
}
