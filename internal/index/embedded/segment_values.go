package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// values holds a field's distinct folded values, the slots that have each, and how companies spell them.
type values struct {
	dict
	postings
	spellings spellings
}

func (v *values) len() int { return v.dict.len() }

// spellings holds the original spellings of each value, the most frequent first.
type spellings struct {
	starts []uint32 // by value: index of its first spelling in ends and counts; one more entry for the end
	counts []uint32 // number of companies with this spelling
	ends   []uint32 // where each spelling ends in bytes
	bytes  []byte
}

// at returns the i-th spelling and its count.
func (s *spellings) at(i uint32) (string, uint32) {
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return string(s.bytes[start:s.ends[i]]), s.counts[i]
}

// sole returns the value's spelling, or nil if there are several.
func (s *spellings) sole(value int) []byte {
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

func (v *values) addSpellings(counts map[string]uint32, key int, left uint32) {
	s := &v.spellings
	for i := s.starts[key]; i < s.starts[key+1]; i++ {
		text, n := s.at(i)
		counts[text] += max(1, uint32(uint64(n)*uint64(left)/uint64(v.count(key))))
	}
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

// valueBuilder collects a field's values. Companies must be added in the order of their slots.
type valueBuilder struct {
	fold func(string) string

	spelled interner
	counts  []uint32 // by spelling
	keyOf   []uint32 // by spelling

	keys interner
	last []uint32 // by key: the last slot that has it

	pairs pairs
}

// pairs holds which slot has which key, in ascending order of slots.
type pairs struct{ slots, keys []uint32 }

func newValueBuilder(fold func(string) string) *valueBuilder {
	return &valueBuilder{fold: fold}
}

// add records that the slot's company has the value. It returns the key's number, which finish maps to its rank.
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

// finish returns the section. Afterwards the builder's pairs refer to keys by rank.
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

// invert returns the pairs as postings; all keys must be below n.
func (p *pairs) invert(n, slots int) postings {
	counts := make([]uint32, n)
	for _, k := range p.keys {
		counts[k]++
	}
	post, fill := allocPostings(counts, slots)
	for i, k := range p.keys {
		fill.add(k, p.slots[i])
	}
	return post
}

// dict holds distinct keys in byte order. A key's index is its id within the segment.
type dict struct {
	bytes []byte
	ends  []uint32 // where each key ends; the first starts at 0
}

func (d *dict) len() int { return len(d.ends) }

func (d *dict) key(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.bytes[start:d.ends[i]:d.ends[i]]
}

func (d *dict) add(key []byte) {
	d.bytes = append(d.bytes, key...)
	d.ends = append(d.ends, uint32(len(d.bytes)))
}

// seek returns the id of the first key that is at least the given one, or len if all keys are lower.
func (d *dict) seek(key string) int {
	low, high := 0, d.len()
	for low < high {
		mid := int(uint(low+high) >> 1)
		if string(d.key(mid)) < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

func (d *dict) find(key string) (int, bool) {
	i := d.seek(key)
	return i, i < d.len() && string(d.key(i)) == key
}

// prefixRange returns the ids of the keys with the prefix, from inclusive, to exclusive.
func (d *dict) prefixRange(prefix string) (from, to int) {
	from = d.seek(prefix)
	low, high := from, d.len()
	for low < high {
		mid := int(uint(low+high) >> 1)
		if bytes.HasPrefix(d.key(mid), []byte(prefix)) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return from, low
}

// mergeDicts returns the union of the sources; ids[i][k] is the new id of key k of source i.
func mergeDicts(sources []*dict) (merged dict, ids [][]uint32) {
	ids = make([][]uint32, len(sources))
	at, heads := make([]int, len(sources)), make([]uint64, len(sources))
	var queue mergeQueue
	bytesMax, keysMax := 0, 0
	for i, s := range sources {
		ids[i] = make([]uint32, s.len())
		if s.len() > 0 {
			queue.items = append(queue.items, i)
			heads[i] = keyPrefix(s.key(0))
		}
		bytesMax, keysMax = max(bytesMax, len(s.bytes)), max(keysMax, s.len())
	}
	merged.bytes, merged.ends = make([]byte, 0, bytesMax), make([]uint32, 0, keysMax)
	queue.less = func(a, b int) bool {
		if heads[a] != heads[b] {
			return heads[a] < heads[b]
		}
		c := bytes.Compare(sources[a].key(at[a]), sources[b].key(at[b]))
		return c < 0 || c == 0 && a < b
	}
	queue.init()
	for len(queue.items) > 0 {
		i := queue.items[0]
		key := sources[i].key(at[i])
		if n := merged.len(); n == 0 || !bytes.Equal(merged.key(n-1), key) {
			merged.add(key)
		}
		ids[i][at[i]] = uint32(merged.len() - 1)
		at[i]++
		more := at[i] < sources[i].len()
		if more {
			heads[i] = keyPrefix(sources[i].key(at[i]))
		}
		queue.advance(more)
	}
	return merged, ids
}

// keyPrefix returns the first 8 bytes of a key as a number that sorts like them.
func keyPrefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var p [8]byte
	copy(p[:], key)
	return binary.BigEndian.Uint64(p[:])
}

// without returns a copy without the keys for which drop returns true, and the new id of each key that is kept.
func (d *dict) without(drop func(id int) bool) (kept dict, ids []uint32) {
	ids = make([]uint32, d.len())
	for i := range ids {
		if ids[i] = uint32(kept.len()); !drop(i) {
			kept.add(d.key(i))
		}
	}
	return kept, ids
}

// postings stores the slots that have each key of a dict: as an ascending list, or as a bit set where that is smaller. A
// posting's position, the start of its key plus its rank within the key, indexes data stored per posting.
type postings struct {
	starts  []uint32 // by key: position of its first posting; one more entry for the end
	offsets []uint32 // by key: where its list starts in lists, or the index of its set in sets
	lists   []uint32
	sets    []uint64 // wordsFor(slots) words each
	slots   int
}

// allocPostings allocates counts[k] postings for each key k, to be added through the filler.
func allocPostings(counts []uint32, slots int) (postings, postingsFiller) {
	p := postings{starts: make([]uint32, len(counts)+1), offsets: make([]uint32, len(counts)), slots: slots}
	lists, sets := uint32(0), uint32(0)
	for k, n := range counts {
		p.starts[k+1] = p.starts[k] + n
		if p.dense(k) {
			p.offsets[k] = sets
			sets++
		} else {
			p.offsets[k] = lists
			lists += n
		}
	}
	p.lists = make([]uint32, lists)
	p.sets = make([]uint64, int(sets)*wordsFor(slots))
	return p, postingsFiller{p, make([]uint32, len(counts))}
}

func (p *postings) count(k int) int { return int(p.starts[k+1] - p.starts[k]) }

// counts returns the number of postings of each key.
func (p *postings) counts() []uint32 {
	counts := make([]uint32, len(p.offsets))
	for k := range counts {
		counts[k] = uint32(p.count(k))
	}
	return counts
}

// dense reports whether the key's slots are a bit set, because a list of 4 bytes per slot would be larger than slots/8
// bytes.
func (p *postings) dense(k int) bool { return p.count(k)*32 > p.slots }

func (p *postings) set(k int) bitset {
	w := wordsFor(p.slots)
	at := int(p.offsets[k]) * w
	return p.sets[at : at+w : at+w]
}

func (p *postings) list(k int) []uint32 {
	at, n := int(p.offsets[k]), p.count(k)
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

// each yields the key's slots in ascending order, with the positions of their postings.
func (p *postings) each(k int, yield func(slot, pos uint32)) {
	pos := p.starts[k]
	if !p.dense(k) {
		for i, slot := range p.list(k) {
			yield(slot, pos+uint32(i))
		}
		return
	}
	for i, w := range p.set(k) {
		for ; w != 0; w &= w - 1 {
			yield(uint32(i)<<6+uint32(bits.TrailingZeros64(w)), pos)
			pos++
		}
	}
}

// postingsFiller fills allocated postings; the slots of each key must be added in ascending order.
type postingsFiller struct {
	postings
	filled []uint32
}

// add returns the position of the new posting.
func (f *postingsFiller) add(k, slot uint32) uint32 {
	i := f.filled[k]
	f.filled[k]++
	start, count := f.starts[k], f.starts[k+1]-f.starts[k]
	if int(count)*32 > f.slots {
		f.sets[int(f.offsets[k])*wordsFor(f.slots)+int(slot>>6)] |= 1 << (slot & 63)
	} else {
		f.lists[f.offsets[k]+i] = slot
	}
	return start + i
}

// countIn returns how many of the key's slots are in b.
func (p *postings) countIn(key int, b bitset) uint32 {
	if p.dense(key) {
		return uint32(p.set(key).countAnd(b))
	}
	n := 0
	for _, slot := range p.list(key) {
		n += int(b[slot>>6] >> (slot & 63) & 1)
	}
	return uint32(n)
}

// anyIn reports whether any of the key's slots is in b.
func (p *postings) anyIn(key int, b bitset) bool {
	if p.dense(key) {
		for i, w := range p.set(key) {
			if w&b[i] != 0 {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(p.list(key), b.has)
}

// seeker finds the postings of a key for slots that are asked for in ascending order.
type seeker struct {
	start uint32 // the position of the first posting

	set          bitset // nil if the postings are a list
	word, before uint32 // before: set bits in the words before word

	list []uint32
	at   int // the first posting in the list that may be asked for
}

func (p *postings) seeker(key int) seeker {
	if p.dense(key) {
		return seeker{start: p.starts[key], set: p.set(key)}
	}
	return seeker{start: p.starts[key], list: p.list(key)}
}

// seek returns the position of the slot's posting; ok is false if it has none.
func (s *seeker) seek(slot uint32) (pos uint32, ok bool) {
	if s.set == nil {
		return s.seekInList(slot)
	}
	if !s.set.has(slot) {
		return 0, false
	}
	for ; s.word < slot>>6; s.word++ {
		s.before += uint32(bits.OnesCount64(s.set[s.word]))
	}
	below := s.set[s.word] & (1<<(slot&63) - 1)
	return s.start + s.before + uint32(bits.OnesCount64(below)), true
}

// seekInList doubles its steps, because a list is often much longer than what is asked for.
func (s *seeker) seekInList(slot uint32) (pos uint32, ok bool) {
	list, low, step := s.list, s.at, 1
	for low+step < len(list) && list[low+step] < slot {
		low += step
		step *= 2
	}
	i, found := slices.BinarySearch(list[low:min(low+step+1, len(list))], slot)
	s.at = low + i
	return s.start + uint32(s.at), found
}

// intersect yields the indexes of the elements that two ascending lists have in common.
func intersect(a, b []uint32, yield func(i, j int)) {
	if len(b) == 0 {
		return
	}
	i, _ := slices.BinarySearch(a, b[0])
	for j, slot := range b {
		if len(a)-i > 16*(len(b)-j) {
			skip, _ := slices.BinarySearch(a[i:], slot)
			i += skip
		}
		for i < len(a) && a[i] < slot {
			i++
		}
		if i == len(a) {
			return
		}
		if a[i] == slot {
			yield(i, j)
		}
	}
}
