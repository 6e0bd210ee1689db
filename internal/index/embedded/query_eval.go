package embedded

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/opencapi/capi/internal/query"
)

// evaluator evaluates a query's nodes over one part as sets of slots. Its sets may include deleted slots; only matches
// removes them.
type evaluator struct {
	*part
	*arena
	forms *formsIn // of the part
}

// matches returns the live slots that match the node; nil matches all.
func (e evaluator) matches(n query.Node) bitset {
	found := e.eval(e.resolve(n))
	e.removeDeleted(found)
	return found
}

// resolve replaces each Word by those of its forms whose words the part has. Most splits of a word have none. It leaves out Within,
// which matters for relevance alone.
func (e evaluator) resolve(n query.Node) query.Node {
	switch n := n.(type) {
	case query.And:
		parts := make(query.And, len(n))
		for i, part := range n {
			parts[i] = e.resolve(part)
		}
		return parts
	case query.Or:
		parts := make(query.Or, len(n))
		for i, part := range n {
			parts[i] = e.resolve(part)
		}
		return parts
	case query.Not:
		return query.Not{Node: e.resolve(n.Node)}
	case query.Within:
		return e.resolve(n.Node)
	case query.Word:
		present := e.forms.of(n.Forms)
		if len(present) == 1 {
			return present[0].form.Simple()
		}
		forms := make(query.Or, len(present))
		for i, f := range present {
			forms[i] = f.form.Simple()
		}
		return forms
	}
	return n
}

// keysOf returns the ids of the words that match the i-th word of a form, from inclusive, to exclusive.
func (w *words) keysOf(form query.Phrase, i int) (from, to int) {
	if form.Prefix && i == len(form.Words)-1 {
		return w.prefixRange(form.Words[i])
	}
	key, ok := w.find(form.Words[i])
	if !ok {
		return 0, 0
	}
	return key, key + 1
}

// eval returns the slots that match the node, as a new set.
func (e evaluator) eval(n query.Node) bitset {
	switch n := n.(type) {
	case query.And:
		return e.evalAnd(n)
	case query.Phrase:
		return e.evalPhrase(n)
	case query.OneOf:
		if set, ok := e.storedSet(n); ok {
			return e.copyOf(set)
		}
	}
	found := e.bits(e.slots)
	e.addTo(found, n)
	return found
}

// addTo adds the slots that match the node.
func (e evaluator) addTo(found bitset, n query.Node) {
	switch n := n.(type) {
	case nil:
		found.setFirst(e.slots)
	case query.Or:
		for _, part := range n {
			e.addTo(found, part)
		}
	case query.OneOf:
		e.eachValue(n, func(v *values, key int) { v.orInto(key, found) })
	case query.Prefix:
		e.eachWithPrefix(n, func(v *values, key int) { v.orInto(key, found) })
	case query.Range:
		for _, slot := range e.inRange(n) {
			found.set(slot)
		}
	case query.Term:
		from, to := e.words.keysOf(formOf(n), 0)
		for key := from; key < to; key++ {
			if n.InName {
				e.words.eachNamed(key, found.set)
			} else {
				e.words.orInto(key, found)
			}
		}
	case query.Domain:
		for _, slot := range e.domains.withPrefix(n.Name, n.Prefix) {
			found.set(slot)
		}
	case query.Connected:
		e.addConnected(found, n)
	case query.InSet:
		e.addSet(found, n.Set)
	case query.Not:
		e.addComplement(found, n)
	case query.And, query.Phrase:
		inner := e.eval(n)
		found.or(inner)
		e.release(inner)
	}
}

func (e evaluator) addComplement(found bitset, n query.Not) {
	inner := e.eval(n.Node)
	all := e.bits(e.slots)
	all.setFirst(e.slots)
	all.andNot(inner)
	found.or(all)
	e.release(inner)
	e.release(all)
}

// evalAnd starts with the part that matches the fewest slots and narrows the set by the others, expensive ones last.
func (e evaluator) evalAnd(n query.And) bitset {
	if len(n) == 0 {
		return e.eval(nil)
	}
	type weighed struct {
		node     query.Node
		dear     bool
		estimate int
	}
	parts := make([]weighed, len(n))
	for i, part := range n {
		parts[i] = weighed{part, isExpensive(part), e.estimate(part)}
	}
	slices.SortStableFunc(parts, func(a, b weighed) int {
		if a.dear != b.dear {
			if b.dear {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.estimate, b.estimate)
	})
	found := e.eval(parts[0].node)
	for _, part := range parts[1:] {
		e.narrow(found, part.node)
	}
	return found
}

// narrow removes the slots that do not match the node from the set.
func (e evaluator) narrow(found bitset, n query.Node) {
	switch n := n.(type) {
	case nil:
		return
	case query.And:
		for _, part := range n {
			e.narrow(found, part)
		}
		return
	case query.Range:
		e.narrowRange(found, n)
		return
	case query.Phrase:
		e.narrowPhrase(found, n)
		return
	case query.Not:
		e.narrowNot(found, n)
		return
	case query.InSet:
		if slots, ok := e.cachedSlots(n.Set); ok {
			found.and(slots)
			return
		}
	case query.Or:
		if isExpensive(n) {
			e.narrowOr(found, n)
			return
		}
	case query.Term:
		if key, ok := e.words.find(n.Word); ok && !n.Prefix && !n.InName && e.words.dense(key) {
			found.and(e.words.set(key))
			return
		}
	}
	o := e.eval(n)
	found.and(o)
	e.release(o)
}

func (e evaluator) narrowNot(found bitset, n query.Not) {
	if in, ok := n.Node.(query.InSet); ok {
		e.removeSet(found, in.Set)
		return
	}
	if !isExpensive(n.Node) {
		o := e.eval(n.Node)
		found.andNot(o)
		e.release(o)
		return
	}
	inner := e.copyOf(found)
	e.narrow(inner, n.Node)
	found.andNot(inner)
	e.release(inner)
}

// narrowOr has each part check only the slots in the set.
func (e evaluator) narrowOr(found bitset, n query.Or) {
	met := e.bits(e.slots)
	for _, part := range n {
		o := e.copyOf(found)
		e.narrow(o, part)
		met.or(o)
		e.release(o)
	}
	found.and(met)
	e.release(met)
}

func (e evaluator) copyOf(b bitset) bitset {
	c := e.uninitBits(e.slots)
	copy(c, b)
	return c
}

// isExpensive reports whether evaluating the node reads the text of each candidate.
func isExpensive(n query.Node) bool {
	switch n := n.(type) {
	case query.Phrase:
		return true
	case query.And:
		return slices.ContainsFunc(n, isExpensive)
	case query.Or:
		return slices.ContainsFunc(n, isExpensive)
	case query.Not:
		return isExpensive(n.Node)
	}
	return false
}

// estimate returns an upper bound of the number of slots that match the node.
func (e evaluator) estimate(n query.Node) int {
	sum := 0
	switch n := n.(type) {
	case query.Or:
		for _, part := range n {
			sum += e.estimate(part)
		}
	case query.And:
		sum = e.slots
		for _, part := range n {
			sum = min(sum, e.estimate(part))
		}
	case query.OneOf:
		e.eachValue(n, func(v *values, key int) { sum += v.count(key) })
	case query.Prefix:
		e.eachWithPrefix(n, func(v *values, key int) { sum += v.count(key) })
	case query.Range:
		sum = len(e.inRange(n))
	case query.Term:
		from, to := e.words.keysOf(formOf(n), 0)
		sum = int(e.words.starts[to] - e.words.starts[from])
	case query.Phrase:
		sum = e.slots
		for i := range n.Words {
			sum = min(sum, e.estimate(termOf(n, i)))
		}
	case query.Domain:
		sum = len(e.domains.withPrefix(n.Name, n.Prefix))
	case query.Connected:
		e.eachLink(n, func(from, to uint32) { sum += int(to - from) })
	case query.InSet:
		sum = n.Set.Len()
	default:
		sum = e.slots
	}
	return min(sum, e.slots)
}

func (e evaluator) eachValue(n query.OneOf, fn func(v *values, key int)) {
	f, ok := fieldOf(n.Field)
	if !ok {
		return
	}
	v := &e.values[f]
	for _, value := range n.Values {
		if key, ok := v.find(value); ok {
			fn(v, key)
		}
	}
}

// storedSet returns the stored set of slots if the node asks for a single value and its postings are a bit set.
func (e evaluator) storedSet(n query.OneOf) (set bitset, ok bool) {
	if len(n.Values) != 1 {
		return nil, false
	}
	e.eachValue(n, func(v *values, key int) {
		if v.dense(key) {
			set, ok = v.set(key), true
		}
	})
	return set, ok
}

func (e evaluator) eachWithPrefix(n query.Prefix, fn func(v *values, key int)) {
	f, ok := fieldOf(n.Field)
	if !ok {
		return
	}
	v := &e.values[f]
	from, to := v.prefixRange(n.Value)
	for key := from; key < to; key++ {
		fn(v, key)
	}
}

// inRange returns the slots whose values are in the range, in the order of the values.
func (e evaluator) inRange(n query.Range) []uint32 {
	f, ok := intFieldOf(n.Field)
	if !ok {
		return nil
	}
	return e.ints[f].inRange(n.Min, n.Max)
}

// narrowRange checks the candidates one by one, unless they outnumber the slots in the range.
func (e evaluator) narrowRange(found bitset, n query.Range) {
	f, ok := intFieldOf(n.Field)
	if !ok {
		clear(found)
		return
	}
	inRange := e.ints[f].inRange(n.Min, n.Max)
	if len(inRange) < found.count() {
		o := e.eval(n)
		found.and(o)
		e.release(o)
		return
	}
	low, high := int64(unknown+1), int64(math.MaxInt64)
	if n.Min != nil {
		low = max(low, *n.Min)
	}
	if n.Max != nil {
		high = *n.Max
	}
	parallelShards(found, func(shard bitset, first int) { shard.keepBetween(e.ints[f].values[first<<6:], low, high) })
}

// addConnected adds the slots with a connection that matches all given parts of the node.
func (e evaluator) addConnected(found bitset, n query.Connected) {
	relations := &e.values[fieldConnectionCategory]
	category, known := none, true
	if n.Category != "" {
		key, ok := relations.find(n.Category)
		category, known = uint32(key), ok
	}
	switch {
	case !known:
	case n.Domain == "" && n.Company.IsZero() && category == none:
		for key := range relations.len() {
			relations.orInto(key, found)
		}
	case n.Domain == "" && n.Company.IsZero():
		relations.orInto(int(category), found)
	default:
		e.eachLink(n, func(from, to uint32) {
			for i := from; i < to; i++ {
				if category == none || e.links.category(i) == category {
					found.set(e.links.slots[i])
				}
			}
		})
	}
}

// eachLink calls fn with the index ranges of the links that lead to the node's target, whatever their category.
func (e evaluator) eachLink(n query.Connected, fn func(from, to uint32)) {
	if n.Domain == "" && n.Company.IsZero() {
		fn(0, uint32(len(e.links.slots)))
		return
	}
	e.links.eachTarget(n.Domain, n.Company, func(t int) { fn(e.links.starts[t], e.links.starts[t+1]) })
}

// formOf returns the term as a form.
func formOf(n query.Term) query.Phrase {
	return query.Phrase{Words: []string{n.Word}, Prefix: n.Prefix, InName: n.InName}
}

// termOf returns the i-th word of a phrase.
func termOf(n query.Phrase, i int) query.Term {
	return query.Term{Word: n.Words[i], Prefix: n.Prefix && i == len(n.Words)-1, InName: n.InName}
}

func (e evaluator) evalPhrase(n query.Phrase) bitset {
	found := e.bits(e.slots)
	if len(n.Words) == 0 {
		found.setFirst(e.slots)
		return found
	}
	rarest := termOf(n, 0)
	for i := range n.Words {
		if t := termOf(n, i); e.estimate(t) < e.estimate(rarest) {
			rarest = t
		}
	}
	e.addTo(found, rarest)
	e.narrowPhrase(found, n)
	return found
}

// narrowPhrase keeps the slots that have all the words, then checks their positions and texts.
func (e evaluator) narrowPhrase(found bitset, n query.Phrase) {
	phrase := wordRun{ids: make([]uint32, len(n.Words)), inName: n.InName}
	for i := range n.Words {
		from, to := e.words.keysOf(n, i)
		if from == to {
			clear(found)
			return
		}
		phrase.ids[i], phrase.lastEnd = uint32(from), uint32(to)
	}
	for i := range n.Words {
		e.narrow(found, termOf(n, i))
	}
	undecided := found
	if !phrase.isOpen() && !phrase.inName {
		undecided = e.narrowByPosition(found, phrase.ids)
	}
	if undecided.count() > 0 {
		parallelShards(undecided, func(b bitset, first int) { e.words.narrowByText(b, first, phrase) })
		found.or(undecided)
	}
}

// wordRun is a phrase as ids of words. The last word may be any from its id to below lastEnd.
type wordRun struct {
	ids     []uint32
	lastEnd uint32
	inName  bool // the description does not count
}

func (p wordRun) last() uint32 { return p.ids[len(p.ids)-1] }

// isOpen reports whether several words can come last.
func (p wordRun) isOpen() bool { return p.lastEnd != p.last()+1 }

// narrowByPosition removes the slots where the words' first positions rule the phrase out, where each word occurs once. It
// moves the slots whose texts must be read from found to the returned set. All the slots must have all the words.
func (e evaluator) narrowByPosition(found bitset, phrase []uint32) (undecided bitset) {
	undecided = e.bits(e.slots)
	parallelShards(found, func(shard bitset, first int) {
		all := make([]seeker, len(phrase))
		for i, word := range phrase {
			all[i] = e.words.seeker(int(word))
		}
		for i, word := range shard {
			for rest := word; rest != 0; rest &= rest - 1 {
				bit := rest & -rest
				switch e.words.areInOrder(all, uint32((first+i)<<6+bits.TrailingZeros64(rest))) {
				case yes:
				case no:
					word &^= bit
				case unclear:
					word &^= bit
					undecided[first+i] |= bit
				}
			}
			shard[i] = word
		}
	})
	return undecided
}

// certainty is whether a phrase occurs, as far as it is known without reading the text.
type certainty uint8

const (
	yes certainty = iota
	no
	unclear
)

// areInOrder reports whether the words occur one after the other in the slot, all of which must be there.
func (w *words) areInOrder(all []seeker, slot uint32) certainty {
	is := yes
	last := w.occurrenceIn(&all[0], slot)
	if len(all) == 1 && last.firstPosition() == positionUnknown { // it may be a joint
		return unclear
	}
	for i := range all[1:] {
		next := w.occurrenceIn(&all[1+i], slot)
		switch {
		case !last.single() || !next.single():
			is = unclear
		case last.firstPosition()+1 != next.firstPosition():
			return no
		}
		last = next
	}
	return is
}

// occurrenceIn returns the occurrence of a word in the slot, 0 for none.
func (w *words) occurrenceIn(word *seeker, slot uint32) occurrence {
	if pos, ok := word.seek(slot); ok {
		return w.occurrences[pos]
	}
	return 0
}

// narrowByText removes the slots whose text does not contain the phrase; first is the index of b's first word.
func (w *words) narrowByText(b bitset, first int, phrase wordRun) {
	for i, word := range b {
		for rest := word; rest != 0; rest &= rest - 1 {
			bit := bits.TrailingZeros64(rest)
			if !phrase.isIn(w.text(uint32((first+i)<<6 + bit))) {
				word &^= 1 << bit
			}
		}
		b[i] = word
	}
}

// isIn reports whether the text contains the phrase. No match spans name and description, because none separates them.
func (p wordRun) isIn(text []uint32) bool {
	if p.inName {
		text = text[:max(0, slices.Index(text, none))]
	}
	first, last := p.ids[:len(p.ids)-1], p.last()
	width := p.lastEnd - last
	for i := 0; i+len(first) < len(text); i++ {
		if text[i+len(first)]-last < width && slices.Equal(text[i:i+len(first)], first) {
			return true
		}
	}
	return false
}
