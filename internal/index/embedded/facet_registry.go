package embedded

import (
	"cmp"
	"slices"
	"sync"
)

// registry assigns every value of the facet fields one id across all segments, so that counts of several segments can be
// added. It only grows, with the number of distinct values, not with the number of companies.
type registry struct {
	mu     sync.Mutex
	fields [facetFields]struct {
		ids map[string]uint32
		keyset
	}
}

// keyset holds a field's keys by global id, as of one snapshot, and how companies spell each value. The spelling is empty if
// companies spell the value differently or did so once.
type keyset struct{ keys, spelled []string }

// keysets holds the keyset of each facet field.
type keysets [facetFields]keyset

// globalIDs maps a segment's ids of facet values to those of the registry and back.
type globalIDs [facetFields]struct {
	ids    []uint32 // the global id of each local id
	sorted []uint32 // the local ids, sorted by global id
}

// register adds the values of a new segment.
func (r *registry) register(s *segment) {
	s.isFrequent = make(bitset, wordsFor(s.rows.ids()))
	for _, id := range s.rows.frequent {
		s.isFrequent.set(id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for f := range r.fields {
		of, values := &r.fields[f], &s.values[f]
		if of.ids == nil {
			of.ids = map[string]uint32{}
		}
		ids, sorted := make([]uint32, values.len()), make([]uint32, values.len())
		var differing []uint32 // ids of values whose spelling differs from the one before
		for i := range ids {
			spelled := values.spellings.sole(i)
			id, ok := of.ids[string(values.key(i))]
			if !ok {
				id = uint32(len(of.keys))
				key := string(values.key(i))
				of.ids[key] = id
				of.keys, of.spelled = append(of.keys, key), append(of.spelled, string(spelled))
			} else if before := of.spelled[id]; before != "" && before != string(spelled) {
				differing = append(differing, id)
			}
			ids[i], sorted[i] = id, uint32(i)
		}
		if len(differing) > 0 { // readers may still use the old slice
			of.spelled = slices.Clone(of.spelled)
			for _, id := range differing {
				of.spelled[id] = ""
			}
		}
		slices.SortFunc(sorted, func(a, b uint32) int { return cmp.Compare(ids[a], ids[b]) })
		s.globalIDs[f].ids, s.globalIDs[f].sorted = ids, sorted
	}
}

// keysets returns copies that are safe to read while the registry grows.
func (r *registry) keysets() (k keysets) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for f := range k {
		k[f] = r.fields[f].keyset
	}
	return k
}

// localID returns the segment's id of a global one; ok is false if the segment does not have the value.
func (s *segment) localID(f field, global uint32) (uint32, bool) {
	g := &s.globalIDs[f]
	i, ok := slices.BinarySearchFunc(g.sorted, global, func(l, want uint32) int { return cmp.Compare(g.ids[l], want) })
	if !ok {
		return 0, false
	}
	return g.sorted[i], true
}
