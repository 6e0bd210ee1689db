package embedded

import (
	"cmp"
	"slices"
	"sync"
)

// registry gives every value of the facet fields one id for all segments, so that their counts add up. It only grows,
// by the distinct values, never by companies.
type registry struct {
	mu     sync.Mutex
	fields [facetFields]struct {
		ids  map[string]uint32
		keys []string
	}
}

// keysets are the keys of each facet field by their global id, as of one moment.
type keysets [facetFields][]string

// globals tell a segment's ids of facet values from the registry's.
type globals [facetFields]struct {
	ids    []uint32 // the global id of each of the segment's
	sorted []uint32 // the segment's ids by their global one
}

// adopt registers the values of a new segment.
func (r *registry) adopt(s *segment) {
	s.isFrequent = make(bitset, wordsFor(s.rows.ids()))
	for _, id := range s.rows.frequent {
		s.isFrequent.set(id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for f := range r.fields {
		of, dict := &r.fields[f], &s.values[f].dict
		if of.ids == nil {
			of.ids = map[string]uint32{}
		}
		ids, sorted := make([]uint32, dict.len()), make([]uint32, dict.len())
		for i := range ids {
			id, ok := of.ids[string(dict.key(i))]
			if !ok {
				id = uint32(len(of.keys))
				key := string(dict.key(i))
				of.ids[key] = id
				of.keys = append(of.keys, key)
			}
			ids[i], sorted[i] = id, uint32(i)
		}
		slices.SortFunc(sorted, func(a, b uint32) int { return cmp.Compare(ids[a], ids[b]) })
		s.global[f].ids, s.global[f].sorted = ids, sorted
	}
}

// keysets are safe to read while the registry grows.
func (r *registry) keysets() (k keysets) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for f := range k {
		k[f] = r.fields[f].keys
	}
	return k
}

// local is the segment's id of a global one.
func (s *segment) local(f field, global uint32) (uint32, bool) {
	g := &s.global[f]
	i, ok := slices.BinarySearchFunc(g.sorted, global, func(l, want uint32) int { return cmp.Compare(g.ids[l], want) })
	if !ok {
		return 0, false
	}
	return g.sorted[i], true
}
