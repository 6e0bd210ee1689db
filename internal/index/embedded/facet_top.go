package embedded

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/index"
)

// leader is a value on its way into a facet.
type leader struct{ id, count uint32 }

// leaders are the first limit values by count, highest first, then by key.
type leaders struct {
	limit int
	least uint32 // what a value needs
	byKey func(a, b uint32) int
	first []leader
}

func newLeaders(limit int, byKey func(a, b uint32) int) *leaders {
	return &leaders{limit: limit, least: 1, byKey: byKey}
}

func (l *leaders) full() bool { return len(l.first) == l.limit }

func (l *leaders) add(id, count uint32) {
	if count >= l.least {
		l.insert(leader{id, count})
	}
}

func (l *leaders) insert(e leader) {
	at := len(l.first)
	for at > 0 && (l.first[at-1].count < e.count || l.first[at-1].count == e.count && l.byKey(e.id, l.first[at-1].id) < 0) {
		at--
	}
	if at == l.limit {
		return
	}
	if l.full() {
		l.first = l.first[:l.limit-1]
	}
	l.first = slices.Insert(l.first, at, e)
	if l.full() {
		l.least = l.first[l.limit-1].count
	}
}

// space is the ids in which the counts of several parts add up for a field: the segment's own if there is but one, the
// registry's else.
type space struct {
	field  field
	parts  []counted
	keyset // without keys for the segment's own
}

func (s *snapshot) space(all []counted, f field) space {
	if len(all) == 1 {
		return space{field: f, parts: all}
	}
	return space{f, all, s.keys[f]}
}

func (s *space) len() int {
	if s.keys == nil {
		return s.parts[0].values[s.field].len()
	}
	return len(s.keys)
}

// byKey compares ids by their keys; a segment's are in that order.
func (s *space) byKey(a, b uint32) int {
	if s.keys == nil {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(s.keys[a], s.keys[b])
}

// local is the part's id.
func (s *space) local(part int, id uint32) (uint32, bool) {
	if s.keys == nil {
		return id, true
	}
	return s.parts[part].local(s.field, id)
}

// id is the space's id of a part's.
func (s *space) id(part int, local int) uint32 {
	if s.keys == nil {
		return uint32(local)
	}
	return s.parts[part].global[s.field].ids[local]
}

// sums are what is counted of each value, and how much more it may be; more is nil if all is counted.
func (s *space) sums() (counts, more []uint32) {
	counts = make([]uint32, s.len())
	for i := range s.parts {
		p := &s.parts[i]
		if s.keys == nil {
			addUp(counts, p.of(s.field))
		} else {
			ids := p.global[s.field].ids
			for local, n := range p.of(s.field)[:len(ids)] {
				counts[ids[local]] += n
			}
		}
		if !p.pending || s.field == fieldCity {
			continue
		}
		if more == nil {
			more = make([]uint32, s.len())
		}
		p.eachRare(s.field, func(local, most uint32) { more[s.id(i, int(local))] += most })
	}
	return counts, more
}

// settle counts what is pending of a value.
func (s *space) settle(id uint32) (n uint32) {
	for i := range s.parts {
		p := &s.parts[i]
		local, ok := s.local(i, id)
		if !ok {
			continue
		}
		if p.pending && p.isRare(s.field, local) {
			p.of(s.field)[local] = p.values[s.field].countShared(int(local), p.bits)
		}
		n += p.of(s.field)[local]
	}
	return n
}

// narrow drops the values whose key does not begin with the prefix.
func (s *space) narrow(prefix string, counts, more []uint32) {
	if s.keys == nil {
		from, to := s.parts[0].values[s.field].prefixed(prefix)
		for _, of := range [][]uint32{counts, more} {
			clear(of[:min(from, len(of))])
			clear(of[min(to, len(of)):])
		}
		return
	}
	for id, key := range s.keys {
		if !strings.HasPrefix(key, prefix) {
			counts[id] = 0
			if more != nil {
				more[id] = 0
			}
		}
	}
}

// single holds for fields of which a company has one value at most.
func (f field) single() bool {
	return f == fieldCountry || f == fieldState || f == fieldCity || f == fieldBand || f == fieldDecade
}

// leading are the field's first values. What is pending is counted by falling bounds, until none can come in any more.
func (s *space) leading(asked asked) []leader {
	counts, more := s.sums()
	if prefix, narrowed := asked.prefixOf(s.field); narrowed {
		s.narrow(prefix, counts, more)
	}
	first := newLeaders(asked.limit, s.byKey)
	left := uint32(0) // matches whose value is pending, if each has but one
	for i := range s.parts {
		left += uint32(s.parts[i].hits.count)
	}
	var queue mergeQueue
	for id, n := range counts {
		left -= n
		if more == nil || more[id] == 0 {
			first.add(uint32(id), n)
		} else {
			queue.items = append(queue.items, id)
		}
	}
	if !s.field.single() {
		left = none
	}
	bound := func(id int) uint32 { return counts[id] + more[id] }
	queue.less = func(a, b int) bool { return bound(a) > bound(b) }
	queue.init()
	for ; len(queue.items) > 0; queue.advance(false) {
		id := queue.items[0]
		if bound(id) < first.least {
			break
		}
		if counts[id]+min(more[id], left) < first.least {
			continue
		}
		n := s.settle(uint32(id))
		if s.field.single() {
			left -= n - counts[id]
		}
		first.add(uint32(id), n)
	}
	return first.first
}

// tops are the most frequent values of the fields that are asked for, over all parts.
func (s *snapshot) tops(all []counted, asked asked) (tops [facetFields][]index.Count) {
	if len(all) == 0 {
		return tops
	}
	var fields []field
	for f := range facetFields {
		if asked.fields[f] && f != fieldBand && f != fieldDecade {
			fields = append(fields, f)
		}
	}
	top := func(f field) { tops[f] = s.top(all, f, asked) }
	if !slices.ContainsFunc(all, func(c counted) bool { return c.pending }) || !severalCores() {
		for _, f := range fields {
			top(f)
		}
		return tops
	}
	queue := make(chan field, len(fields))
	for _, f := range fields {
		queue <- f
	}
	close(queue)
	take := func() {
		for f := range queue {
			top(f)
		}
	}
	both(take, take)
	return tops
}

// top is the field's most frequent values over all parts.
func (s *snapshot) top(all []counted, f field, asked asked) []index.Count {
	in := s.space(all, f)
	first := in.leading(asked)
	counts := make([]index.Count, len(first))
	for i, l := range first {
		counts[i] = index.Count{Value: in.spell(l.id), Count: int(l.count)}
	}
	return counts
}

// spell is the most frequent spelling of a value in the parts that have matches with it.
func (s *space) spell(id uint32) string {
	if s.keys != nil && s.spelled[id] != "" {
		return s.spelled[id]
	}
	counts := map[string]uint32{}
	for i := range s.parts {
		local, ok := s.local(i, id)
		if !ok || s.parts[i].of(s.field)[local] == 0 {
			continue
		}
		spelled := &s.parts[i].values[s.field].spellings
		if len(s.parts) == 1 {
			text, _ := spelled.of(spelled.starts[local])
			return text
		}
		for at := spelled.starts[local]; at < spelled.starts[local+1]; at++ {
			text, n := spelled.of(at)
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

// isRare holds for a value that is no bit of the rows.
func (p *part) isRare(f field, local uint32) bool { return !p.isFrequent.has(p.rows.first[f] + local) }

// eachRare yields the rare values of the field that may have matches, and how many at most.
func (c *counted) eachRare(f field, yield func(local, most uint32)) {
	first := c.hits.rows.first[f]
	for local, total := range c.hits.rows.totals[first:c.hits.rows.first[f+1]] {
		if total > 0 && c.isRare(f, uint32(local)) {
			yield(uint32(local), min(total, uint32(c.hits.count)))
		}
	}
}

const (
	// testingShare of the slots at least must be counted, else counting rare values one by one never pays.
	testingShare = 8
	// What counting a row costs, and a word of ids in it, in the time of testing one slot of a posting list.
	rowWork     = 5
	rowWordWork = 4
)

// testingPays estimates whether counting the rare values one by one is less work than counting the rows of n slots.
func (c *counted) testingPays(n int, asked asked) bool {
	r := &c.hits.rows
	budget := n * (rowWork + rowWordWork*(r.width()-r.bitWords()))
	for f := range rowFields {
		if asked.fields[f] {
			budget -= c.testingWork(f, asked.limit)
		}
		if budget <= 0 {
			return false
		}
	}
	return true
}

// testingWork is the slots of the field's rare values that may have to be looked at.
func (c *counted) testingWork(f field, limit int) (work int) {
	r := &c.hits.rows
	least, left := c.likelyLeast(f, limit)
	if left == 0 {
		return 0
	}
	c.eachRare(f, func(local, most uint32) {
		if f == fieldBand || f == fieldDecade || most >= least {
			work += int(r.totals[r.first[f]+local])
		}
	})
	return work
}

// likelyLeast is the count that the last of the field's first values will have at least, which is a guess if fewer than
// limit are frequent, and how many matches may have a rare value.
func (c *counted) likelyLeast(f field, limit int) (least, left uint32) {
	byID := func(a, b uint32) int { return int(a) - int(b) }
	known, likely := newLeaders(limit, byID), newLeaders(limit, byID)
	totals := c.hits.rows.totals[c.hits.rows.first[f]:c.hits.rows.first[f+1]]
	left = uint32(c.hits.count)
	for local, n := range c.of(f) {
		known.add(uint32(local), n)
		left -= n
	}
	if known.full() {
		least = known.least
	} else {
		for local, total := range totals {
			likely.add(uint32(local), total)
		}
		least = uint32(uint64(likely.least) * uint64(c.hits.count) / uint64(c.slots))
	}
	if !f.single() {
		left = none
	}
	return least, left
}
