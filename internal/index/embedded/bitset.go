package embedded

import "math/bits"

// bitset is a set of a segment's slots, one bit each.
type bitset []uint64

func wordsFor(slots int) int { return (slots + 63) / 64 }

func (b bitset) set(slot uint32)      { b[slot>>6] |= 1 << (slot & 63) }
func (b bitset) clear(slot uint32)    { b[slot>>6] &^= 1 << (slot & 63) }
func (b bitset) has(slot uint32) bool { return b[slot>>6]>>(slot&63)&1 != 0 }

// setFirst adds the slots below n.
func (b bitset) setFirst(n int) {
	for i := range n / 64 {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[n/64] |= 1<<(n%64) - 1
	}
}

func (b bitset) and(o bitset) {
	o = o[:len(b)]
	for i := range b {
		b[i] &= o[i]
	}
}

func (b bitset) andNot(o bitset) {
	o = o[:len(b)]
	for i := range b {
		b[i] &^= o[i]
	}
}

func (b bitset) or(o bitset) {
	o = o[:len(b)]
	for i := range b {
		b[i] |= o[i]
	}
}

func (b bitset) count() int {
	n := 0
	for len(b) >= 4 {
		four := b[:4]
		n += bits.OnesCount64(four[0]) + bits.OnesCount64(four[1]) + bits.OnesCount64(four[2]) + bits.OnesCount64(four[3])
		b = b[4:]
	}
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// countAnd returns the number of slots in both sets.
func (b bitset) countAnd(o bitset) int {
	n := 0
	o = o[:len(b)]
	for len(b) >= 4 && len(o) >= 4 {
		four, others := b[:4], o[:4]
		n += bits.OnesCount64(four[0]&others[0]) + bits.OnesCount64(four[1]&others[1]) +
			bits.OnesCount64(four[2]&others[2]) + bits.OnesCount64(four[3]&others[3])
		b, o = b[4:], o[4:]
	}
	for i, w := range b {
		n += bits.OnesCount64(w & o[i])
	}
	return n
}

// countAndBoth returns the number of slots of the set that are in a, and that are in o.
func (b bitset) countAndBoth(a, o bitset) (inA, inO int) {
	a, o = a[:len(b)], o[:len(b)]
	for i, w := range b {
		inA += bits.OnesCount64(w & a[i])
		inO += bits.OnesCount64(w & o[i])
	}
	return inA, inO
}

// lastUpTo returns the highest slot up to i, which must exist.
func (b bitset) lastUpTo(i int) int {
	w := b[i>>6] << (63 - i&63)
	for w == 0 {
		i = i&^63 - 1
		w = b[i>>6]
	}
	return i - bits.LeadingZeros64(w)
}

// firstFrom returns the lowest slot from i on, or end if the set has no slot from i to end.
func (b bitset) firstFrom(i, end int) int {
	if i >= end {
		return end
	}
	w := b[i>>6] >> (i & 63)
	for w == 0 {
		if i = i&^63 + 64; i >= end {
			return end
		}
		w = b[i>>6]
	}
	return min(i+bits.TrailingZeros64(w), end)
}

// appendTo appends the slots in ascending order.
func (b bitset) appendTo(slots []uint32) []uint32 {
	for i, w := range b {
		for at := uint32(i) << 6; w != 0; w &= w - 1 {
			slots = append(slots, at+uint32(bits.TrailingZeros64(w)))
		}
	}
	return slots
}

// keepBetween removes the slots whose value is out of bounds; both bounds are inclusive.
func (b bitset) keepBetween(values []int64, low, high int64) {
	for i, w := range b {
		for rest := w; rest != 0; rest &= rest - 1 {
			bit := bits.TrailingZeros64(rest)
			if v := values[i<<6+bit]; v < low || v > high {
				w &^= 1 << bit
			}
		}
		b[i] = w
	}
}
