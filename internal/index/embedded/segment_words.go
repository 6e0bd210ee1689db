package embedded

import (
	"math"
	"slices"

	"github.com/opencapi/capi/internal/text"
)

// words are the tokens of names and descriptions: which slots have each and how often, and the text itself as a stream
// of token ids, in which phrases are checked.
type words struct {
	dict
	postings
	occurrences []occurrence // of each posting

	stream  []uint32 // of each slot: the name's tokens, none, the description's tokens
	ends    []uint32 // where each slot's stream ends
	nameLen []uint8  // tokens in the name, 255 at most

	nameTokens, descriptionTokens uint64 // in all, for the average lengths
}

// mark tells how a slot's text has a word: how often in the name (3 bits), how often in the description (5 bits), and
// where first, as a place in the text (8 bits, beyond for all that is farther).
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

// once holds if the word's only place is first.
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

// descriptionLen is the number of the description's tokens.
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

// wordBuilder gathers words while companies come in the order of their slots.
type wordBuilder struct {
	terms interner
	last  []uint32 // of each term, its latest place in pairs

	pairs pairs
	words words
}

// newWordBuilder makes room for usual texts of so many slots.
func newWordBuilder(slots int) *wordBuilder {
	const usual = 32
	b := &wordBuilder{}
	b.pairs.slots, b.pairs.keys = make([]uint32, 0, usual*slots), make([]uint32, 0, usual*slots)
	b.words.stream, b.words.occurrences = make([]uint32, 0, usual*slots), make([]occurrence, 0, usual*slots)
	return b
}

// add takes in the text of the next slot.
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

// skip takes in a hole.
func (b *wordBuilder) addHole() {
	b.words.ends = append(b.words.ends, uint32(len(b.words.stream)))
	b.words.nameLen = append(b.words.nameLen, 0)
}

// newText is the text at hand: its slot, where its pairs begin and where its tokens do.
type textStart struct {
	slot, pairs uint32
	stream      int
}

// tokens takes in the name or the description and counts its tokens.
func (b *wordBuilder) addTokens(of textStart, s string, inName bool) int {
	n := 0
	text.EachToken(s, func(word []byte) {
		n++
		id := b.addPosting(of, word, newOccurrence(len(b.words.stream)-of.stream), inName)
		b.words.stream = append(b.words.stream, id)
	})
	return n
}

// joints takes in what an apostrophe parts as one word too. It has no place in the text, so that no phrase has it.
func (b *wordBuilder) addJoints(of textStart, s string, inName bool) {
	text.EachJoint(s, func(left, right string) { b.addPosting(of, []byte(left+right), positionUnknown, inName) })
}

// post notes that the text has the word.
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

// finish makes the section.
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
	marks := make([]occurrence, len(w.occurrences))
	for i, k := range b.pairs.keys {
		marks[fill.add(k, b.pairs.slots[i])] = w.occurrences[i]
	}
	w.occurrences = marks
	w.stream = slices.Clone(w.stream) // without the room that was left
	return w
}
