package embedded

import (
	"bytes"
	"encoding/binary"
)

// dict holds distinct keys, ascending by their bytes; a key's place is its id within the segment.
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

// seek is the id of the first key that is not below the given one; it may be len.
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

// prefixed is the span of ids, end excluded, of the keys that start with the prefix.
func (d *dict) prefixed(prefix string) (from, to int) {
	from = d.seek(prefix)
	to = from
	for to < d.len() && bytes.HasPrefix(d.key(to), []byte(prefix)) {
		to++
	}
	return from, to
}

// mergeDicts unites dicts; ids[i][k] is what key k of source i became.
func mergeDicts(sources []*dict) (merged dict, ids [][]uint32) {
	ids = make([][]uint32, len(sources))
	at, heads := make([]int, len(sources)), make([]uint64, len(sources))
	var queue mergeQueue
	bytesMax, keysMax := 0, 0
	for i, s := range sources {
		ids[i] = make([]uint32, s.len())
		if s.len() > 0 {
			queue.items = append(queue.items, i)
			heads[i] = headOf(s.key(0))
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
			heads[i] = headOf(sources[i].key(at[i]))
		}
		queue.advance(more)
	}
	return merged, ids
}

// headOf is the first 8 bytes of a key as a number that orders like them.
func headOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var p [8]byte
	copy(p[:], key)
	return binary.BigEndian.Uint64(p[:])
}

// without drops the keys whose id is marked; ids is the new id of each old one that stays.
func (d *dict) without(drop func(id int) bool) (kept dict, ids []uint32) {
	ids = make([]uint32, d.len())
	for i := range ids {
		if ids[i] = uint32(kept.len()); !drop(i) {
			kept.add(d.key(i))
		}
	}
	return kept, ids
}
