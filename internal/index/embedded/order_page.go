package embedded

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// nullKey is the sort key of an unknown value, which comes last.
const nullKey = math.MaxUint64

// order sorts the matches of a search: by key, then by full name if sorted by name, then by number.
type order struct {
	sort    query.Sort
	hits    []hits
	total   int
	ranking *ranking // for relevance
}

// position is a place in the result order, after which a page begins.
type position struct {
	key     uint64
	name    []byte   // for names: the folded name
	ranking *ranking // for relevance: what the key was computed with
	number  uint32

	nameInSnapshot bool // name may be cut; the snapshot has the whole name
}

func (s *snapshot) order(found []hits, q query.Query, by query.Sort, after *position) *order {
	o := &order{sort: by, hits: found}
	for i := range found {
		o.total += found[i].count
	}
	switch {
	case by.By != query.ByRelevance:
	case after != nil:
		o.ranking = after.ranking // keys computed with other statistics would not be comparable
	default:
		o.ranking = s.ranking(rankedTerms(q.Root))
	}
	return o
}

// page is the first matches of a search.
type page struct {
	numbers []company.Number
	head    []company.Number // the first of them and of those on later pages, as many as were asked for
	lastKey uint64           // the sort key of the last one
	more    bool             // there are matches after it
}

// first returns the first k matches after the position, and the first of them up to head. Each part yields its matches in
// runs of equal keys; runs with the same key are merged by number.
func (o *order) first(k, head int, after *position) (p page) {
	k = min(k, o.total)
	most := min(max(k, head), o.total)
	p.numbers = make([]company.Number, 0, most+1)
	if k == 0 {
		return p
	}
	if len(o.hits) == 1 && most == k {
		alone := o.newRun(&o.hits[0], k, after)
		p.numbers, p.lastKey = alone.collect(&alone, p.numbers, k)
		return p.trim(k, head)
	}
	runs := make([]run, len(o.hits))
	queue := mergeQueue{less: func(a, b int) bool { return o.compareRuns(&runs[a], &runs[b]) < 0 }}
	for i := range runs {
		runs[i].hits = &o.hits[i]
	}
	eachShard(runs, func(r *run) {
		*r = o.newRun(r.hits, most, after)
		r.nonEmpty = r.advance(most + 1)
	})
	for i := range runs {
		if runs[i].nonEmpty {
			queue.items = append(queue.items, i)
		}
	}
	queue.init()
	for len(queue.items) > 0 && len(p.numbers) <= most {
		start, shared := len(p.numbers), runs[queue.items[0]]
		several := false
		for len(queue.items) > 0 && o.compareRuns(&runs[queue.items[0]], &shared) == 0 {
			r := &runs[queue.items[0]]
			several = several || len(p.numbers) > start
			for _, slot := range r.slots {
				p.numbers = append(p.numbers, company.Number(r.number(slot)))
			}
			queue.advance(r.advance(max(1, most+1-len(p.numbers))))
		}
		if several {
			slices.Sort(p.numbers[start:])
		}
		if start < k {
			p.lastKey = shared.key
		}
	}
	return p.trim(k, head)
}

// trim shortens the page to k numbers, and its head.
func (p page) trim(k, head int) page {
	p.head = p.numbers[:min(head, len(p.numbers))]
	if p.more = len(p.numbers) > k; p.more {
		p.numbers = p.numbers[:k]
	}
	return p
}

// compareRuns compares the keys of the runs and, if sorted by name, the names.
func (o *order) compareRuns(a, b *run) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	if o.sort.By == query.ByName && a.key != nullKey {
		return o.directed(bytes.Compare(a.names.name(a.head), b.names.name(b.head)))
	}
	return 0
}

func (o *order) directed(c int) int {
	if o.sort.Desc {
		return -c
	}
	return c
}

// compareTo compares a slot with the position, ignoring its number.
func (o *order) compareTo(pos *position, h *hits, key uint64, slot uint32) int {
	if key != pos.key {
		return cmp.Compare(key, pos.key)
	}
	if o.sort.By == query.ByName && key != nullKey {
		return o.directed(bytes.Compare(h.names.name(slot), pos.name))
	}
	return 0
}

// isAfter reports whether the entry comes after the position.
func (o *order) isAfter(h *hits, e entry, pos *position) bool {
	if pos == nil {
		return true
	}
	c := o.compareTo(pos, h, e.key, e.slot)
	return c > 0 || c == 0 && e.number > pos.number
}

// newRun returns the run of one part.
func (o *order) newRun(h *hits, k int, after *position) run {
	switch o.sort.By {
	case query.ByRelevance:
		return o.entriesRun(h, o.byRelevance(h, k+1, after))
	case query.ByName:
		return o.columnRun(nameColumn{&h.names}, h, k+1, after)
	default:
		return o.columnRun(intColumn{&h.ints[intOf(o.sort.By)]}, h, k+1, after)
	}
}

func intOf(k query.SortKey) intField {
	switch k {
	case query.ByFoundedYear:
		return intFounded
	case query.ByUpdatedAt:
		return intUpdated
	default:
		return intEmployees
	}
}

// scanShare is the number of slots of a sort order that can be scanned in the time it takes to read and select one match.
const scanShare = 8

// columnRun sorts one part by a column. If matches are dense it scans the column's sort order, otherwise it selects the top
// k of all matches. The part is expected to contribute its share of the k matches. A single part also scans if matches are
// less dense, because it gives up once the scan has cost as much as selecting.
func (o *order) columnRun(c column, h *hits, k int, after *position) run {
	share := float64(k) * float64(h.count) / float64(o.total)
	dense := float64(h.count) * float64(h.count)
	if len(o.hits) == 1 {
		dense *= scanShare / 2
	}
	if share*float64(h.slots) < dense {
		return o.scanRun(c, h, k, after)
	}
	return o.selectRun(c, h, k, after)
}

// selectRun selects the top k of all matches.
func (o *order) selectRun(c column, h *hits, k int, after *position) run {
	best := newTopK(k, o.entryComparer(h))
	for _, slot := range h.list() {
		e := entry{c.key(slot, o.sort.Desc), h.number(slot), slot}
		if o.isAfter(h, e, after) {
			best.add(e)
		}
	}
	return o.entriesRun(h, best.sorted())
}

// entryComparer returns the order of a part's entries.
func (o *order) entryComparer(h *hits) func(a, b entry) int {
	return func(a, b entry) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		if o.sort.By == query.ByName && a.key != nullKey {
			if c := bytes.Compare(h.names.name(a.slot), h.names.name(b.slot)); c != 0 {
				return o.directed(c)
			}
		}
		return cmp.Compare(a.number, b.number)
	}
}
