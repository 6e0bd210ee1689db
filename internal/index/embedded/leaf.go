package embedded

import (
	"math"

	"github.com/opencapi/capi/internal/query"
)

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

// onlySet is the set of who has the value, if the node asks for one only and it stands as a set.
func (e evaluator) onlySet(n query.OneOf) (set bitset, ok bool) {
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

func (e evaluator) eachPrefixed(n query.Prefix, fn func(v *values, key int)) {
	f, ok := fieldOf(n.Field)
	if !ok {
		return
	}
	v := &e.values[f]
	from, to := v.prefixed(n.Value)
	for key := from; key < to; key++ {
		fn(v, key)
	}
}

// between is the slots of a range, in the order of their values.
func (e evaluator) between(n query.Range) []uint32 {
	f, ok := intFieldOf(n.Field)
	if !ok {
		return nil
	}
	return e.ints[f].between(n.Min, n.Max)
}

// narrowRange checks the candidates one by one, unless there are more of them than slots in the range.
func (e evaluator) narrowRange(found bitset, n query.Range) {
	f, ok := intFieldOf(n.Field)
	if !ok {
		clear(found)
		return
	}
	inRange := e.ints[f].between(n.Min, n.Max)
	if len(inRange) < found.count() {
		o := e.fill(n)
		found.and(o)
		e.giveBack(o)
		return
	}
	low, high := int64(unknown+1), int64(math.MaxInt64)
	if n.Min != nil {
		low = max(low, *n.Min)
	}
	if n.Max != nil {
		high = *n.Max
	}
	inHalves(found, func(half bitset, first int) { half.keepBetween(e.ints[f].values[first<<6:], low, high) })
}

// addConnected adds the slots with a connection that meets every part given.
func (e evaluator) addConnected(found bitset, n query.Connected) {
	relations := &e.values[fieldRelation]
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

// eachLink calls fn with the spans of links that lead where the node says, whatever their category.
func (e evaluator) eachLink(n query.Connected, fn func(from, to uint32)) {
	if n.Domain == "" && n.Company.IsZero() {
		fn(0, uint32(len(e.links.slots)))
		return
	}
	e.links.eachTarget(n.Domain, n.Company, func(t int) { fn(e.links.starts[t], e.links.starts[t+1]) })
}
