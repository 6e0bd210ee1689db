package embedded

import (
	"math"
	"slices"

	"github.com/opencapi/capi/internal/text"
)

// words holds the words of names and descriptions: the slots that have each, how often they do, and each text as a sequence
// of word ids, in which phrases are checked.
type words struct {
	dict
	postings
	occurrences []occurrence // by position of the posting

	stream  []uint32 // by slot: the name's word ids, none, the description's word ids
	ends    []uint32 // where each slot's text ends in stream
	nameLen []uint8  // number of words in the name, at most 255

	nameTokens, descriptionTokens uint64 // totals, for the average lengths
}

// occurrence describes where a slot's text has a word: how often in the name (3 bits), how often in the description (5
// bits), and the first position (8 bits; positionUnknown for all positions beyond).
type occurrence uint16

const (
	positionUnknown = 1<<8 - 1

	occurrenceDescription    = 1 << 8
	occurrenceDescriptionMax = 31 << 8
	occurrenceName           = 1 << 13
	occurrenceNameMax        = 7 << 13
)

func newOccurrence(at int) occurrence { return occurrence(min(at, positionUnknown)) }

func (m occurrence) counted(inName bool) occurrence {
	switch {
	case inName && m < occurrenceNameMax:
		return m + occurrenceName
	case !inName && m&occurrenceDescriptionMax < occurrenceDescriptionMax:
		return m + occurrenceDescription
	}
	return m
}

func (m occurrence) nameCount() int        { return int(m >> 13) }
func (m occurrence) descriptionCount() int { return int(m & occurrenceDescriptionMax >> 8) }
func (m occurrence) firstPosition() int    { return int(m & positionUnknown) }

// single reports whether the word occurs once, at a known position.
func (m occurrence) single() bool {
	return m.nameCount()+m.descriptionCount() == 1 && m.firstPosition() < positionUnknown
}

func (w *words) text(slot uint32) []uint32 {
	start := uint32(0)
	if slot > 0 {
		start = w.ends[slot-1]
	}
	return w.stream[start:w.ends[slot]]
}

// eachNamed calls fn for each slot whose name has the word.
func (w *words) eachNamed(key int, fn func(slot uint32)) {
	w.each(key, func(slot, pos uint32) {
		if w.occurrences[pos].nameCount() > 0 {
			fn(slot)
		}
	})
}

// descriptionLen returns the number of words in the description.
func (w *words) descriptionLen(slot uint32) int {
	all := w.text(slot)
	if n := int(w.nameLen[slot]); n < math.MaxUint8 {
		return max(0, len(all)-n-1)
	}
	for i, t := range all {
		if t == none {
			return len(all) - i - 1
		}
	}
	return 0
}

// wordBuilder collects words. Companies must be added in the order of their slots.
type wordBuilder struct {
	terms interner
	last  []uint32 // by term: index of its last pair

	pairs pairs
	words words
}

// newWordBuilder returns a builder with capacity for texts of usual length.
func newWordBuilder(slots int) *wordBuilder {
	const usual = 32
	b := &wordBuilder{}
	b.pairs.slots, b.pairs.keys = make([]uint32, 0, usual*slots), make([]uint32, 0, usual*slots)
	b.words.stream, b.words.occurrences = make([]uint32, 0, usual*slots), make([]occurrence, 0, usual*slots)
	return b
}

// add adds the text of the next slot.
func (b *wordBuilder) add(slot uint32, name, description string) {
	text := textStart{slot, uint32(len(b.pairs.slots)), len(b.words.stream)}
	inName := b.addTokens(text, name, true)
	b.addJoints(text, name, true)
	b.words.stream = append(b.words.stream, none)
	inDescription := b.addTokens(text, description, false)
	b.addJoints(text, description, false)
	b.words.ends = append(b.words.ends, uint32(len(b.words.stream)))
	b.words.nameLen = append(b.words.nameLen, uint8(min(inName, math.MaxUint8)))
	b.words.nameTokens += uint64(inName)
	b.words.descriptionTokens += uint64(inDescription)
}

// addHole adds a slot without a company.
func (b *wordBuilder) addHole() {
	b.words.ends = append(b.words.ends, uint32(len(b.words.stream)))
	b.words.nameLen = append(b.words.nameLen, 0)
}

// textStart is where the current slot's text begins: its first pair and its first word in the stream.
type textStart struct {
	slot, pairs uint32
	stream      int
}

// addTokens adds the words of the name or the description and returns their number.
func (b *wordBuilder) addTokens(of textStart, s string, inName bool) int {
	n := 0
	text.EachToken(s, func(word []byte) {
		n++
		id := b.addPosting(of, word, newOccurrence(len(b.words.stream)-of.stream), inName)
		b.words.stream = append(b.words.stream, id)
	})
	return n
}

// addJoints also adds the words that are written with a hyphen, points or an apostrophe as one word. It has no position in the
// text, so phrases never contain it.
func (b *wordBuilder) addJoints(of textStart, s string, inName bool) {
	text.EachJoint(s, func(joined string) { b.addPosting(of, []byte(joined), positionUnknown, inName) })
}

// addPosting records that the text has the word.
func (b *wordBuilder) addPosting(of textStart, word []byte, first occurrence, inName bool) uint32 {
	id, fresh := b.terms.id(word)
	if fresh {
		b.last = append(b.last, none)
	}
	at := b.last[id]
	if at == none || at < of.pairs {
		at = uint32(len(b.pairs.slots))
		b.last[id] = at
		b.pairs.slots = append(b.pairs.slots, of.slot)
		b.pairs.keys = append(b.pairs.keys, id)
		b.words.occurrences = append(b.words.occurrences, first)
	}
	b.words.occurrences[at] = b.words.occurrences[at].counted(inName)
	return id
}

// finish returns the section.
func (b *wordBuilder) finish(slots int) words {
	w := b.words
	var rank []uint32
	w.dict, rank = b.terms.ranked()
	for i, t := range w.stream {
		if t != none {
			w.stream[i] = rank[t]
		}
	}
	counts := make([]uint32, b.terms.len())
	for i, k := range b.pairs.keys {
		b.pairs.keys[i] = rank[k]
		counts[rank[k]]++
	}
	var fill postingsFiller
	w.postings, fill = allocPostings(counts, slots)
	occurrences := make([]occurrence, len(w.occurrences))
	for i, k := range b.pairs.keys {
		occurrences[fill.add(k, b.pairs.slots[i])] = w.occurrences[i]
	}
	w.occurrences = occurrences
	w.stream = slices.Clone(w.stream) // frees unused capacity
	return w
}
