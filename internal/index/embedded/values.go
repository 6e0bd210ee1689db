package embedded

import (
	"cmp"
	"slices"
	"strings"
)

// values are a field's distinct folded values, the slots that have each, and how companies spell them.
type values struct {
	dict
	postings
	spellings spellings
}

func (v *values) len() int { return v.dict.len() }

// spellings hold the original spellings of each value, the most frequent first.
type spellings struct {
	starts []uint32 // of each value in ends and counts, and the end of the last
	counts []uint32 // companies that spell it so
	ends   []uint32 // where each spelling ends in bytes
	bytes  []byte
}

// of is the i-th spelling and its count.
func (s *spellings) of(i uint32) (string, uint32) {
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return string(s.bytes[start:s.ends[i]]), s.counts[i]
}

// only is the value's spelling where there is but one.
func (s *spellings) only(value int) []byte {
	at := s.starts[value]
	if s.starts[value+1] != at+1 {
		return nil
	}
	start := uint32(0)
	if at > 0 {
		start = s.ends[at-1]
	}
	return s.bytes[start:s.ends[at]]
}

type spelling struct {
	text  string
	count uint32
}

// add appends the next value's spellings.
func (s *spellings) add(all []spelling) {
	if len(s.starts) == 0 {
		s.starts = append(s.starts, 0)
	}
	slices.SortFunc(all, func(a, b spelling) int {
		return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.text, b.text))
	})
	for _, one := range all {
		s.counts = append(s.counts, one.count)
		s.bytes = append(s.bytes, one.text...)
		s.ends = append(s.ends, uint32(len(s.bytes)))
	}
	s.starts = append(s.starts, uint32(len(s.counts)))
}

// valueBuilder gathers a field's values while companies come in the order of their slots.
type valueBuilder struct {
	fold func(string) string

	spelled interner
	counts  []uint32 // of each spelling
	keyOf   []uint32 // of each spelling

	keys interner
	last []uint32 // of each key, the latest slot that has it

	pairs pairs
}

// pairs say which slot has which key, by ascending slot.
type pairs struct{ slots, keys []uint32 }

func newValueBuilder(fold func(string) string) *valueBuilder {
	return &valueBuilder{fold: fold}
}

// add notes that the slot's company has the value; it tells the key's number, which finish will turn into its rank.
func (b *valueBuilder) add(slot uint32, raw string) uint32 {
	at, fresh := b.spelled.id([]byte(raw))
	if fresh {
		key, freshKey := b.keys.id([]byte(b.fold(raw)))
		if freshKey {
			b.last = append(b.last, none)
		}
		b.keyOf, b.counts = append(b.keyOf, key), append(b.counts, 0)
	}
	key := b.keyOf[at]
	if b.last[key] != slot {
		b.last[key] = slot
		b.counts[at]++
		b.pairs.slots = append(b.pairs.slots, slot)
		b.pairs.keys = append(b.pairs.keys, key)
	}
	return key
}

// finish makes the section; the builder's pairs then name keys by rank.
func (b *valueBuilder) finish(slots int) (v values, rank []uint32) {
	v.dict, rank = b.keys.ranked()
	for i, k := range b.pairs.keys {
		b.pairs.keys[i] = rank[k]
	}
	v.postings = b.pairs.invert(v.dict.len(), slots)
	byKey := make([][]spelling, v.dict.len())
	for i, n := range b.counts {
		if n > 0 {
			k := rank[b.keyOf[i]]
			byKey[k] = append(byKey[k], spelling{string(b.spelled.key(uint32(i))), n})
		}
	}
	for _, all := range byKey {
		v.spellings.add(all)
	}
	return v, rank
}

// invert turns the pairs around; keys are below n.
func (p *pairs) invert(n, slots int) postings {
	counts := make([]uint32, n)
	for _, k := range p.keys {
		counts[k]++
	}
	post, fill := layPostings(counts, slots)
	for i, k := range p.keys {
		fill.add(k, p.slots[i])
	}
	return post
}
