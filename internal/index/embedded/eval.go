package embedded

import (
	"cmp"
	"slices"

	"github.com/opencapi/capi/internal/query"
)

// evaluator answers a query's nodes over one part with sets of slots. The dead are in these sets: matches drops them.
type evaluator struct {
	*part
	*arena
}

// matches is the set of the living companies' slots that meet the node; nil meets all.
func (e evaluator) matches(n query.Node) bitset {
	found := e.fill(n)
	e.dropDead(found)
	return found
}

// fill gives a fresh set of the slots that meet the node.
func (e evaluator) fill(n query.Node) bitset {
	switch n := n.(type) {
	case query.And:
		return e.fillAnd(n)
	case query.Phrase:
		return e.fillPhrase(n)
	case query.OneOf:
		if set, ok := e.onlySet(n); ok {
			return e.copyOf(set)
		}
	}
	found := e.bits(e.slots)
	e.addTo(found, n)
	return found
}

// addTo adds the slots that meet the node.
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
		e.eachPrefixed(n, func(v *values, key int) { v.orInto(key, found) })
	case query.Range:
		for _, slot := range e.between(n) {
			found.set(slot)
		}
	case query.Term:
		if key, ok := e.words.find(n.Word); ok {
			e.words.orInto(key, found)
		}
	case query.Connected:
		e.addConnected(found, n)
	case query.Not:
		e.addOther(found, n)
	case query.And, query.Phrase:
		inner := e.fill(n)
		found.or(inner)
		e.giveBack(inner)
	}
}

func (e evaluator) addOther(found bitset, n query.Not) {
	inner := e.fill(n.Node)
	all := e.bits(e.slots)
	all.setFirst(e.slots)
	all.andNot(inner)
	found.or(all)
	e.giveBack(inner)
	e.giveBack(all)
}

// fillAnd starts from the part that meets the fewest and lets the others take away from it, dear ones last.
func (e evaluator) fillAnd(n query.And) bitset {
	if len(n) == 0 {
		return e.fill(nil)
	}
	type weighed struct {
		node     query.Node
		dear     bool
		estimate int
	}
	parts := make([]weighed, len(n))
	for i, part := range n {
		parts[i] = weighed{part, isDear(part), e.estimate(part)}
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
	found := e.fill(parts[0].node)
	for _, part := range parts[1:] {
		e.narrow(found, part.node)
	}
	return found
}

// narrow drops from the set the slots that do not meet the node.
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
	case query.Or:
		if isDear(n) {
			e.narrowOr(found, n)
			return
		}
	case query.Term:
		if key, ok := e.words.find(n.Word); ok && e.words.dense(key) {
			found.and(e.words.set(key))
			return
		}
	}
	o := e.fill(n)
	found.and(o)
	e.giveBack(o)
}

func (e evaluator) narrowNot(found bitset, n query.Not) {
	if !isDear(n.Node) {
		o := e.fill(n.Node)
		found.andNot(o)
		e.giveBack(o)
		return
	}
	inner := e.copyOf(found)
	e.narrow(inner, n.Node)
	found.andNot(inner)
	e.giveBack(inner)
}

// narrowOr lets each part check only what is left to check.
func (e evaluator) narrowOr(found bitset, n query.Or) {
	met := e.bits(e.slots)
	for _, part := range n {
		o := e.copyOf(found)
		e.narrow(o, part)
		met.or(o)
		e.giveBack(o)
	}
	found.and(met)
	e.giveBack(met)
}

func (e evaluator) copyOf(b bitset) bitset {
	c := e.dirtyBits(e.slots)
	copy(c, b)
	return c
}

// isDear holds for nodes that look at each candidate's text.
func isDear(n query.Node) bool {
	switch n := n.(type) {
	case query.Phrase:
		return true
	case query.And:
		return slices.ContainsFunc(n, isDear)
	case query.Or:
		return slices.ContainsFunc(n, isDear)
	case query.Not:
		return isDear(n.Node)
	}
	return false
}

// estimate bounds from above how many slots meet the node.
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
		e.eachPrefixed(n, func(v *values, key int) { sum += v.count(key) })
	case query.Range:
		sum = len(e.between(n))
	case query.Term:
		if key, ok := e.words.find(n.Word); ok {
			sum = e.words.count(key)
		}
	case query.Phrase:
		sum = e.slots
		for _, w := range n.Words {
			sum = min(sum, e.estimate(query.Term{Word: w}))
		}
	case query.Connected:
		e.eachLink(n, func(from, to uint32) { sum += int(to - from) })
	default:
		sum = e.slots
	}
	return min(sum, e.slots)
}
