package embedded

import (
	"math"
	"slices"
)

// rows holds, for each slot, its values of all row fields side by side, so that counting reads one cache line per slot. All
// values share one space of ids. A row is a bit for each frequent value, then the ids of its rare values; ids that do not
// fit go to the overflow. Id 0 means no value. Ids have 16 bits, or 32 if there are too many.
type rows struct {
	frequent []uint32              // ids of the values that have a bit, ascending
	cells    []uint64              // rows of width words each
	overflow overflowWords         // ids of the rows that are too short for them
	first    [rowFields + 1]uint32 // by field: the id of its first value; one more entry for the end
	wide     bool
	city     []uint32 // by slot: the city's id plus 1, 0 for none

	totals     []uint32 // by id, over all slots
	cityTotals []uint32 // by the city's id plus 1; [0] counts slots without a city
}

// overflowWords holds words of ids for some slots.
type overflowWords struct {
	slots []uint32 // ascending
	ends  []uint32 // where each slot's words end
	words []uint64
}

const (
	// bitsMax is the maximum number of bits of a row; every word of bits makes counting slower.
	bitsMax = 256
	// A value is rare if at most one in rareShare of the slots has it. At that share a bit costs as much as ids.
	rareShare = 64
	// At most one in overflowShare of the slots has an overflow.
	overflowShare = 32
)

func newRows(sizes [rowFields]int) rows {
	var r rows
	next := uint32(1)
	for f, n := range sizes {
		r.first[f] = next
		next += uint32(n)
	}
	r.first[rowFields] = next
	r.wide = next > math.MaxUint16+1
	return r
}

func (r *rows) ids() int { return int(r.first[rowFields]) }

// bitWords returns the number of words in a row that hold bits.
func (r *rows) bitWords() int { return wordsFor(len(r.frequent)) }

// width returns the number of words in a row.
func (r *rows) width() int { return len(r.cells) / max(1, len(r.city)) }

// rowBuilder builds rows, one slot at a time.
type rowBuilder struct {
	rows
	bitOf []uint32 // by id; none for rare values
	bits  []uint64 // by slot
	ends  []uint32 // where each slot's words of rare ids end
	words []uint64
	rare  []uint32 // scratch
}

// newRowBuilder returns a builder of rows; holders is the number of companies by field and value.
func newRowBuilder(holders [facetFields][]uint32, slots int) *rowBuilder {
	var sizes [rowFields]int
	for f := range sizes {
		sizes[f] = len(holders[f])
	}
	b := &rowBuilder{rows: newRows(sizes)}
	b.totals = append(slices.Concat(holders[:rowFields]...), 0)
	copy(b.totals[1:], b.totals)
	b.totals[0] = 0
	b.cityTotals = append([]uint32{uint32(slots)}, holders[fieldCity]...)
	for _, n := range holders[fieldCity] {
		b.cityTotals[0] -= n
	}
	b.chooseFrequent(slots)
	b.city, b.ends = make([]uint32, slots), make([]uint32, 0, slots)
	b.bits, b.words = make([]uint64, slots*b.bitWords()), make([]uint64, 0, 4*slots)
	return b
}

func (b *rowBuilder) chooseFrequent(slots int) {
	for id, n := range b.totals {
		if int(n)*rareShare > slots {
			b.frequent = append(b.frequent, uint32(id))
		}
	}
	if len(b.frequent) > bitsMax {
		slices.SortStableFunc(b.frequent, func(x, y uint32) int { return int(b.totals[y]) - int(b.totals[x]) })
		b.frequent = slices.Clone(b.frequent[:bitsMax])
		slices.Sort(b.frequent)
	}
	b.bitOf = slices.Repeat([]uint32{none}, b.ids())
	for bit, id := range b.frequent {
		b.bitOf[id] = uint32(bit)
	}
}

// add adds the next slot with its ids.
func (b *rowBuilder) add(ids []uint32) {
	row := bitset(b.bits[len(b.ends)*b.bitWords():])
	b.rare = b.rare[:0]
	for _, id := range ids {
		if bit := b.bitOf[id]; bit != none {
			row.set(bit)
		} else {
			b.rare = append(b.rare, id)
		}
	}
	step := 64 / b.idBits()
	for chunk := range slices.Chunk(b.rare, step) {
		word := uint64(0)
		for i, id := range chunk {
			word |= uint64(id) << (i * b.idBits())
		}
		b.words = append(b.words, word)
	}
	b.ends = append(b.ends, uint32(len(b.words)))
}

// finish lays out the rows.
func (b *rowBuilder) finish() rows {
	inRow := b.idWords()
	width := b.bitWords() + inRow
	b.cells = make([]uint64, len(b.ends)*width)
	start := uint32(0)
	for slot, end := range b.ends {
		words := b.words[start:end]
		start = end
		row := b.cells[slot*width:][:width]
		copy(row, b.bits[slot*b.bitWords():][:b.bitWords()])
		copy(row[b.bitWords():], words)
		if len(words) > inRow {
			b.overflow.slots = append(b.overflow.slots, uint32(slot))
			b.overflow.words = append(b.overflow.words, words[inRow:]...)
			b.overflow.ends = append(b.overflow.ends, uint32(len(b.overflow.words)))
		}
	}
	return b.rows
}

// idWords returns how many words of ids a row has: few, but enough that few slots overflow, then rounded up to a power of
// two per row, so that rows do not straddle cache lines.
func (b *rowBuilder) idWords() (words int) {
	var slots []int // number of slots by their number of words
	start := uint32(0)
	for _, end := range b.ends {
		n := int(end - start)
		start = end
		for n >= len(slots) {
			slots = append(slots, 0)
		}
		slots[n]++
	}
	over := len(b.ends)
	for words < len(slots) {
		if over -= slots[words]; over*overflowShare <= len(b.ends) {
			break
		}
		words++
	}
	line := 1
	for line < b.bitWords()+words {
		line *= 2
	}
	return line - b.bitWords()
}

// appendIDs appends the ids of a slot.
func (r *rows) appendIDs(ids []uint32, slot uint32) []uint32 {
	row := r.cells[int(slot)*r.width():][:r.width()]
	at := len(ids)
	ids = bitset(row[:r.bitWords()]).appendTo(ids)
	for i, bit := range ids[at:] {
		ids[at+i] = r.frequent[bit]
	}
	ids = r.appendWords(ids, row[r.bitWords():])
	if i, ok := slices.BinarySearch(r.overflow.slots, slot); ok {
		ids = r.appendWords(ids, r.overflow.at(i))
	}
	return ids
}

func (r *rows) appendWords(ids []uint32, words []uint64) []uint32 {
	for _, w := range words {
		for ; w != 0; w >>= r.idBits() {
			if r.wide {
				ids = append(ids, uint32(w))
			} else {
				ids = append(ids, uint32(uint16(w)))
			}
		}
	}
	return ids
}

// at returns the words of the i-th slot that has an overflow.
func (l *overflowWords) at(i int) []uint64 {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.words[start:l.ends[i]]
}

func (r *rows) idBits() int {
	if r.wide {
		return 32
	}
	return 16
}
