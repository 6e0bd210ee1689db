package embedded

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"slices"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// Pivot implements index.Index.
func (ix *Index) Pivot(ctx context.Context, r index.PivotRequest) (found *index.Pivot, err error) {
	if err := r.Query.Unresolved(); err != nil {
		return nil, fmt.Errorf("pivot: %w", err)
	}
	var read *snapshot
	err = ix.answerComplete(ctx, &read, func() (err error) {
		read = ix.current.Load()
		release, err := awaitCore(ctx)
		if err != nil {
			return fmt.Errorf("pivot: %w", err)
		}
		defer release()
		scratch := borrowArena()
		found, err = read.pivot(ctx, scratch, r)
		scratch.close() // not after a panic, which may leave it in an unknown state
		return err
	})
	return found, err
}

func (s *snapshot) pivot(ctx context.Context, scratch *arena, r index.PivotRequest) (*index.Pivot, error) {
	defer runtime.KeepAlive(s)
	request := newFacetRequest(index.Request{FacetLimit: max(r.Rows.Limit, r.Columns.Limit), Facets: []index.Facet{r.Rows.Facet, r.Columns.Facet}})
	need := request.groups() | request.groupsOfRows() | groupSet(keysOf(fieldKnown), holdersOf(fieldKnown))
	found, sums, err := s.search(ctx, scratch, criteria{r.Query.Root, r.Within, r.Without, r.Excluded, need})
	if err != nil {
		return nil, fmt.Errorf("pivot: %w", err)
	}
	counted := make([]partCounts, len(found))
	for i := range found {
		counted[i].hits = &found[i]
	}
	eachShard(counted, func(c *partCounts) {
		if c.hits.count*probeShare < c.slots { // counting all values of each match costs less than counting values one by one
			c.count(request)
			return
		}
		c.rows, c.cities = c.scratch.counters(c.hits.rows.ids()), c.scratch.counters(len(c.hits.rows.cityTotals))
		c.pending = true
	})
	p := &index.Pivot{Total: sums.total, Excluded: sums.excluded}
	var rows, columns axis
	runBoth(func() { rows = s.axis(counted, r.Rows) }, func() { columns = s.axis(counted, r.Columns) })
	p.Rows, p.Columns = rows.pivoted(), columns.pivoted()
	p.Cells = make([][]int, len(rows.top))
	for i := range p.Cells {
		p.Cells[i] = make([]int, len(columns.top))
	}
	tables := make([]pivotTable, len(found))
	for i := range found {
		tables[i] = pivotTable{hits: &found[i], rows: rows.in(i), columns: columns.in(i)}
	}
	eachShard(tables, (*pivotTable).count)
	for i := range tables {
		tables[i].addTo(p)
	}
	for _, values := range [][]index.PivotValue{p.Rows.Values, p.Columns.Values} {
		for i := range values {
			values[i].Unknown = values[i].Count - values[i].Unknown // which are known so far, see addTo
		}
	}
	return p, nil
}

// axis is one side of a table, in all parts.
type axis struct {
	of query.Field
	idSpace
	top  []candidate
	more int // values that are not in top
}

// axis returns the most frequent values of a facet.
func (s *snapshot) axis(counted []partCounts, of index.PivotAxis) axis {
	a := axis{of: of.Facet.Field(), idSpace: idSpace{field: facetField(of.Facet), parts: counted}}
	if len(counted) == 0 {
		return a
	}
	if len(counted) > 1 {
		a.keyset = s.keys[a.field]
	}
	a.choose(of.Limit)
	a.more = a.distinct() - len(a.top)
	if of.Facet.HasBands() {
		slices.SortFunc(a.top, func(x, y candidate) int { return a.byKey(x.id, y.id) })
	}
	return a
}

// choose sets the top values. In pending parts it counts values in descending order of their upper bounds, until none of the rest can be among them.
func (a *axis) choose(limit int) {
	bounds := make([]uint32, a.len())
	for i := range a.parts {
		p := &a.parts[i]
		values := &p.values[a.field]
		for local, n := range p.field(a.field) {
			if p.pending {
				n = uint32(min(values.count(local), p.hits.count))
			}
			bounds[a.id(i, local)] += n
		}
	}
	queue := mergeQueue{less: func(x, y int) bool { return bounds[x] > bounds[y] }}
	for id, bound := range bounds {
		if bound > 0 {
			queue.items = append(queue.items, id)
		}
	}
	queue.init()
	top := newTopCandidates(limit, a.byKey)
	for ; len(queue.items) > 0 && bounds[queue.items[0]] >= top.threshold; queue.advance(false) {
		id := uint32(queue.items[0])
		top.add(id, a.countValue(id))
	}
	a.top = top.list
}

// countValue returns how many matches have the value.
func (a *axis) countValue(id uint32) (n uint32) {
	for i := range a.parts {
		p := &a.parts[i]
		local, ok := a.localID(i, id)
		if !ok {
			continue
		}
		if p.pending {
			p.field(a.field)[local] = p.values[a.field].countIn(int(local), p.bits)
		}
		n += p.field(a.field)[local]
	}
	return n
}

// distinct returns the number of values that matches have.
func (a *axis) distinct() (n int) {
	seen := make(bitset, wordsFor(a.len()))
	for i := range a.parts {
		p := &a.parts[i]
		for local, count := range p.field(a.field) {
			if count > 0 || p.pending && p.values[a.field].anyIn(local, p.bits) {
				seen.set(a.id(i, local))
			}
		}
	}
	return seen.count()
}

// pivoted returns the values with their counts alone.
func (a *axis) pivoted() index.Pivoted {
	p := index.Pivoted{Values: make([]index.PivotValue, len(a.top)), MoreValues: a.more}
	for i, c := range a.top {
		v := &p.Values[i]
		v.Count = int(c.count)
		switch a.field {
		case fieldBand:
			v.Min, v.Max = bandBounds(a.key(c.id))
		case fieldDecade:
			v.Min, v.Max = decadeBounds(a.key(c.id))
		default:
			v.Value = a.spelling(c.id)
		}
	}
	return p
}

// key returns a value as the segments have it.
func (s *idSpace) key(id uint32) string {
	if s.keys == nil {
		return string(s.parts[0].values[s.field].key(int(id)))
	}
	return s.keys[id]
}

// in returns the axis in one part, without the shown slots.
func (a *axis) in(i int) side {
	h := a.parts[i].hits
	s := side{values: &h.values[a.field], ids: make([]int, len(a.top)), counts: make([]uint32, len(a.top)), shown: h.scratch.bits(h.slots)}
	for at, c := range a.top {
		s.ids[at] = -1
		if local, ok := a.localID(i, c.id); ok {
			s.ids[at], s.counts[at] = int(local), a.parts[i].field(a.field)[local]
		}
	}
	s.known = h.known(a.of)
	return s
}

// known returns the slots with a known value of the field.
func (h *hits) known(of query.Field) bitset {
	names := &h.values[fieldKnown]
	id, ok := names.find(of.String())
	if ok && names.dense(id) {
		return names.set(id)
	}
	known := h.scratch.bits(h.slots)
	switch {
	case ok:
		names.orInto(id, known)
	case of == query.FieldKnown: // every slot that has the name of a field
		for id := range names.len() {
			names.orInto(id, known)
		}
	}
	return known
}

// side is an axis in one part.
type side struct {
	*values
	ids          []int    // of the values of the axis; -1 for one that the part does not have
	counts       []uint32 // how many matches have each value
	shown, known bitset   // the slots with any of these values, and those with any value of the field
}

func (s *side) fillShown() {
	for _, id := range s.ids {
		if id >= 0 {
			s.orInto(id, s.shown)
		}
	}
}

// pivotTable is a table of one part. Every row of counts has one count for each column, then the matches with any of the columns, and
// those whose field is known.
type pivotTable struct {
	*hits
	rows, columns side

	cells []uint32 // by row, and for all matches
	back  []uint32 // by column, and for all matches: with any of the rows, and those whose field is known
}

// pivotBlock is the number of words counted at a time, so that the bits of all columns stay in a cache.
const pivotBlock = 512

func (t *pivotTable) count() {
	runBoth(t.columns.fillShown, t.rows.fillShown)
	columns, rows := t.bitsOf(&t.columns), t.bitsOf(&t.rows)
	inAll := [2][2]bool{t.leaveOutFull(columns), t.leaveOutFull(rows)}
	words := len(t.bits)
	if t.slots < shardMin || !multicore() {
		t.cells, t.back = countBits(t.bits, rows, columns, 0, words)
	} else {
		var cells, back []uint32
		runBoth(func() { t.cells, t.back = countBits(t.bits, rows, columns, 0, words/2) },
			func() { cells, back = countBits(t.bits, rows, columns, words/2, words) })
		addCounts(t.cells, cells)
		addCounts(t.back, back)
	}
	for i := range 2 {
		if inAll[0][i] {
			fillIn(t.cells[len(columns)-2+i:], len(columns), t.rows.counts, uint32(t.hits.count))
		}
		if inAll[1][i] {
			fillIn(t.back[i:], 2, t.columns.counts, uint32(t.hits.count))
		}
	}
}

// leaveOutFull removes those of the last two sets that have every match, which need not be counted, and says which they were.
func (t *pivotTable) leaveOutFull(sets []bitset) (full [2]bool) {
	for i, last := 0, sets[len(sets)-2:]; i < 2; i++ {
		if full[i] = t.bits.countAnd(last[i]) == t.hits.count; full[i] {
			last[i] = nil
		}
	}
	return full
}

// fillIn writes every step-th count: first those of the values, then that of all matches.
func fillIn(counts []uint32, step int, values []uint32, all uint32) {
	for i, n := range values {
		counts[i*step] = n
	}
	counts[len(values)*step] = all
}

// bitsOf returns the slots with each value of a side, then those with any of the values, and those whose field is known.
func (t *pivotTable) bitsOf(s *side) []bitset {
	all := make([]bitset, 0, len(s.ids)+2)
	for _, id := range s.ids {
		switch {
		case id >= 0 && s.dense(id):
			all = append(all, s.set(id))
		case id >= 0:
			some := t.scratch.bits(t.slots)
			s.orInto(id, some)
			all = append(all, some)
		default:
			all = append(all, nil)
		}
	}
	return append(all, s.shown, s.known)
}

// countBits counts the matches in the words from first on: in cells, those of each row and of all, by column; in back, those of each
// column and of all, by what follows the rows.
func countBits(matches bitset, rows, columns []bitset, from, to int) (cells, back []uint32) {
	values := len(rows) - 2
	cells, back = make([]uint32, (values+1)*len(columns)), make([]uint32, (len(columns)-1)*2)
	var kept keptWords
	for at := from; at < to; at += pivotBlock {
		end := min(at+pivotBlock, to)
		for i, row := range rows[:values] {
			if row != nil {
				kept.keep(matches[at:end], row[at:end])
				kept.count(cells[i*len(columns):], columns, at)
			}
		}
		kept.keep(matches[at:end], matches[at:end])
		kept.count(cells[values*len(columns):], columns, at)
		kept.count(back[(len(columns)-2)*2:], rows[values:], at)
		if rows[values] == nil && rows[values+1] == nil {
			continue
		}
		for j, column := range columns[:len(columns)-2] {
			if column != nil {
				kept.keep(matches[at:end], column[at:end])
				kept.count(back[j*2:], rows[values:], at)
			}
		}
	}
	return cells, back
}

// keptWords holds the matches of one row in a block: all its words, and if few of them have a match, those as well.
type keptWords struct {
	all    [pivotBlock]uint64
	filled [pivotBlock]uint64 // the words with a match, if they are few
	at     [pivotBlock]uint16 // where each of them is in the block
	words  int                // in the block
	fills  int                // words with a match
	few    bool
}

func (k *keptWords) keep(matches, row bitset) {
	row = row[:len(matches)]
	empty := uint64(0)
	for i, w := range matches {
		w &= row[i]
		k.all[i] = w
		empty += (w - 1) &^ w >> 63 // 1 for an empty word
	}
	k.words, k.fills = len(matches), len(matches)-int(empty)
	if k.few = k.fills*4 < k.words; !k.few {
		return
	}
	n := 0
	for i, w := range k.all[:k.words] {
		if w != 0 {
			k.filled[n], k.at[n] = w, uint16(i)
			n++
		}
	}
}

// count adds the number of matches that are in each of the sets too, whose words for the block begin at start. It counts in two sets at a
// time, so that a word is read once for both.
func (k *keptWords) count(counts []uint32, sets []bitset, start int) {
	for i := 0; i < len(sets) && k.fills > 0; i++ {
		a := sets[i]
		switch {
		case a == nil:
		case k.few:
			counts[i] += k.countFew(a[start : start+k.words])
		case i+1 < len(sets) && sets[i+1] != nil:
			n, m := bitset(k.all[:k.words]).countAndBoth(a[start:], sets[i+1][start:])
			counts[i] += uint32(n)
			i++
			counts[i] += uint32(m)
		default:
			counts[i] += uint32(bitset(k.all[:k.words]).countAnd(a[start:]))
		}
	}
}

func (k *keptWords) countFew(set bitset) (n uint32) {
	at := k.at[:k.fills]
	for i, w := range k.filled[:k.fills] {
		n += uint32(bits.OnesCount64(w & set[at[i]]))
	}
	return n
}

// addTo adds the counts to those of other parts. Unknown of a value sums the matches whose field is known.
func (t *pivotTable) addTo(p *index.Pivot) {
	rows, columns := len(t.rows.ids), len(t.columns.ids)
	for i := range rows {
		row := t.cells[i*(columns+2):][:columns+2]
		for j := range columns {
			p.Cells[i][j] += int(row[j])
		}
		v, shown, known := &p.Rows.Values[i], int(row[columns]), int(row[columns+1])
		v.Other, v.Unknown = v.Other+known-shown, v.Unknown+known
	}
	for j := range columns {
		v, shown, known := &p.Columns.Values[j], int(t.back[j*2]), int(t.back[j*2+1])
		v.Other, v.Unknown = v.Other+known-shown, v.Unknown+known
	}
	all, back := t.cells[rows*(columns+2)+columns:], t.back[columns*2:]
	add := func(side *index.Pivoted, shown, known int) {
		side.Other, side.Unknown = side.Other+known-shown, side.Unknown+t.hits.count-known
	}
	add(&p.Columns, int(all[0]), int(all[1]))
	add(&p.Rows, int(back[0]), int(back[1]))
}
