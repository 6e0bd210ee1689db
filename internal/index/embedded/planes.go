package embedded

// planes count for 64 columns at once: bit c of planes[k] is bit k of column c's count.
// Columns are added up side by side, a bit of each a word (Harley and Seal's carry-save adders; Mula, Kurz, Lemire 2018).
type planes [32]uint64

// add adds the first word of each of the slots' rows, which are width words long, 16 slots a step.
func (p *planes) add(cells []uint64, width int, slots []uint32) {
	ones, twos, fours, eights := p[0], p[1], p[2], p[3]
	for len(slots) >= 16 {
		s := slots[:16]
		slots = slots[16:]
		word := func(i int) uint64 { return cells[int(s[i])*width] }
		var twosA, twosB, foursA, foursB, eightsA, eightsB, sixteens uint64
		ones, twosA = carrySave(ones, word(0), word(1))
		ones, twosB = carrySave(ones, word(2), word(3))
		twos, foursA = carrySave(twos, twosA, twosB)
		ones, twosA = carrySave(ones, word(4), word(5))
		ones, twosB = carrySave(ones, word(6), word(7))
		twos, foursB = carrySave(twos, twosA, twosB)
		fours, eightsA = carrySave(fours, foursA, foursB)
		ones, twosA = carrySave(ones, word(8), word(9))
		ones, twosB = carrySave(ones, word(10), word(11))
		twos, foursA = carrySave(twos, twosA, twosB)
		ones, twosA = carrySave(ones, word(12), word(13))
		ones, twosB = carrySave(ones, word(14), word(15))
		twos, foursB = carrySave(twos, twosA, twosB)
		fours, eightsB = carrySave(fours, foursA, foursB)
		eights, sixteens = carrySave(eights, eightsA, eightsB)
		p.carry(4, sixteens)
	}
	p[0], p[1], p[2], p[3] = ones, twos, fours, eights
	for _, slot := range slots {
		p.carry(0, cells[int(slot)*width])
	}
}

// carrySave adds three bits in each place.
func carrySave(a, b, c uint64) (sum, carry uint64) {
	u := a ^ b
	return u ^ c, a&b | u&c
}

// carry adds a word to the planes from the k-th on.
func (p *planes) carry(k int, w uint64) {
	for ; w != 0; k++ {
		p[k], w = p[k]^w, p[k]&w
	}
}

// count is the column's count, which takes no more than so many bits.
func (p *planes) count(column, bits int) (n uint32) {
	for k, plane := range p[:bits] {
		n |= uint32(plane>>column&1) << k
	}
	return n
}
