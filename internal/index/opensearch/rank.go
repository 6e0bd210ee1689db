package opensearch

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// The parameters of relevance are those of the embedded index, but for the average lengths: see the package comment.
const (
	rankK1           = 1.2
	rankNameB        = 0.35
	rankDescriptionB = 0.75
	rankNameWeight   = 3
	rankNameShare    = 2.5
	rankNameStart    = 0.8
	rankSize         = 0.015

	rankOtherForm  = 0.9
	rankSharedForm = 0.5
	rankSecondForm = 0.1
	rankDomain     = 1000

	averageName        = 4.0
	averageDescription = 30.0
)

// rate sets what each word adds to the relevance.
func (d *document) rate(c *company.Company, name, description contents) {
	d.Impact = map[string]float32{}
	length, size := max(1, float64(len(name.tokens))), sizeFactor(c.EmployeeCount)
	for word, in := range counted(name.words()) {
		in = min(in, 7) // as the embedded index counts
		score := rankNameWeight*(rankK1+1)*in/(in+rankK1*(1-rankNameB+rankNameB*length/averageName)) + in*rankNameShare/length
		for _, first := range d.Start {
			if word == first {
				score += rankNameStart
			}
		}
		d.Impact[feature(word)] = float32(score * size)
	}
	norm := rankK1 * (1 - rankDescriptionB + rankDescriptionB*float64(len(description.tokens))/averageDescription)
	for word, in := range counted(description.words()) {
		in = min(in, 31)
		d.Impact[feature(word)] += float32((rankK1 + 1) * in / (in + norm))
	}
	if len(name.tokens) > 0 {
		d.Share = float32(1 / length)
	}
	d.Size = float32(size - 1)
}

func counted(words []string) map[string]float64 {
	counts := make(map[string]float64, len(words))
	for _, w := range words {
		counts[w]++
	}
	return counts
}

// sizeFactor returns how much more a name counts because of the company's size.
func sizeFactor(employees *int64) float64 {
	const small, huge = 6, 24
	if employees == nil {
		return 1
	}
	return 1 + rankSize*float64(min(max(bits.Len64(uint64(max(*employees, 0))), small), huge)-small)
}

// feature returns the name under which the impact of a word is stored, in which a point would mean a field.
func feature(word string) string { return strings.ReplaceAll(word, ".", "·") }

// rankedTerm is a word that adds to the relevance, in the best of its forms, or a domain.
type rankedTerm struct {
	forms  []query.Phrase
	domain query.Domain
	key    string
}

const (
	// rankedMax bounds the size of a cursor, which has a weight for each word. Further words add no relevance.
	rankedMax = 128
	// clausesMax is about how many clauses OpenSearch accepts in a query. Words that do not fit add no relevance.
	clausesMax = 1_000
)

// rankedTerms returns the distinct words and domains that the query searches for, without excluded ones, in an order that
// depends on the query alone.
func rankedTerms(n query.Node) (terms []rankedTerm) {
	seen, left := map[string]bool{}, clausesMax-clauses(filterOf(n))
	eachRanked(n, func(t rankedTerm) {
		if t.key = t.print(); seen[t.key] || len(terms) == rankedMax {
			return
		}
		seen[t.key] = true
		if left -= clauses(t.score(weightUnit)); left >= 0 {
			terms = append(terms, t)
		}
	})
	return terms
}

func eachRanked(n query.Node, add func(rankedTerm)) {
	switch n := n.(type) {
	case query.And:
		for _, part := range n {
			eachRanked(part, add)
		}
	case query.Or:
		for _, part := range n {
			eachRanked(part, add)
		}
	case query.Term:
		add(rankedTerm{forms: []query.Phrase{{Words: []string{n.Word}, Prefix: n.Prefix, InName: n.InName}}})
	case query.Phrase:
		for i, w := range n.Words {
			if w != text.Break {
				add(rankedTerm{forms: []query.Phrase{{Words: n.Words[i : i+1], Prefix: n.Prefix && i == len(n.Words)-1, InName: n.InName}}})
			}
		}
	case query.Word:
		add(rankedTerm{forms: n.Forms})
	case query.Domain:
		if strings.Contains(n.Name, ".") { // the beginning of any word may also be that of a domain
			add(rankedTerm{domain: n})
		}
	}
}

// print returns a text that differs for different terms.
func (t rankedTerm) print() string {
	var b strings.Builder
	flag := func(on bool, mark string) {
		if on {
			b.WriteString(mark)
		}
	}
	for _, f := range t.forms {
		b.WriteString(strings.Join(f.Words, " "))
		flag(f.Prefix, "*")
		flag(f.InName, "^")
		b.WriteByte('\n')
	}
	b.WriteString(t.domain.Name)
	flag(t.domain.Prefix, "*")
	return b.String()
}

// frequency returns a query for the companies with the term, about: those with all words of the first form, or with another form
// of one word.
func (t rankedTerm) frequency() object {
	var forms []object
	for i, f := range t.forms {
		if i == 0 || len(f.Words) == 1 {
			forms = append(forms, allWords(f))
		}
	}
	return either(forms)
}

// weightOf returns the inverse document frequency of a term that count of all companies have, rounded so that sums of scores do
// not depend on their order.
func weightOf(count, all int) uint16 {
	n, with := float64(all), float64(min(count, all))
	return uint16(min(math.Round(math.Log1p((n-with+0.5)/(with+0.5))*weightUnit), math.MaxUint16))
}

const weightUnit = 256

// score returns the query whose score is what the term adds to the relevance of a match.
func (t rankedTerm) score(weight uint16) object {
	if t.forms == nil {
		return constant(domainQuery(t.domain), rankDomain)
	}
	boost := float64(max(weight, 1)) / weightUnit
	if len(t.forms) == 1 {
		return formScore(t.forms[0], boost)
	}
	forms := make([]object, len(t.forms))
	for i, f := range t.forms {
		forms[i] = formScore(f, boost*formWeight(f, t.forms[0]))
	}
	return object{"dis_max": object{"queries": forms, "tie_breaker": rankSecondForm}}
}

// formWeight returns the weight of a form of a word, of which typed is the first form. A form with more letters includes another
// word of the query.
func formWeight(form, typed query.Phrase) float64 {
	switch {
	case slices.Equal(form.Words, typed.Words):
		return 1
	case len(strings.Join(form.Words, "")) > len(strings.Join(typed.Words, "")):
		return rankSharedForm
	}
	return rankOtherForm
}

// formScore returns the query that scores a form. A form of several words counts as much as one of them.
func formScore(f query.Phrase, boost float64) object {
	words := make([]object, len(f.Words))
	for i, w := range f.Words {
		words[i] = wordScore(w, f.Prefix && i == len(f.Words)-1, boost/float64(len(f.Words)))
	}
	if len(words) == 1 {
		return words[0]
	}
	return object{"bool": object{"filter": phraseQuery(f), "should": words}}
}

// wordScore returns the query that scores a word. For the beginning of a word, which may be that of many, it is about what most
// of them would add.
func wordScore(word string, prefix bool, boost float64) object {
	if !prefix {
		return object{"rank_feature": object{"field": "impact." + feature(term(word)), "linear": object{}, "boost": boost}}
	}
	linear := func(field string, times float64) object {
		return object{"rank_feature": object{"field": field, "linear": object{}, "boost": boost * times}}
	}
	return object{"bool": object{"should": []object{
		{"bool": object{
			"must":   constant(wordQuery("name_words", word, true), boost*rankNameWeight),
			"should": []object{linear("share", rankNameShare), linear("size", rankNameWeight+rankNameShare/averageName)},
		}},
		constant(wordQuery("start", word, true), boost*rankNameStart),
		constant(wordQuery("words", word, true), boost),
	}}}
}

func constant(filter object, boost float64) object {
	return object{"constant_score": object{"filter": filter, "boost": boost}}
}
