package embedded

import "math/bits"

// postings hold for each key of a dict the slots that have it: as an ascending list, or as a bit set where that is
// smaller. A posting's place among all, start of the key plus rank within it, indexes what stands beside it.
type postings struct {
	starts []uint32 // of each key, and the end of the last
	place  []uint32 // of each key: where its list starts in lists, or which of sets it is
	lists  []uint32
	sets   []uint64 // each of wordsFor(slots) words
	slots  int
}

// layPostings makes room for counts[k] postings of each key k, to be filled in.
func layPostings(counts []uint32, slots int) (postings, filler) {
	p := postings{starts: make([]uint32, len(counts)+1), place: make([]uint32, len(counts)), slots: slots}
	lists, sets := uint32(0), uint32(0)
	for k, n := range counts {
		p.starts[k+1] = p.starts[k] + n
		if p.dense(k) {
			p.place[k] = sets
			sets++
		} else {
			p.place[k] = lists
			lists += n
		}
	}
	p.lists = make([]uint32, lists)
	p.sets = make([]uint64, int(sets)*wordsFor(slots))
	return p, filler{p, make([]uint32, len(counts))}
}

func (p *postings) count(k int) int { return int(p.starts[k+1] - p.starts[k]) }

// holders are the counts of all keys.
func (p *postings) holders() []uint32 {
	counts := make([]uint32, len(p.place))
	for k := range counts {
		counts[k] = uint32(p.count(k))
	}
	return counts
}

// dense holds for keys whose slots stand as a bit set: 4 bytes a slot are more than slots/8 bytes.
func (p *postings) dense(k int) bool { return p.count(k)*32 > p.slots }

func (p *postings) set(k int) bitset {
	w := wordsFor(p.slots)
	at := int(p.place[k]) * w
	return p.sets[at : at+w : at+w]
}

func (p *postings) list(k int) []uint32 {
	at, n := int(p.place[k]), p.count(k)
	return p.lists[at : at+n : at+n]
}

// orInto adds the key's slots to b.
func (p *postings) orInto(k int, b bitset) {
	if p.dense(k) {
		b.or(p.set(k))
		return
	}
	for _, slot := range p.list(k) {
		b.set(slot)
	}
}

// each yields the key's slots, ascending, with their place among all postings.
func (p *postings) each(k int, yield func(slot, place uint32)) {
	place := p.starts[k]
	if !p.dense(k) {
		for i, slot := range p.list(k) {
			yield(slot, place+uint32(i))
		}
		return
	}
	for i, w := range p.set(k) {
		for ; w != 0; w &= w - 1 {
			yield(uint32(i)<<6+uint32(bits.TrailingZeros64(w)), place)
			place++
		}
	}
}

// filler fills the room that layPostings made; a key's slots must come in ascending order.
type filler struct {
	postings
	filled []uint32
}

// add gives the place of the new posting among all.
func (f *filler) add(k, slot uint32) uint32 {
	i := f.filled[k]
	f.filled[k]++
	start, count := f.starts[k], f.starts[k+1]-f.starts[k]
	if int(count)*32 > f.slots {
		f.sets[int(f.place[k])*wordsFor(f.slots)+int(slot>>6)] |= 1 << (slot & 63)
	} else {
		f.lists[f.place[k]+i] = slot
	}
	return start + i
}

// countShared is how many of the key's slots are in b.
func (p *postings) countShared(key int, b bitset) uint32 {
	if p.dense(key) {
		return uint32(p.set(key).countShared(b))
	}
	n := 0
	for _, slot := range p.list(key) {
		n += int(b[slot>>6] >> (slot & 63) & 1)
	}
	return uint32(n)
}
