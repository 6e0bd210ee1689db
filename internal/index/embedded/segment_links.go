package embedded

import (
	"bytes"
	"math"
	"slices"

	"github.com/opencapi/capi/internal/id"
)

// links holds the connections, sorted by the company they lead to. A target's key is its domain, a NUL byte and, if known,
// its 16-byte id, so the targets of one domain are adjacent.
type links struct {
	targets    dict
	starts     []uint32 // by target: index of its first link; one more entry for the end
	slots      []uint32 // the slots that have each link, by target, then slot
	categories []uint8  // the category of each link, an id of fieldConnectionCategory, in 1, 2 or 4 bytes
	byID       []uint32 // the targets with an id, sorted by id
}

var idLen = len(id.Company{}.UUID)

func appendTarget(p []byte, domain string, company id.Company) []byte {
	p = append(append(p, domain...), 0)
	if company.IsZero() {
		return p
	}
	return append(p, company.UUID[:]...)
}

// targetID returns the id in a target's key; empty if it is unknown.
func targetID(key []byte) []byte { return key[bytes.IndexByte(key, 0)+1:] }

// link is one connection while a segment is built.
type link struct{ slot, target, category uint32 }

// newLinks returns the section for links whose targets and categories are final. The links of one target must be in the
// order of slots.
func newLinks(targets dict, all []link) links {
	l := links{targets: targets, starts: make([]uint32, targets.len()+1)}
	most := uint32(0)
	for _, one := range all {
		most = max(most, one.category)
	}
	width := categoryWidth(most)
	l.slots, l.categories = make([]uint32, len(all)), make([]uint8, len(all)*width)
	for _, one := range all {
		l.starts[one.target+1]++
	}
	for t := range targets.len() {
		l.starts[t+1] += l.starts[t]
	}
	next := slices.Clone(l.starts)
	for _, one := range all {
		at := next[one.target]
		next[one.target]++
		l.slots[at] = one.slot
		for i := range width {
			l.categories[int(at)*width+i] = uint8(one.category >> (8 * i))
		}
	}
	l.sortByID()
	return l
}

// categoryWidth returns the number of bytes per category if most is the highest one.
func categoryWidth(most uint32) int {
	switch {
	case most <= math.MaxUint8:
		return 1
	case most <= math.MaxUint16:
		return 2
	}
	return 4
}

// category returns the category of the i-th link.
func (l *links) category(i uint32) (c uint32) {
	width := len(l.categories) / len(l.slots)
	for k, b := range l.categories[int(i)*width:][:width] {
		c |= uint32(b) << (8 * k)
	}
	return c
}

func (l *links) sortByID() {
	type head struct {
		id     uint64 // its first 8 bytes
		target uint32
	}
	heads := make([]head, 0, l.targets.len())
	for t := range l.targets.len() {
		if key := targetID(l.targets.key(t)); len(key) > 0 {
			heads = append(heads, head{keyPrefix(key), uint32(t)})
		}
	}
	slices.SortFunc(heads, func(a, b head) int {
		switch {
		case a.id < b.id:
			return -1
		case a.id > b.id:
			return 1
		}
		return bytes.Compare(targetID(l.targets.key(int(a.target))), targetID(l.targets.key(int(b.target))))
	})
	l.byID = make([]uint32, len(heads))
	for i, h := range heads {
		l.byID[i] = h.target
	}
}

// eachTarget calls fn with the targets that match the domain and the company, whichever are given.
func (l *links) eachTarget(domain string, company id.Company, fn func(target int)) {
	if company.IsZero() {
		from, to := l.targets.prefixRange(domain + "\x00")
		for t := from; t < to; t++ {
			fn(t)
		}
		return
	}
	from, _ := slices.BinarySearchFunc(l.byID, company.UUID[:], func(t uint32, want []byte) int {
		return bytes.Compare(targetID(l.targets.key(int(t))), want)
	})
	for _, t := range l.byID[from:] {
		key := l.targets.key(int(t))
		if !bytes.Equal(targetID(key), company.UUID[:]) {
			return
		}
		if domain == "" || string(key[:bytes.IndexByte(key, 0)]) == domain {
			fn(int(t))
		}
	}
}

// linkBuilder collects links. Companies must be added in the order of their slots.
type linkBuilder struct {
	targets interner
	all     []link
	key     []byte
}

func (b *linkBuilder) add(slot uint32, domain string, company id.Company, category uint32) {
	b.key = appendTarget(b.key[:0], domain, company)
	target, _ := b.targets.id(b.key)
	b.all = append(b.all, link{slot, target, category})
}

// finish returns the section; categoryRank maps categories to their final ids.
func (b *linkBuilder) finish(categoryRank []uint32) links {
	targets, rank := b.targets.ranked()
	for i := range b.all {
		b.all[i].target, b.all[i].category = rank[b.all[i].target], categoryRank[b.all[i].category]
	}
	return newLinks(targets, b.all)
}
