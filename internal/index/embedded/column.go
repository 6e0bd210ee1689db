package embedded

import (
	"bytes"
	"math"
	"sort"
)

// column is a segment's section that can be sorted by.
type column interface {
	sorted() []uint32                  // the slots with a value, by value, then slot
	key(slot uint32, desc bool) uint64 // nullKey without a value
	// seek is the place in sorted of the first slot whose value is not below the given place's, or above it.
	seek(to *after, above, desc bool) int
	// places are those in sorted where each value begins.
	places() bitset
}

type intColumn struct{ *ints }

func (c intColumn) sorted() []uint32               { return c.order }
func (c intColumn) key(s uint32, desc bool) uint64 { return intKey(c.values[s], desc) }
func (c intColumn) places() bitset                 { return c.firsts }
func (c intColumn) seek(to *after, above, desc bool) int {
	v := intOfKey(to.key, desc)
	if above && v == math.MaxInt64 {
		return len(c.order)
	}
	if above {
		v++
	}
	return c.ints.seek(v)
}

// intKey maps a number so that keys ascend in the sort's direction. Unknown is the least number, so that no known one
// comes out as nullKey.
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

// intOfKey is the number of a key that is not nullKey.
func intOfKey(key uint64, desc bool) int64 {
	if desc {
		return int64(^key ^ signBit)
	}
	return int64((key + 1) ^ signBit)
}

type nameColumn struct{ *names }

func (c nameColumn) sorted() []uint32 { return c.order }

// key is the name's head in the sort's direction. No folded name begins with eight bytes of 0 or 255.
func (c nameColumn) key(s uint32, desc bool) uint64 {
	name := c.name(s)
	switch {
	case len(name) == 0:
		return nullKey
	case desc:
		return ^headOf(name)
	}
	return headOf(name)
}

func (c nameColumn) places() bitset { return c.firsts }

func (c nameColumn) seek(to *after, above, _ bool) int {
	if above {
		return c.search(to.name, 1)
	}
	return c.search(to.name, 0)
}

// search is the place of the first name that compares with the given one as least or more.
func (c nameColumn) search(name []byte, least int) int {
	return sort.Search(len(c.order), func(i int) bool { return bytes.Compare(c.name(c.order[i]), name) >= least })
}
