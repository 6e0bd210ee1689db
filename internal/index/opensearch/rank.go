package opensearch

import (
	"math"
	"math/bits"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// The average lengths of names and descriptions, which are fixed: see the package comment.
const (
	averageName        = 4.0
	averageDescription = 30.0
)

// rate sets what each word adds to the relevance.
func (d *document) rate(c *company.Company, name, description contents) {
	d.Impact = map[string]float32{}
	length, size := max(1, float64(len(name.tokens))), sizeFactor(c.EmployeeCount)
	for word, in := range counted(name.words()) {
		in = min(in, 7) // as the embedded index counts
		score := index.RankNameWeight*(index.RankK1+1)*in/(in+index.RankK1*(1-index.RankNameB+index.RankNameB*length/averageName)) + in*index.RankNameShare/length
		for _, first := range d.Start {
			if word == first {
				score += index.RankNameStart
			}
		}
		d.Impact[feature(word)] = float32(score * size)
	}
	norm := index.RankK1 * (1 - index.RankDescriptionB + index.RankDescriptionB*float64(len(description.tokens))/averageDescription)
	for word, in := range counted(description.words()) {
		in = min(in, 31)
		d.Impact[feature(word)] += float32((index.RankK1 + 1) * in / (in + norm))
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
	if employees == nil {
		return 1
	}
	return index.SizeFactor[float64](bits.Len64(uint64(max(*employees, 0))))
}

// feature returns the name under which the impact of a word is stored, in which a point would mean a field.
func feature(word string) string { return strings.ReplaceAll(word, ".", "·") }

// rankedTerm is a word or a domain that adds to the relevance.
type rankedTerm struct {
	index.Ranked
	key string
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
	index.EachRanked(n, func(of index.Ranked) {
		t := rankedTerm{of, of.Key()}
		if seen[t.key] || len(terms) == rankedMax {
			return
		}
		seen[t.key] = true
		if left -= clauses(t.score(weightUnit)); left >= 0 {
			terms = append(terms, t)
		}
	})
	return terms
}

// frequency returns a query for the companies with the term, about: those with all words of the first form, or with another form
// of one word.
func (t rankedTerm) frequency() object {
	var forms []object
	for i, f := range t.Forms {
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
	if t.Forms == nil {
		return constant(domainQuery(t.Domain), index.RankDomain)
	}
	boost := float64(max(weight, 1)) / weightUnit
	if len(t.Forms) == 1 {
		return formScore(t.Forms[0], boost)
	}
	forms := make([]object, len(t.Forms))
	for i, f := range t.Forms {
		forms[i] = formScore(f, boost*index.FormWeight[float64](f, t.Forms[0]))
	}
	return object{"dis_max": object{"queries": forms, "tie_breaker": index.RankSecondForm}}
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
			"must":   constant(wordQuery("name_words", word, true), boost*index.RankNameWeight),
			"should": []object{linear("share", index.RankNameShare), linear("size", index.RankNameWeight+index.RankNameShare/averageName)},
		}},
		constant(wordQuery("start", word, true), boost*index.RankNameStart),
		constant(wordQuery("words", word, true), boost),
	}}}
}

func constant(filter object, boost float64) object {
	return object{"constant_score": object{"filter": filter, "boost": boost}}
}
