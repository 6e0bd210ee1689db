package embedded

import (
	"math/bits"
	"slices"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// formIn is a form of a word in a part that has all its words. For relevance it counts as one word if a text has all of them.
// That they are adjacent is not checked: a match that only mentions them would gain little.
type formIn struct {
	form  query.Phrase
	words []wordIn
}

// wordIn is a word of a form: the keys of the part that match it, from inclusive, to exclusive.
type wordIn struct{ from, to int }

// formsIn looks up which forms a part has. A search asks twice: to find the matches and to rank them. It is not safe for
// concurrent use.
type formsIn struct {
	words *words
	known []knownForms
}

// knownForms are those of some forms that a part has. They are the same forms if the first of them is in the same place.
type knownForms struct {
	first   *query.Phrase
	present []formIn
}

// of returns those of the forms of a word that the part has. Most splits of a word are missing.
func (f *formsIn) of(forms []query.Phrase) []formIn {
	if len(forms) == 0 {
		return nil
	}
	for _, k := range f.known {
		if k.first == &forms[0] {
			return k.present
		}
	}
	var present []formIn
	for _, form := range forms {
		if words, ok := f.words.allOf(form); ok {
			present = append(present, formIn{form, words})
		}
	}
	f.known = append(f.known, knownForms{&forms[0], present})
	return present
}

// allOf returns the keys of the words of a form; ok is false if some word is in no text.
func (w *words) allOf(form query.Phrase) (all []wordIn, ok bool) {
	for i := range form.Words {
		from, to := w.keysOf(form, i)
		if from == to {
			return nil, false
		}
		all = append(all, wordIn{from, to})
	}
	return all, true
}

// rankedIn is a form of a term as a part has it: its weight, and for each word that is the beginning of several, their
// occurrences by slot.
type rankedIn struct {
	formIn
	weight float32
	bySlot [][]occurrence
}

// termsIn returns those forms of each term of a ranking that the part has.
func (h *hits) termsIn(r *ranking) [][]rankedIn {
	all := make([][]rankedIn, len(r.terms))
	for i, t := range r.terms {
		if t.Forms == nil {
			continue
		}
		for _, f := range h.forms.of(t.Forms) {
			in := rankedIn{f, index.FormWeight[float32](f.form, t.Forms[0]), make([][]occurrence, len(f.words))}
			for j, w := range f.words {
				if w.to > w.from+1 {
					in.bySlot[j] = h.words.together(w.from, w.to)
				}
			}
			all[i] = append(all[i], in)
		}
	}
	return all
}

// together returns by slot how often any of the words occurs, and where first.
func (w *words) together(from, to int) []occurrence {
	all := make([]occurrence, w.slots)
	add := func(first, end int) {
		for key := from; key < to; key++ {
			w.addOccurrences(all, key, first, end)
		}
	}
	if w.starts[to]-w.starts[from] < parallelMin || !multicore() {
		add(0, w.slots)
		return all
	}
	middle := w.slots / 2 &^ 63
	runBoth(func() { add(0, middle) }, func() { add(middle, w.slots) })
	return all
}

// addOccurrences adds the occurrences of a word in the slots from first, a multiple of 64, to before end.
func (w *words) addOccurrences(all []occurrence, key, first, end int) {
	pos := w.starts[key]
	if !w.dense(key) {
		list := w.list(key)
		i, _ := slices.BinarySearch(list, uint32(first))
		of := w.occurrences[pos:w.starts[key+1]]
		for ; i < len(list) && int(list[i]) < end; i++ {
			all[list[i]] = all[list[i]].plus(of[i])
		}
		return
	}
	set := w.set(key)
	pos += uint32(set[:first>>6].count())
	for i := first >> 6; i < wordsFor(end); i++ {
		for rest := set[i]; rest != 0; rest &= rest - 1 {
			slot := i<<6 + bits.TrailingZeros64(rest)
			all[slot] = all[slot].plus(w.occurrences[pos])
			pos++
		}
	}
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

// reader reads the occurrences of a form in slots that are asked for in ascending order.
type reader struct {
	*words
	of      *rankedIn
	seekers []seeker // by word; unused where bySlot is set
}

func (w *words) reader(of *rankedIn) reader {
	r := reader{w, of, make([]seeker, len(of.words))}
	for i, word := range of.words {
		r.seekers[i] = w.seeker(word.from)
	}
	return r
}

// at returns the occurrences of the form in the slot, 0 unless it has all words.
func (r *reader) at(slot uint32) occurrence {
	m := r.word(0, slot)
	for i := 1; i < len(r.seekers) && m != 0; i++ {
		if next := r.word(i, slot); next != 0 {
			m = m.with(next)
		} else {
			m = 0
		}
	}
	if m.nameCount()+m.descriptionCount() == 0 {
		return 0
	}
	return m
}

func (r *reader) word(i int, slot uint32) occurrence {
	if all := r.of.bySlot[i]; all != nil {
		return all[slot]
	}
	return r.occurrenceIn(&r.seekers[i], slot)
}
