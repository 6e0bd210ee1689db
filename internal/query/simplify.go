package query

import (
	"cmp"
	"slices"
)

// Simplify returns an equivalent tree that is cheaper to answer: flat And and Or without repetition, in a canonical
// order, OneOf of one field merged inside Or, ranges of one field merged inside And, no double Not, and nil (matches
// every company) or Or{} (matches none) where nothing is left to ask. Simplify again changes nothing.
func Simplify(n Node) Node {
	n = simplify(n)
	if and, ok := n.(And); ok && len(and) == 0 {
		return nil
	}
	return n
}

func simplify(n Node) Node {
	switch n := n.(type) {
	case nil:
		return And{}
	case And:
		return simplifyAnd(n)
	case Or:
		return simplifyOr(n)
	case Not:
		return simplifyNot(n)
	case Within:
		return simplifyWithin(n)
	case OneOf:
		return simplifyOneOf(n)
	case Range:
		if n.Min != nil && n.Max != nil && *n.Min > *n.Max {
			return Or{}
		}
	case Word:
		if n.Forms = distinctForms(slices.Clone(n.Forms)); len(n.Forms) == 1 {
			return n.Forms[0].Simple()
		}
		return n
	}
	return n
}

// Simple returns the form of a Word as a condition of its own: a Term if it is one word.
func (n Phrase) Simple() Node {
	if len(n.Words) == 1 {
		return Term{n.Words[0], n.Prefix, n.InName}
	}
	return n
}

func simplifyAnd(n And) Node {
	var parts And
	for _, part := range n {
		switch part := simplify(part).(type) {
		case And:
			parts = append(parts, part...)
		case Or:
			if len(part) == 0 {
				return part
			}
			parts = append(parts, part)
		default:
			parts = append(parts, part)
		}
	}
	parts, ok := mergeRanges(parts)
	if !ok {
		return Or{}
	}
	parts = distinct(parts)
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

func simplifyOr(n Or) Node {
	var parts Or
	for _, part := range n {
		switch part := simplify(part).(type) {
		case Or:
			parts = append(parts, part...)
		case And:
			if len(part) == 0 {
				return part
			}
			parts = append(parts, part)
		default:
			parts = append(parts, part)
		}
	}
	parts = distinct(mergeOneOfs(parts))
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

func simplifyNot(n Not) Node {
	switch inner := simplify(n.Node).(type) {
	case Not:
		return inner.Node
	case And:
		if len(inner) == 0 {
			return Or{}
		}
		return Not{inner}
	case Or:
		if len(inner) == 0 {
			return And{}
		}
		return Not{inner}
	default:
		return Not{inner}
	}
}

// simplifyWithin leaves out a Within around what has no relevance anyway.
func simplifyWithin(n Within) Node {
	switch inner := simplify(n.Node).(type) {
	case And:
		if len(inner) == 0 {
			return inner
		}
		return Within{inner}
	case Or:
		if len(inner) == 0 {
			return inner
		}
		return Within{inner}
	case Within, InSet, Not:
		return inner
	default:
		return Within{inner}
	}
}

func simplifyOneOf(n OneOf) Node {
	if len(n.Values) == 0 {
		return Or{}
	}
	values := slices.Compact(slices.Sorted(slices.Values(n.Values)))
	return OneOf{n.Field, values}
}

// mergeRanges intersects the ranges of each field. It returns false if an intersection is empty.
func mergeRanges(parts And) (And, bool) {
	ranges := map[Field]Range{}
	var rest And
	for _, part := range parts {
		r, ok := part.(Range)
		if !ok {
			rest = append(rest, part)
			continue
		}
		old, seen := ranges[r.Field]
		if !seen {
			old = r
		}
		ranges[r.Field] = Range{r.Field, tighter(old.Min, r.Min, 1), tighter(old.Max, r.Max, -1)}
	}
	for _, r := range ranges {
		if r.Min != nil && r.Max != nil && *r.Min > *r.Max {
			return nil, false
		}
		rest = append(rest, r)
	}
	return rest, true
}

// tighter is the greater of two lower bounds (sign 1) or the lesser of two upper ones (sign -1); nil is open.
func tighter(a, b *int64, sign int) *int64 {
	if a == nil || b != nil && cmp.Compare(*b, *a) == sign {
		return b
	}
	return a
}

// mergeOneOfs unites the values of each field.
func mergeOneOfs(parts Or) Or {
	values := map[Field][]string{}
	var rest Or
	for _, part := range parts {
		if o, ok := part.(OneOf); ok {
			values[o.Field] = append(values[o.Field], o.Values...)
		} else {
			rest = append(rest, part)
		}
	}
	for f, v := range values {
		rest = append(rest, simplifyOneOf(OneOf{f, v}))
	}
	return rest
}

// distinct sorts the parts by their canonical bytes and drops repetitions.
func distinct[S ~[]Node](parts S) S {
	keys := make(map[string]Node, len(parts))
	for _, part := range parts {
		keys[string(appendNode(nil, part))] = part
	}
	type keyed struct {
		key  string
		node Node
	}
	var all []keyed
	for k, n := range keys {
		all = append(all, keyed{k, n})
	}
	slices.SortFunc(all, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	out := make(S, len(all))
	for i, k := range all {
		out[i] = k.node
	}
	return out
}
