package embedded

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/index"
)

// counted are the counts of one part's facet values, by the segment's ids.
type counted struct {
	*hits
	rows   []uint32 // by the ids of rows
	cities []uint32 // by the city's id plus 1
}

// of is the counts of a field, by the segment's id.
func (c *counted) of(f field) []uint32 {
	if f == fieldCity {
		return c.cities[1:]
	}
	return c.rows[c.hits.rows.first[f]:c.hits.rows.first[f+1]]
}

// facets counts the matches' values and takes the first of each field.
func (s *snapshot) facets(scratch *arena, found []hits, asked asked) index.Facets {
	all := make([]counted, len(found))
	for i := range found {
		all[i] = found[i].countFacets(scratch, asked)
	}
	top := func(f field) []index.Count { return s.top(scratch, all, f, asked) }
	return index.Facets{
		Countries: top(fieldCountry), States: top(fieldState), Cities: top(fieldCity), Industries: top(fieldIndustry),
		NAICSCodes: top(fieldSector), Technologies: top(fieldTechnology), TechnologyCategories: top(fieldCategory),
		EmployeeCount: bands(all, fieldBand, asked, bandBounds), FoundedYear: bands(all, fieldDecade, asked, decadeBounds),
	}
}

// countFacets counts the matches' rows, or the others' rows where these are fewer: totals less the others are the same.
func (h *hits) countFacets(scratch *arena, asked asked) counted {
	r := &h.rows
	c := counted{hits: h}
	if asked.anyRow() {
		c.rows = scratch.counters(r.ids())
	}
	if asked.fields[fieldCity] {
		c.cities = scratch.counters(len(r.cityTotals))
	}
	if h.count*2 <= h.slots {
		c.countRows(scratch, h.bits, h.count)
		return c
	}
	others := scratch.bits(h.slots)
	others.setFirst(h.slots)
	others.andNot(h.bits)
	c.countRows(scratch, others, h.slots-h.count)
	for i := range c.rows {
		c.rows[i] = r.totals[i] - c.rows[i]
	}
	for i := range c.cities {
		c.cities[i] = r.cityTotals[i] - c.cities[i]
	}
	return c
}

func (c *counted) countRows(scratch *arena, b bitset, n int) {
	slots := b.appendTo(scratch.emptyList(n))
	if n < halvesFrom || !severalCores() {
		c.hits.rows.count(slots, c.rows, c.cities)
		return
	}
	rows, cities := scratch.counters(len(c.rows)), scratch.counters(len(c.cities))
	var second sync.WaitGroup
	second.Go(func() { c.hits.rows.count(slots[n/2:], rows, cities) })
	c.hits.rows.count(slots[:n/2], c.rows, c.cities)
	second.Wait()
	addUp(c.rows, rows)
	addUp(c.cities, cities)
}

// leader is a value on its way into a facet.
type leader struct{ id, count uint32 }

// top is the field's most frequent values over all parts.
func (s *snapshot) top(scratch *arena, all []counted, f field, asked asked) []index.Count {
	if !asked.fields[f] {
		return nil
	}
	var leaders []leader
	switch prefix, narrowed := asked.prefixOf(f); {
	case len(all) == 0:
		return nil
	case len(all) == 1: // the segment's ids are in the order of keys
		counts := all[0].of(f)
		if narrowed {
			from, to := all[0].values[f].prefixed(prefix)
			clear(counts[:from])
			clear(counts[to:])
		}
		leaders = leading(counts, asked.limit, cmp.Compare[uint32])
		for i, l := range leaders {
			leaders[i].id = all[0].global[f].ids[l.id]
		}
	default:
		sum := scratch.counters(len(s.keys[f]))
		for i := range all {
			ids := all[i].global[f].ids
			for local, n := range all[i].of(f) {
				if n > 0 {
					sum[ids[local]] += n
				}
			}
		}
		keys := s.keys[f]
		for id, n := range sum {
			if narrowed && n > 0 && !strings.HasPrefix(keys[id], prefix) {
				sum[id] = 0
			}
		}
		leaders = leading(sum, asked.limit, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
	}
	counts := make([]index.Count, len(leaders))
	for i, l := range leaders {
		counts[i] = index.Count{Value: spell(all, f, l.id), Count: int(l.count)}
	}
	return counts
}

// leading are the first limit ids by count, highest first, then by key.
func leading(counts []uint32, limit int, byKey func(a, b uint32) int) []leader {
	compare := func(a, b leader) int { return cmp.Or(cmp.Compare(b.count, a.count), byKey(a.id, b.id)) }
	var first []leader
	least := uint32(0)
	for id, n := range counts {
		if n == 0 || n < least {
			continue
		}
		l := leader{uint32(id), n}
		at, _ := slices.BinarySearchFunc(first, l, compare)
		if at == limit {
			continue
		}
		if len(first) == limit {
			first = first[:limit-1]
		}
		first = slices.Insert(first, at, l)
		if len(first) == limit {
			least = first[limit-1].count
		}
	}
	return first
}

// spell is the most frequent spelling of a value in the parts that have matches with it.
func spell(all []counted, f field, global uint32) string {
	counts := map[string]uint32{}
	for i := range all {
		local, ok := all[i].local(f, global)
		if !ok || all[i].of(f)[local] == 0 {
			continue
		}
		s := &all[i].values[f].spellings
		if len(all) == 1 {
			text, _ := s.of(s.starts[local])
			return text
		}
		for at := s.starts[local]; at < s.starts[local+1]; at++ {
			text, n := s.of(at)
			counts[text] += n
		}
	}
	return mostFrequent(counts)
}

// mostFrequent is the spelling with the highest count, the lowest one of several.
func mostFrequent(counts map[string]uint32) string {
	best := ""
	for text, n := range counts {
		if m := counts[best]; n > m || n == m && text < best {
			best = text
		}
	}
	return best
}
