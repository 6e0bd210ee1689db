package embedded

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/opencapi/capi/internal/query"
)

func (e evaluator) fillPhrase(n query.Phrase) bitset {
	found := e.bits(e.slots)
	if len(n.Words) == 0 {
		found.setFirst(e.slots)
		return found
	}
	rarest := slices.MinFunc(n.Words, func(a, b string) int {
		return cmp.Compare(e.estimate(query.Term{Word: a}), e.estimate(query.Term{Word: b}))
	})
	e.addTo(found, query.Term{Word: rarest})
	e.narrowPhrase(found, n)
	return found
}

// narrowPhrase keeps the slots that have all the words, then checks their texts.
func (e evaluator) narrowPhrase(found bitset, n query.Phrase) {
	ids := make([]uint32, len(n.Words))
	for i, w := range n.Words {
		key, ok := e.words.find(w)
		if !ok {
			clear(found)
			return
		}
		ids[i] = uint32(key)
	}
	for _, w := range n.Words {
		e.narrow(found, query.Term{Word: w})
	}
	if len(ids) > 1 {
		if unsure := e.sieve(found, ids); unsure.count() > 0 {
			inHalves(unsure, func(b bitset, first int) { e.words.keepPhrase(b, first, ids) })
			found.or(unsure)
		}
	}
}

// sieve decides by the words' marks, without the texts, wherever each word stands once only: found keeps the slots that
// hold the phrase, and the slots whose texts must be read are returned.
func (e evaluator) sieve(found bitset, phrase []uint32) (unsure bitset) {
	unsure = e.bits(e.slots)
	slots := found.appendTo(e.emptyList(found.count()))
	inHalves(found, func(half bitset, first int) {
		from, _ := slices.BinarySearch(slots, uint32(first)<<6)
		to, _ := slices.BinarySearch(slots, uint32(first+len(half))<<6)
		e.sieveSome(found, unsure, slots[from:to], phrase)
	})
	unsure.and(found)
	found.andNot(unsure)
	return unsure
}

func (e evaluator) sieveSome(found, unsure bitset, slots, phrase []uint32) {
	last := e.marksOf(phrase[0], slots)
	for _, word := range phrase[1:] {
		next := e.marksOf(word, slots)
		for j, slot := range slots {
			switch {
			case !last[j].once() || !next[j].once():
				unsure.set(slot)
			case last[j].first()+1 != next[j].first():
				found.clear(slot)
			}
		}
		last = next
	}
}

// marksOf are the word's marks in slots that all have it.
func (e evaluator) marksOf(word uint32, slots []uint32) []mark {
	marks := make([]mark, len(slots))
	e.words.eachOf(int(word), slots, func(j int, place uint32) { marks[j] = e.words.marks[place] })
	return marks
}

// keepPhrase drops the slots whose text has not the words side by side; first is the number of b's first word.
func (w *words) keepPhrase(b bitset, first int, phrase []uint32) {
	for i, word := range b {
		for rest := word; rest != 0; rest &= rest - 1 {
			bit := bits.TrailingZeros64(rest)
			if !holdsRun(w.text(uint32((first+i)<<6+bit)), phrase) {
				word &^= 1 << bit
			}
		}
		b[i] = word
	}
}

// holdsRun holds if the phrase stands in the text. It never reaches from a name into the description: none is
// between them.
func holdsRun(text, phrase []uint32) bool {
	head, second := phrase[0], phrase[1]
	for i := 0; i+len(phrase) <= len(text); i++ {
		if text[i] == head && text[i+1] == second && slices.Equal(text[i+2:i+len(phrase)], phrase[2:]) {
			return true
		}
	}
	return false
}
