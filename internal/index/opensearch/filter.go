package opensearch

import (
	"encoding/base64"
	"math"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// numberMax is the largest number that OpenSearch finds in a bitmap.
const numberMax = math.MaxInt32

var (
	everything = object{"exists": object{"field": "n"}} // but no removed company, and no state
	nothing    = object{"match_none": object{}}
)

// filterOf returns the query that matches what query.Match does.
func filterOf(n query.Node) object {
	switch n := n.(type) {
	case nil:
		return everything
	case query.And:
		return all(n)
	case query.Or:
		return anyOf(n)
	case query.Not:
		return all(query.And{n})
	case query.Within:
		return filterOf(n.Node)
	case query.OneOf:
		values := make([]string, len(n.Values))
		for i, v := range n.Values {
			values[i] = term(v)
		}
		return object{"terms": object{valueFields[n.Field]: values}}
	case query.Prefix:
		return object{"prefix": object{valueFields[n.Field]: n.Value}}
	case query.Range:
		return rangeQuery(n)
	case query.Term:
		return termQuery(n)
	case query.Phrase:
		return phraseQuery(n)
	case query.Word:
		return anyOf(query.Or{n})
	case query.Domain:
		return domainQuery(n)
	case query.Connected:
		end := ""
		if !n.Company.IsZero() {
			end = n.Company.String()
		}
		return object{"term": object{"connected": term(connectionKey([3]string{n.Category, end, n.Domain}))}}
	case query.InSet:
		return inSet(n.Set)
	}
	panic("opensearch: unknown node")
}

// all returns the query for companies that meet every part.
func all(parts query.And) object {
	var must, not []object
	positive := false
	for _, part := range parts {
		if no, ok := part.(query.Not); ok {
			not = append(not, filterOf(no.Node))
			continue
		}
		must, positive = append(must, filterOf(part)), true
	}
	if !positive {
		must = append(must, everything)
	}
	return both(must, not)
}

// both returns the query for what meets every part of must, and none of not.
func both(must, not []object) object {
	if len(not) == 0 && len(must) == 1 {
		return must[0]
	}
	b := object{}
	if len(must) > 0 {
		b["filter"] = must
	}
	if len(not) > 0 {
		b["must_not"] = not
	}
	return object{"bool": b}
}

// either returns the query for what meets any part.
func either(parts []object) object {
	switch {
	case len(parts) == 0:
		return nothing
	case len(parts) == 1:
		return parts[0]
	}
	return object{"bool": object{"should": parts, "minimum_should_match": 1}}
}

// anyOf returns the query for companies that meet any part. Single words are one clause together, and so are pairs, because the
// number of clauses is limited.
func anyOf(parts query.Or) object {
	var rest []object
	terms := map[string][]string{}
	var add func(query.Node)
	add = func(n query.Node) {
		switch n := n.(type) {
		case query.Word:
			for _, f := range n.Forms {
				add(f.Simple())
			}
			return
		case query.Term:
			if !n.Prefix {
				terms[wordField(n)] = append(terms[wordField(n)], term(n.Word))
				return
			}
		case query.Phrase:
			if !n.Prefix && len(n.Words) == 2 {
				terms[pairField(n)] = append(terms[pairField(n)], pair(n.Words[0], n.Words[1]))
				return
			}
		}
		rest = append(rest, filterOf(n))
	}
	for _, part := range parts {
		add(part)
	}
	for field, of := range terms {
		rest = append(rest, object{"terms": object{field: of}})
	}
	return either(rest)
}

// clauses returns how many clauses a query has.
func clauses(q object) (sum int) {
	for kind, of := range q {
		of, ok := of.(object)
		if !ok || kind != "bool" && kind != "dis_max" && kind != "constant_score" {
			return 1
		}
		for _, parts := range of {
			switch parts := parts.(type) {
			case object:
				sum += clauses(parts)
			case []object:
				for _, part := range parts {
					sum += clauses(part)
				}
			}
		}
	}
	return sum
}

func rangeQuery(n query.Range) object {
	bounds := object{}
	if n.Min != nil {
		bounds["gte"] = *n.Min
	}
	if n.Max != nil {
		bounds["lte"] = *n.Max
	}
	field := numberField(n.Field)
	if len(bounds) == 0 {
		return object{"exists": object{"field": field}}
	}
	return object{"range": object{field: bounds}}
}

func numberField(f query.Field) string {
	if f == query.FieldEmployeeCount {
		return "employees"
	}
	return "founded"
}

func termQuery(n query.Term) object {
	return wordQuery(wordField(n), n.Word, n.Prefix)
}

func pairField(n query.Phrase) string {
	if n.InName {
		return "name_pairs"
	}
	return "pairs"
}

func wordField(n query.Term) string {
	if n.InName {
		return "name_words"
	}
	return "words"
}

func wordQuery(field, word string, prefix bool) object {
	if prefix {
		return object{"prefix": object{field: word}}
	}
	return object{"term": object{field: term(word)}}
}

func phraseQuery(n query.Phrase) object {
	field := "text"
	if n.InName {
		field = "name"
	}
	switch len(n.Words) {
	case 1: // not a Term, which also finds what is joined
		return wordQuery(field, n.Words[0], n.Prefix)
	case 2:
		return wordQuery(pairField(n), pair(n.Words[0], n.Words[1]), n.Prefix)
	}
	words := make([]string, len(n.Words))
	for i, w := range n.Words {
		words[i] = term(w)
	}
	phrase := strings.Join(words, " ")
	if n.Prefix {
		return object{"match_phrase_prefix": object{field: object{"query": phrase, "max_expansions": math.MaxInt32}}}
	}
	return object{"match_phrase": object{field: phrase}}
}

// allWords returns the query for companies with all words of a form, wherever they are.
func allWords(f query.Phrase) object {
	var words []object
	for i, w := range f.Words {
		if w != text.Break {
			words = append(words, termQuery(query.Term{Word: w, Prefix: f.Prefix && i == len(f.Words)-1, InName: f.InName}))
		}
	}
	return both(words, nil)
}

func domainQuery(n query.Domain) object { return wordQuery("domain", n.Name, n.Prefix) }

// inSet returns the query for the companies in the set.
func inSet(s company.Set) object {
	if bits := s.Bitmap(); !bits.IsEmpty() && bits.Maximum() > numberMax {
		s = s.And(company.Span(0, numberMax)) // the index has no others
	}
	if s.IsEmpty() {
		return nothing
	}
	return object{"terms": object{"n": []string{base64.StdEncoding.EncodeToString(s.Bytes())}, "value_type": "bitmap"}}
}

// criteria are what a search matches.
type criteria struct {
	root            query.Node
	within, without *company.Set
	excluded        []company.Set
}

// left returns the set that is left out, without and with those that are excluded.
func (c criteria) left() (without, both company.Set) {
	if c.without != nil {
		without = *c.without
	}
	both = without
	for _, set := range c.excluded {
		both = both.Or(set)
	}
	return without, both
}

// matches returns the query for the matches.
func (c criteria) matches() object {
	_, left := c.left()
	return c.matching(nil, left)
}

// leftOut returns the query for the further matches that are left out because they are in excluded; false if there are none.
func (c criteria) leftOut() (object, bool) {
	without, both := c.left()
	rest := both.Minus(without)
	if rest.IsEmpty() {
		return nil, false
	}
	return c.matching(&rest, company.Set{}), true
}

// matching returns the query for what the criteria match in the set among, if it is not nil, and not in left.
func (c criteria) matching(among *company.Set, left company.Set) object {
	within := c.within
	switch {
	case within != nil && among != nil:
		set := within.And(*among)
		within = &set
	case among != nil:
		within = among
	}
	var must, not []object
	if within != nil {
		must = append(must, inSet(within.Minus(left)))
	} else if !left.IsEmpty() {
		not = append(not, inSet(left))
	}
	if c.root != nil || within == nil {
		must = append(must, filterOf(c.root))
	}
	return both(must, not)
}
