package embedded

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/query"
)

// termIn holds those forms of a term whose words a part has.
type termIn []formIn

// formIn is a form of a term: words that count as one if a text has all of them. That they are adjacent is not checked:
// a match that only mentions them would gain little.
type formIn struct {
	words  []wordIn
	weight float32
}

// wordIn is a word of a form: a key of the part or, if several words begin like it, their occurrences by slot, 0 for none.
type wordIn struct {
	key    int
	bySlot []occurrence
}

// termsIn returns the terms of a ranking as the part has them.
func (h *hits) termsIn(r *ranking) []termIn {
	all := make([]termIn, len(r.terms))
	for i, t := range r.terms {
		for _, form := range t.forms {
			if h.words.hasAll(form) {
				all[i] = append(all[i], h.formIn(form, weightOf(form, t.forms[0])))
			}
		}
	}
	return all
}

// weightOf returns the weight of a form of a word, of which typed is the first form. A form with more letters includes another
// word of the query.
func weightOf(form, typed query.Phrase) float32 {
	switch {
	case slices.Equal(form.Words, typed.Words):
		return 1
	case len(strings.Join(form.Words, "")) > len(strings.Join(typed.Words, "")):
		return rankSharedForm
	}
	return rankOtherForm
}

func (h *hits) formIn(form query.Phrase, weight float32) formIn {
	f := formIn{make([]wordIn, len(form.Words)), weight}
	for i := range form.Words {
		from, to := h.words.keysOf(form, i)
		if f.words[i].key = from; to > from+1 {
			f.words[i].bySlot = h.words.together(from, to)
		}
	}
	return f
}

// together returns by slot how often any of the words occurs, and where first.
func (w *words) together(from, to int) []occurrence {
	all := make([]occurrence, w.slots)
	for key := from; key < to; key++ {
		w.each(key, func(slot, pos uint32) { all[slot] = all[slot].plus(w.occurrences[pos]) })
	}
	return all
}

// plus returns the occurrences of either of two words; m is 0 for none.
func (m occurrence) plus(o occurrence) occurrence {
	if m == 0 {
		return o
	}
	name := min(m.nameCount()+o.nameCount(), occurrenceNameMax/occurrenceName)
	description := min(m.descriptionCount()+o.descriptionCount(), occurrenceDescriptionMax/occurrenceDescription)
	return occurrence(name*occurrenceName+description*occurrenceDescription) + min(m&positionUnknown, o&positionUnknown)
}

// with returns the occurrences of a phrase of both words, the first of which is m. It may be less often.
func (m occurrence) with(o occurrence) occurrence {
	name, description := min(m.nameCount(), o.nameCount()), min(m.descriptionCount(), o.descriptionCount())
	return occurrence(name*occurrenceName+description*occurrenceDescription) + m&positionUnknown
}

// eachOccurrence yields those of the slots that have the word: the index in slots, and its occurrences.
func (h *hits) eachOccurrence(of wordIn, slots []uint32, yield func(j int, m occurrence)) {
	if of.bySlot == nil {
		h.words.eachIn(of.key, slots, func(j int, pos uint32) { yield(j, h.words.occurrences[pos]) })
		return
	}
	for j, slot := range slots {
		if m := of.bySlot[slot]; m != 0 {
			yield(j, m)
		}
	}
}

// eachTogether yields those of the slots that have all words of a form.
func (h *hits) eachTogether(form formIn, slots []uint32, yield func(j int, m occurrence)) {
	if len(form.words) == 1 {
		h.eachOccurrence(form.words[0], slots, yield)
		return
	}
	found := make([]occurrence, len(slots))
	h.eachOccurrence(form.words[0], slots, func(j int, m occurrence) { found[j] = m })
	for _, word := range form.words[1:] {
		both := make([]occurrence, len(slots))
		h.eachOccurrence(word, slots, func(j int, m occurrence) {
			if first := found[j]; first != 0 {
				both[j] = first.with(m)
			}
		})
		found = both
	}
	for j, m := range found {
		if m.nameCount()+m.descriptionCount() > 0 {
			yield(j, m)
		}
	}
}
