package embedded

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// builder builds a segment. Companies must be added in ascending order of their numbers.
type builder struct {
	layout layout
	next   uint32 // the slot after the last one added

	values  [fieldCount]*valueBuilder
	words   *wordBuilder
	links   *linkBuilder
	ints    [intCount][]int64
	names   names
	domains names
	folded  []byte
}

// build returns a segment of the companies, which must be distinct and in ascending order of their numbers.
func build(companies []*company.Company) *segment {
	numbers := make([]uint32, len(companies))
	for i, c := range companies {
		numbers[i] = uint32(c.Number)
	}
	b := newBuilder(newLayout(numbers))
	for i, c := range companies {
		for slot := b.layout.slotOf[i]; b.next < slot; {
			b.addHole()
		}
		b.add(c)
	}
	return b.finish()
}

func newBuilder(l layout) *builder {
	b := &builder{layout: l, words: newWordBuilder(l.slots), links: &linkBuilder{}}
	for f := range b.values {
		b.values[f] = newValueBuilder(text.Fold)
	}
	for _, f := range []field{fieldSector, fieldBand, fieldDecade} {
		b.values[f] = newValueBuilder(func(key string) string { return key })
	}
	for f := range b.ints {
		b.ints[f] = make([]int64, 0, l.slots)
	}
	b.domains.bytes, b.domains.ends = make([]byte, 0, 16*l.slots), make([]uint32, 0, l.slots)
	b.names.bytes, b.names.ends = make([]byte, 0, 24*l.slots), make([]uint32, 0, l.slots)
	return b
}

// addHole adds a slot without a company.
func (b *builder) addHole() {
	b.words.addHole()
	b.names.add(nil)
	b.domains.add(nil)
	for f := range b.ints {
		b.ints[f] = append(b.ints[f], unknown)
	}
	b.next++
}

func (b *builder) add(c *company.Company) {
	slot := b.next
	b.words.add(slot, c.Name, c.Description)
	b.folded = text.AppendFold(b.folded[:0], c.Name)
	b.names.add(b.folded)
	b.domains.add([]byte(strings.ToLower(c.Domain)))
	for f, v := range [intCount]int64{numberOf(c.EmployeeCount), numberOf(c.FoundedYear), updatedOf(c)} {
		b.ints[f] = append(b.ints[f], v)
	}
	for _, f := range query.Fields {
		if to, ok := fieldOf(f); ok {
			for _, v := range f.Values(c) {
				if v != "" {
					b.values[to].add(slot, v)
				}
			}
		}
	}
	for _, code := range c.NAICSCodes {
		if sector, ok := sectorOf(code); ok {
			b.values[fieldSector].add(slot, sector)
		}
	}
	if c.EmployeeCount != nil {
		b.values[fieldBand].add(slot, bandKeys[bandOf(*c.EmployeeCount)])
	}
	if c.FoundedYear != nil {
		b.values[fieldDecade].add(slot, decadeKey(*c.FoundedYear))
	}
	for _, to := range c.Connections {
		category := b.values[fieldConnectionCategory].add(slot, to.Category)
		b.links.add(slot, strings.ToLower(to.Domain), to.ID, category)
	}
	b.next++
}

func (b *builder) finish() *segment {
	s := &segment{
		slots: b.layout.slots, base: b.layout.base, numbers: b.layout.numbers, holes: b.layout.holes, names: b.names, domains: b.domains,
	}
	var pairs [fieldCount]pairs
	var relationRank []uint32
	for f, vb := range b.values {
		s.values[f], relationRank = vb.finish(s.slots) // fieldConnectionCategory comes last
		pairs[f] = vb.pairs
	}
	s.links = b.links.finish(relationRank)
	s.words = b.words.finish(s.slots)
	for f, values := range b.ints {
		s.ints[f] = newInts(values)
	}
	s.names.sort()
	s.domains.sort()
	s.rows = rowsOf(s, pairs)
	return s
}

// rowsOf builds the rows from the pairs of the facet fields.
func rowsOf(s *segment, pairs [fieldCount]pairs) rows {
	var holders [facetFields][]uint32
	for f := range holders {
		holders[f] = s.values[f].counts()
	}
	r := newRowBuilder(holders, s.slots)
	for i, slot := range pairs[fieldCity].slots {
		r.city[slot] = pairs[fieldCity].keys[i] + 1
	}
	var at [rowFields]int
	var ids []uint32
	for slot := range uint32(s.slots) {
		ids = ids[:0]
		for f := range at {
			p := &pairs[f]
			for ; at[f] < len(p.slots) && p.slots[at[f]] == slot; at[f]++ {
				ids = append(ids, r.first[f]+p.keys[at[f]])
			}
		}
		r.add(ids)
	}
	return r.finish()
}

func numberOf(v *int64) int64 {
	if v == nil {
		return unknown
	}
	return *v
}

func updatedOf(c *company.Company) int64 {
	if c.UpdatedAt.IsZero() || c.UpdatedAt.UnixMicro() == 0 {
		return unknown
	}
	return c.UpdatedAt.UnixMicro()
}

// sectorOf returns the first two digits of a NAICS code.
func sectorOf(code string) (string, bool) {
	code = text.Fold(code)
	if len(code) < 2 || code[0] < '0' || code[0] > '9' || code[1] < '0' || code[1] > '9' {
		return "", false
	}
	return code[:2], true
}

// interner numbers distinct keys in the order in which they come. It replaces a map of strings while a segment is built:
// flat memory, without an allocation per key.
type interner struct {
	table []uint64 // open addressing: upper half of the hash, and the key's number plus 1; 0 is free
	bytes []byte
	ends  []uint32
}

var internSeed = maphash.MakeSeed()

func (n *interner) len() int { return len(n.ends) }

func (n *interner) key(i uint32) []byte {
	start := uint32(0)
	if i > 0 {
		start = n.ends[i-1]
	}
	return n.bytes[start:n.ends[i]]
}

// id returns the key's number. A fresh key is copied.
func (n *interner) id(key []byte) (id uint32, fresh bool) {
	if 2*len(n.ends) >= len(n.table) {
		n.grow()
	}
	hash := maphash.Bytes(internSeed, key)
	mask := uint64(len(n.table) - 1)
	at := hash & mask
	for ; n.table[at] != 0; at = (at + 1) & mask {
		entry := n.table[at]
		if id := uint32(entry) - 1; entry>>32 == hash>>32 && bytes.Equal(n.key(id), key) {
			return id, false
		}
	}
	n.bytes = append(n.bytes, key...)
	n.ends = append(n.ends, uint32(len(n.bytes)))
	n.table[at] = hash>>32<<32 | uint64(len(n.ends))
	return uint32(len(n.ends) - 1), true
}

func (n *interner) grow() {
	n.table = make([]uint64, max(64, 2*len(n.table)))
	mask := uint64(len(n.table) - 1)
	for i := range uint32(len(n.ends)) {
		hash := maphash.Bytes(internSeed, n.key(i))
		at := hash & mask
		for n.table[at] != 0 {
			at = (at + 1) & mask
		}
		n.table[at] = hash>>32<<32 | uint64(i+1)
	}
}

// ranked returns the dict of the keys, and the dict's id of each key by its number.
func (n *interner) ranked() (dict, []uint32) {
	type head struct {
		key uint64
		id  uint32
	}
	heads := make([]head, n.len())
	for i := range heads {
		heads[i] = head{keyPrefix(n.key(uint32(i))), uint32(i)}
	}
	slices.SortFunc(heads, func(a, b head) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return bytes.Compare(n.key(a.id), n.key(b.id))
	})
	d := dict{make([]byte, 0, len(n.bytes)), make([]uint32, 0, n.len())}
	rank := make([]uint32, n.len())
	for i, h := range heads {
		d.add(n.key(h.id))
		rank[h.id] = uint32(i)
	}
	return d, rank
}
