package embedded

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/index"
)

// candidate is a value that may be among a facet's top values.
type candidate struct{ id, count uint32 }

// topCandidates keeps the limit values with the highest counts, ties in the order of their keys.
type topCandidates struct {
	limit     int
	threshold uint32 // the lowest count that can still enter the list
	byKey     func(a, b uint32) int
	list      []candidate
}

func newTopCandidates(limit int, byKey func(a, b uint32) int) *topCandidates {
	return &topCandidates{limit: limit, threshold: 1, byKey: byKey}
}

func (l *topCandidates) full() bool { return len(l.list) == l.limit }

func (l *topCandidates) add(id, count uint32) {
	if count >= l.threshold {
		l.insert(candidate{id, count})
	}
}

func (l *topCandidates) insert(e candidate) {
	at := len(l.list)
	for at > 0 && (l.list[at-1].count < e.count || l.list[at-1].count == e.count && l.byKey(e.id, l.list[at-1].id) < 0) {
		at--
	}
	if at == l.limit {
		return
	}
	if l.full() {
		l.list = l.list[:l.limit-1]
	}
	l.list = slices.Insert(l.list, at, e)
	if l.full() {
		l.threshold = l.list[l.limit-1].count
	}
}

// idSpace is the set of ids by which counts of several parts are added for a field: the segment's own ids if there is only
// one part, otherwise the registry's.
type idSpace struct {
	field  field
	parts  []partCounts
	keyset // keys is nil for the segment's own ids
}

func (s *idSpace) len() int {
	if s.keys == nil {
		return s.parts[0].values[s.field].len()
	}
	return len(s.keys)
}

// byKey compares ids by their keys. A segment's own ids are already in that order.
func (s *idSpace) byKey(a, b uint32) int {
	if s.keys == nil {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(s.keys[a], s.keys[b])
}

// localID returns the part's id.
func (s *idSpace) localID(part int, id uint32) (uint32, bool) {
	if s.keys == nil {
		return id, true
	}
	return s.parts[part].localID(s.field, id)
}

// id maps a part's id into the space.
func (s *idSpace) id(part int, local int) uint32 {
	if s.keys == nil {
		return uint32(local)
	}
	return s.parts[part].globalIDs[s.field].ids[local]
}

// sums returns the count of each value so far and an upper bound of what is still to be counted; more is nil if everything
// is counted.
func (s *idSpace) sums() (counts, more []uint32) {
	counts = make([]uint32, s.len())
	for i := range s.parts {
		p := &s.parts[i]
		if s.keys == nil {
			addCounts(counts, p.field(s.field))
		} else {
			ids := p.globalIDs[s.field].ids
			for local, n := range p.field(s.field)[:len(ids)] {
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

// countPending counts a value where it is pending, and returns its count in all parts.
func (s *idSpace) countPending(id uint32) (n uint32) {
	for i := range s.parts {
		p := &s.parts[i]
		local, ok := s.localID(i, id)
		if !ok {
			continue
		}
		if p.pending && p.isRare(s.field, local) {
			p.field(s.field)[local] = p.values[s.field].countIn(int(local), p.bits)
		}
		n += p.field(s.field)[local]
	}
	return n
}

// ownedOf returns how many owned matches have the value.
func (s *idSpace) ownedOf(id uint32) (n int) {
	for i := range s.parts {
		if local, ok := s.localID(i, id); ok {
			n += int(s.parts[i].ownedOf(s.field, local))
		}
	}
	return n
}

// keepPrefix drops the values whose keys do not begin with the prefix.
func (s *idSpace) keepPrefix(prefix string, counts, more []uint32) {
	if s.keys == nil {
		from, to := s.parts[0].values[s.field].prefixRange(prefix)
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

// singleValued reports whether a company has at most one value of the field.
func (f field) singleValued() bool {
	return f == fieldCountry || f == fieldState || f == fieldCity || f == fieldBand || f == fieldDecade
}

// topValues returns the field's top values. Pending values are counted in descending order of their upper bounds, until none
// of the rest can enter the list.
func (s *idSpace) topValues(request facetRequest) []candidate {
	counts, more := s.sums()
	if prefix, narrowed := request.prefixOf(s.field); narrowed {
		s.keepPrefix(prefix, counts, more)
	}
	first := newTopCandidates(request.limit, s.byKey)
	left := uint32(0) // matches whose value is pending, if the field is single-valued
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
	if !s.field.singleValued() {
		left = none
	}
	bound := func(id int) uint32 { return counts[id] + more[id] }
	queue.less = func(a, b int) bool { return bound(a) > bound(b) }
	queue.init()
	for ; len(queue.items) > 0; queue.advance(false) {
		id := queue.items[0]
		if bound(id) < first.threshold {
			break
		}
		if counts[id]+min(more[id], left) < first.threshold {
			continue
		}
		n := s.countPending(uint32(id))
		if s.field.singleValued() {
			left -= n - counts[id]
		}
		first.add(uint32(id), n)
	}
	return first.list
}

// tops returns the most frequent values of the requested fields over all parts.
func (s *snapshot) tops(all []partCounts, request facetRequest) (tops [facetFields][]index.Count) {
	if len(all) == 0 {
		return tops
	}
	var fields []field
	for f := range facetFields {
		if request.fields[f] && f != fieldBand && f != fieldDecade {
			fields = append(fields, f)
		}
	}
	countField := func(f field) {
		space := idSpace{field: f, parts: all}
		if len(all) > 1 {
			space.keyset = s.keys[f]
		}
		top := space.topValues(request)
		tops[f] = make([]index.Count, len(top))
		for i, c := range top {
			tops[f][i] = index.Count{Value: space.spelling(c.id), Count: int(c.count), Owned: space.ownedOf(c.id)}
		}
	}
	if !slices.ContainsFunc(all, func(c partCounts) bool { return c.pending }) || !multicore() {
		for _, f := range fields {
			countField(f)
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
			countField(f)
		}
	}
	runBoth(take, take)
	return tops
}

// spelling returns the most frequent spelling of a value in the parts where it has matches.
func (s *idSpace) spelling(id uint32) string {
	if s.keys != nil && s.spelled[id] != "" {
		return s.spelled[id]
	}
	counts := map[string]uint32{}
	for i := range s.parts {
		local, ok := s.localID(i, id)
		if !ok || s.parts[i].field(s.field)[local] == 0 {
			continue
		}
		spelled := &s.parts[i].values[s.field].spellings
		if len(s.parts) == 1 {
			text, _ := spelled.at(spelled.starts[local])
			return text
		}
		for at := spelled.starts[local]; at < spelled.starts[local+1]; at++ {
			text, n := spelled.at(at)
			counts[text] += n
		}
	}
	return mostFrequent(counts)
}

// mostFrequent returns the spelling with the highest count; of several, the alphabetically first one.
func mostFrequent(counts map[string]uint32) string {
	best := ""
	for text, n := range counts {
		if m := counts[best]; n > m || n == m && text < best {
			best = text
		}
	}
	return best
}

// isRare reports whether the value is rare, which means that no bit of the rows stands for it.
func (p *part) isRare(f field, local uint32) bool { return !p.isFrequent.has(p.rows.first[f] + local) }

// eachRare yields the field's rare values that may have matches, with an upper bound of their counts.
func (c *partCounts) eachRare(f field, yield func(local, most uint32)) {
	first := c.hits.rows.first[f]
	for local, total := range c.hits.rows.totals[first:c.hits.rows.first[f+1]] {
		if total > 0 && c.isRare(f, uint32(local)) {
			yield(uint32(local), min(total, uint32(c.hits.count)))
		}
	}
}

const (
	// Counting rare values one by one pays only if at least one in probeShare of the slots is counted.
	probeShare = 8
	// The cost of counting a row, and of each word of ids in it, relative to probing one slot of a posting list.
	rowWork     = 5
	rowWordWork = 4
)

// probingPays estimates whether counting the rare values one by one is cheaper than counting n rows.
func (c *partCounts) probingPays(n int, request facetRequest) bool {
	r := &c.hits.rows
	budget := n * (rowWork + rowWordWork*(r.width()-r.bitWords()))
	for f := range rowFields {
		if request.fields[f] {
			budget -= c.probeWork(f, request.limit)
		}
		if budget <= 0 {
			return false
		}
	}
	return true
}

// probeWork estimates how many slots of the field's rare values have to be probed.
func (c *partCounts) probeWork(f field, limit int) (work int) {
	r := &c.hits.rows
	threshold, left := c.estimateThreshold(f, limit)
	if left == 0 {
		return 0
	}
	c.eachRare(f, func(local, most uint32) {
		if f == fieldBand || f == fieldDecade || most >= threshold {
			work += int(r.totals[r.first[f]+local])
		}
	})
	return work
}

// estimateThreshold estimates the count that a value needs to be among the field's top values, and returns how many matches
// may have a rare value. The estimate is a guess if fewer than limit values are frequent.
func (c *partCounts) estimateThreshold(f field, limit int) (threshold, left uint32) {
	byID := func(a, b uint32) int { return int(a) - int(b) }
	known, likely := newTopCandidates(limit, byID), newTopCandidates(limit, byID)
	totals := c.hits.rows.totals[c.hits.rows.first[f]:c.hits.rows.first[f+1]]
	left = uint32(c.hits.count)
	for local, n := range c.field(f) {
		known.add(uint32(local), n)
		left -= n
	}
	if known.full() {
		threshold = known.threshold
	} else {
		for local, total := range totals {
			likely.add(uint32(local), total)
		}
		threshold = uint32(uint64(likely.threshold) * uint64(c.hits.count) / uint64(c.slots))
	}
	if !f.singleValued() {
		left = none
	}
	return threshold, left
}
