package index

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Relevance is BM25 (Robertson and Zaragoza, 2009) of the name and of the description. Each is saturated on its own, then
// they are added with weights, so that a word in the name outweighs any number of occurrences in the description. The
// lengths of descriptions vary much more than those of names, and a long name says little: hence two values of b. Users who
// type a name want the company with that name. So the share of the name that a word makes up counts too, and whether the
// name begins with the word, ignoring a leading "the". Of several companies with the same name most users mean the largest:
// beyond 64 employees, the score of the name grows with each doubling, by up to 27 percent. An unknown size counts as small.
const (
	RankK1           = 1.2
	RankNameB        = 0.35
	RankDescriptionB = 0.75
	RankNameWeight   = 3
	RankNameShare    = 2.5
	RankNameStart    = 0.8
	rankSize         = 0.015

	// The share of its score that a form other than the one that was typed counts; that of a word that is two of the query at
	// once, for each of them; and that of a form beside the best one, as in "Children's", which is also found as childrens.
	rankOtherForm  = 0.9
	rankSharedForm = 0.5
	RankSecondForm = 0.1

	// A domain that was asked for counts more than any text.
	RankDomain = 1000
)

// FormWeight returns the share of its score that a form of a word counts, of which typed is the first form. A form with more
// letters includes another word of the query.
func FormWeight[F float32 | float64](form, typed query.Phrase) F {
	switch {
	case slices.Equal(form.Words, typed.Words):
		return 1
	case len(strings.Join(form.Words, "")) > len(strings.Join(typed.Words, "")):
		return rankSharedForm
	}
	return rankOtherForm
}

// SizeFactor returns by how much the score of a name grows with the company's size, from the bit length of its number of
// employees.
func SizeFactor[F float32 | float64](digits int) F {
	const small, huge = 6, 24
	return 1 + rankSize*F(min(max(digits, small), huge)-small)
}

// Ranked is what adds to the relevance of a match: a word of the query, in the best of its forms, or a domain.
type Ranked struct {
	Forms  []query.Phrase // nil for a domain
	Domain query.Domain
}

// EachRanked calls fn for each word and domain that the query searches for, as often as it does so. What it excludes, and what is
// Within, has no relevance.
func EachRanked(n query.Node, fn func(Ranked)) {
	switch n := n.(type) {
	case query.And:
		for _, part := range n {
			EachRanked(part, fn)
		}
	case query.Or:
		for _, part := range n {
			EachRanked(part, fn)
		}
	case query.Term:
		fn(Ranked{Forms: []query.Phrase{{Words: []string{n.Word}, Prefix: n.Prefix, InName: n.InName}}})
	case query.Phrase:
		for i, w := range n.Words {
			if w != text.Break {
				fn(Ranked{Forms: []query.Phrase{{Words: n.Words[i : i+1], Prefix: n.Prefix && i == len(n.Words)-1, InName: n.InName}}})
			}
		}
	case query.Word:
		fn(Ranked{Forms: n.Forms})
	case query.Domain:
		if strings.Contains(n.Name, ".") { // the beginning of any word may also be that of a domain
			fn(Ranked{Domain: n})
		}
	}
}

// Key returns a text that differs for different words and domains.
func (r Ranked) Key() string {
	var b strings.Builder
	mark := func(on bool, as byte) {
		if on {
			b.WriteByte(as)
		}
	}
	for _, f := range r.Forms {
		for _, w := range f.Words {
			b.WriteString(w)
			b.WriteByte(' ')
		}
		mark(f.Prefix, '*')
		mark(f.InName, '^')
		b.WriteByte('\n')
	}
	b.WriteString(r.Domain.Name)
	mark(r.Domain.Prefix, '*')
	return b.String()
}
