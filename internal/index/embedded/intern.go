package embedded

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// interner numbers distinct keys as they come. It replaces a map of strings while a segment is made: flat memory, no
// string per key.
type interner struct {
	table []uint64 // hash's high half and the key's number plus 1, at the hash or the next free place; 0 is free
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

// id is the key's number; the key is copied if it is a fresh one.
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

// ranked is the dict of the keys, and the id in it of each by its number.
func (n *interner) ranked() (dict, []uint32) {
	type head struct {
		key uint64
		id  uint32
	}
	heads := make([]head, n.len())
	for i := range heads {
		heads[i] = head{headOf(n.key(uint32(i))), uint32(i)}
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
