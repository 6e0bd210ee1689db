package embedded

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// textStats are the statistics of all texts in a snapshot that BM25 needs.
type textStats struct {
	texts                           float64
	averageName, averageDescription float64
}

// ranking holds everything that a score depends on except the text.
type ranking struct {
	stats textStats
	terms []rankedTerm // by word; scores are added in this order, so that they are bit-identical in every segment
}

type rankedTerm struct {
	index.Ranked
	weight float32 // inverse document frequency
}

// rankedWordsMax bounds the size of a cursor, which has a weight per word. If a query has more words, each weighs 1.
const rankedWordsMax = 256

func (s *snapshot) textStats() textStats {
	var t textStats
	var names, descriptions uint64
	for i := range s.parts {
		t.texts += float64(s.parts[i].segment.companies())
		names += s.parts[i].words.nameTokens
		descriptions += s.parts[i].words.descriptionTokens
	}
	t.averageName = max(1, float64(names)/max(1, t.texts))
	t.averageDescription = max(1, float64(descriptions)/max(1, t.texts))
	return t
}

// ranking returns the current statistics and weights of the terms.
func (s *snapshot) ranking(terms []index.Ranked) *ranking {
	r := &ranking{s.textStats(), make([]rankedTerm, len(terms))}
	for i, t := range terms {
		r.terms[i] = rankedTerm{t, 1}
		if len(terms) > rankedWordsMax || t.Forms == nil {
			continue
		}
		texts := 0.0 // with the word
		for p := range s.parts {
			texts += float64(s.parts[p].words.countForms(t.Forms))
		}
		texts = min(texts, r.stats.texts)
		r.terms[i].weight = float32(math.Log1p((r.stats.texts - texts + 0.5) / (texts + 0.5)))
	}
	return r
}

// countForms estimates how many texts have one of the forms: those with a form of one word, or at most as many as have each
// word of the first form.
func (w *words) countForms(forms []query.Phrase) int {
	single, first := 0, 0
	for i, f := range forms {
		if i > 0 && len(f.Words) > 1 {
			continue
		}
		rarest := math.MaxInt
		for j := range f.Words {
			from, to := w.keysOf(f, j)
			rarest = min(rarest, int(w.starts[to]-w.starts[from]))
		}
		if len(f.Words) == 1 {
			single += rarest
		} else {
			first = rarest
		}
	}
	return max(single, first)
}

// append appends the ranking without its words, as stored in a cursor.
func (r *ranking) append(p []byte) []byte {
	for _, v := range []float64{r.stats.texts, r.stats.averageName, r.stats.averageDescription} {
		p = binary.BigEndian.AppendUint64(p, math.Float64bits(v))
	}
	if len(r.terms) <= rankedWordsMax {
		for _, t := range r.terms {
			p = binary.BigEndian.AppendUint32(p, math.Float32bits(t.weight))
		}
	}
	return p
}

// readRanking parses what append wrote for these terms; ok is false for anything else.
func readRanking(p []byte, terms []index.Ranked) (*ranking, bool) {
	const statsSize = 3 * 8
	weighed := len(terms)
	if weighed > rankedWordsMax {
		weighed = 0
	}
	if len(p) != statsSize+4*weighed {
		return nil, false
	}
	number := func(at int) float64 { return math.Float64frombits(binary.BigEndian.Uint64(p[at:])) }
	r := &ranking{textStats{number(0), number(8), number(16)}, make([]rankedTerm, len(terms))}
	valid := inBounds(r.stats.texts, 0) && inBounds(r.stats.averageName, 1) && inBounds(r.stats.averageDescription, 1)
	for i, t := range terms {
		r.terms[i] = rankedTerm{t, 1}
		if weighed > 0 {
			r.terms[i].weight = math.Float32frombits(binary.BigEndian.Uint32(p[statsSize+4*i:]))
		}
		valid = valid && inBounds(float64(r.terms[i].weight), 0)
	}
	return r, valid
}

// inBounds reports whether v is at least low and neither NaN nor infinite.
func inBounds(v, low float64) bool { return v >= low && v <= math.MaxFloat64 }

// rankedTerms returns the distinct words and domains that the query searches for, in an order that depends on them alone,
// without excluded ones.
func rankedTerms(n query.Node) []index.Ranked {
	type keyed struct {
		key string
		of  index.Ranked
	}
	var all []keyed
	index.EachRanked(n, func(t index.Ranked) { all = append(all, keyed{t.Key(), t}) })
	slices.SortStableFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b keyed) bool { return a.key == b.key })
	terms := make([]index.Ranked, len(all))
	for i, k := range all {
		terms[i] = k.of
	}
	return terms
}

// radixSelectMin is the number of requested matches from which scores are radix sorted instead of selected one by one.
const radixSelectMin = 1024

// byRelevance scores all matches of a part and returns the top k.
func (o *order) byRelevance(h *hits, k int, after *position) []entry {
	slots := h.list()
	keys := o.scoreKeys(h, slots)
	if k >= radixSelectMin && after == nil {
		indexes := smallestK(keys, k)
		entries := make([]entry, len(indexes))
		for i, j := range indexes {
			entries[i] = entry{uint64(keys[j]), h.number(slots[j]), slots[j]}
		}
		return entries
	}
	best := newTopK(k, o.entryComparer(h))
	for j, slot := range slots {
		if best.limited && uint64(keys[j]) >= best.limit.key { // of equal keys, the first slots come first
			continue
		}
		e := entry{uint64(keys[j]), h.number(slot), slot}
		if o.isAfter(h, e, after) {
			best.add(e)
		}
	}
	return best.sorted()
}

// scoreKeys returns the scores of the slots as numbers that ascend in the sort's direction. Scores are never negative, so
// their bits sort like the floats.
func (o *order) scoreKeys(h *hits, slots []uint32) []uint32 {
	scores := h.scratch.counters(len(slots))
	norms, terms := o.ranking.stats.norms(), h.termsIn(o.ranking)
	inParts := func(slots, keys []uint32) {
		o.score(h, terms, norms, slots, keys)
		if o.sort.Desc {
			for j := range keys {
				keys[j] = ^keys[j]
			}
		}
	}
	if len(slots) < parallelMin || !multicore() {
		inParts(slots, scores)
		return scores
	}
	middle := len(slots) / 2
	runBoth(func() { inParts(slots[:middle], scores[:middle]) }, func() { inParts(slots[middle:], scores[middle:]) })
	return scores
}

// score adds up the slots' scores, stored as the bits of floats.
func (o *order) score(h *hits, terms [][]rankedIn, norms *norms, slots, scores []uint32) {
	scorer := scorer{h, norms, h.words.article()}
	for i, t := range terms {
		weight := o.ranking.terms[i].weight
		switch {
		case o.ranking.terms[i].Forms == nil:
			of := o.ranking.terms[i].Domain
			for _, slot := range h.domains.withPrefix(of.Name, of.Prefix) {
				if j, ok := slices.BinarySearch(slots, slot); ok {
					addScore(&scores[j], index.RankDomain)
				}
			}
		case len(t) == 0:
		case len(t) == 1:
			scorer.addForm(&t[0], weight, slots, scores)
		default:
			scorer.addForms(t, weight, slots, scores)
		}
	}
}

// addForm adds the score of a term that has one form.
func (s *scorer) addForm(f *rankedIn, weight float32, slots, scores []uint32) {
	r := s.words.reader(f)
	if len(f.words) > 1 {
		for j, slot := range slots {
			if m := r.at(slot); m != 0 {
				addScore(&scores[j], weight*(f.weight*s.scoreOf(slot, m, len(f.words))))
			}
		}
		return
	}
	bySlot, word := f.bySlot[0], &r.seekers[0]
	for j, slot := range slots {
		var m occurrence
		if bySlot != nil {
			m = bySlot[slot]
		} else if pos, ok := word.seek(slot); ok {
			m = s.words.occurrences[pos]
		}
		if m != 0 {
			addScore(&scores[j], weight*(f.weight*s.scoreOf(slot, m, 1)))
		}
	}
}

// addForms adds the score of a term that has several forms: that of the best one, and a share of the others.
func (s *scorer) addForms(t []rankedIn, weight float32, slots, scores []uint32) {
	readers := make([]reader, len(t))
	for i := range t {
		readers[i] = s.words.reader(&t[i])
	}
	for j, slot := range slots {
		var best, all float32
		for i := range readers {
			if m := readers[i].at(slot); m != 0 {
				score := t[i].weight * s.scoreOf(slot, m, len(t[i].words))
				best, all = max(best, score), all+score
			}
		}
		addScore(&scores[j], weight*(best+index.RankSecondForm*(all-best)))
	}
}

func addScore(to *uint32, score float32) { *to = math.Float32bits(math.Float32frombits(*to) + score) }

// scorer scores the texts of a part.
type scorer struct {
	*hits
	norms   *norms
	article uint32
}

// scoreOf returns the score of an occurrence of count words side by side.
func (s *scorer) scoreOf(slot uint32, m occurrence, count int) float32 {
	score := s.norms.inDescription(&s.words, slot, m)
	if m.nameCount() > 0 {
		nameScore := s.norms.inName(&s.words, slot, m, count)
		if s.words.startsName(slot, m, s.article) {
			nameScore += index.RankNameStart
		}
		score += nameScore * sizeFactors[bits.Len64(uint64(s.ints[intEmployees].values[slot]))]
	}
	return score
}

// sizeFactors are indexed by the bit length of the number of employees. An unknown number is negative, so its bit length is
// 64.
var sizeFactors = func() (f [65]float32) {
	for digits := range f {
		f[digits] = index.SizeFactor[float32](digits)
	}
	f[64] = 1
	return f
}()

// norms holds the denominators of BM25.
type norms struct {
	name, share                      [256]float32 // by length
	descriptionBase, descriptionStep float32
}

func (stats textStats) norms() *norms {
	var n norms
	for l := range n.name {
		n.name[l] = float32(index.RankK1 * (1 - index.RankNameB + index.RankNameB*float64(l)/stats.averageName))
		n.share[l] = index.RankNameShare / float32(max(l, 1))
	}
	n.descriptionBase = index.RankK1 * (1 - index.RankDescriptionB)
	n.descriptionStep = float32(index.RankK1 * index.RankDescriptionB / stats.averageDescription)
	return &n
}

func (n *norms) inName(w *words, slot uint32, m occurrence, count int) float32 {
	in, length := float32(m.nameCount()), w.nameLen[slot]
	return index.RankNameWeight*(index.RankK1+1)*in/(in+n.name[length]) + in*float32(count)*n.share[length]
}

func (n *norms) inDescription(w *words, slot uint32, m occurrence) float32 {
	in := float32(m.descriptionCount())
	if in == 0 {
		return 0
	}
	norm := n.descriptionBase + n.descriptionStep*float32(w.descriptionLen(slot))
	return (index.RankK1 + 1) * in / (in + norm)
}

// article returns the id of the word that may precede the start of a name; none if no text has it.
func (w *words) article() uint32 {
	if key, ok := w.find("the"); ok {
		return uint32(key)
	}
	return none
}

// startsName reports whether the slot's name begins with the word that occurs there.
func (w *words) startsName(slot uint32, m occurrence, article uint32) bool {
	if m.firstPosition() != 1 || article == none {
		return m.firstPosition() == 0
	}
	text := w.text(slot)
	return len(text) > 0 && text[0] == article
}
