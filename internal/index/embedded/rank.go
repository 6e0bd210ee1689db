package embedded

import (
	"math"
	"math/bits"
	"slices"

	"github.com/opencapi/capi/internal/query"
)

// Relevance is BM25 (Robertson and Zaragoza, 2009) of the name and of the description, each saturated on its own, then
// added with weights, so that a word in the name outweighs any number of it in the description. Descriptions differ
// in length far more than names do, and that a name is long says little: hence the two b. Who types a name wants the
// company of that name: the share of the name that a word makes up counts besides, and that the name begins with it.
const (
	rankK1           = 1.2
	rankNameB        = 0.35
	rankDescriptionB = 0.75
	rankNameWeight   = 3
	rankNameShare    = 2.5
	rankNameHead     = 0.8
)

// textStats are what BM25 knows of all texts of a snapshot.
type textStats struct {
	texts                           float64
	averageName, averageDescription float64
}

// rankedTerm is a word that adds to the relevance.
type rankedTerm struct {
	word   string
	weight float32 // inverse document frequency
}

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

// rankedTerms are the distinct words that the query asks for, those it excludes left out.
func (s *snapshot) rankedTerms(n query.Node) []rankedTerm {
	all := wantedWords(nil, n)
	slices.Sort(all)
	all = slices.Compact(all)
	terms := make([]rankedTerm, len(all))
	texts := s.textStats().texts
	for i, w := range all {
		holders := 0.0
		for p := range s.parts {
			if key, ok := s.parts[p].words.find(w); ok {
				holders += float64(s.parts[p].words.count(key))
			}
		}
		terms[i] = rankedTerm{w, float32(math.Log1p((texts - holders + 0.5) / (holders + 0.5)))}
	}
	return terms
}

func wantedWords(words []string, n query.Node) []string {
	switch n := n.(type) {
	case query.And:
		for _, part := range n {
			words = wantedWords(words, part)
		}
	case query.Or:
		for _, part := range n {
			words = wantedWords(words, part)
		}
	case query.Term:
		words = append(words, n.Word)
	case query.Phrase:
		words = append(words, n.Words...)
	}
	return words
}

// byRelevance scores all matches of a part and takes the first k.
func (o *order) byRelevance(h *hits, k int, behind *after) []entry {
	slots := h.list(o.scratch)
	scores := o.scores(h, slots)
	best := newBest(k, o.comparing(h))
	for j, slot := range slots {
		e := entry{o.scoreKey(scores[j]), h.number(slot), slot}
		if o.behind(h, e, behind) {
			best.add(e)
		}
	}
	return best.sorted()
}

// scoreKey maps scores, which are never negative, so that keys ascend in the sort's direction.
func (o *order) scoreKey(score float32) uint64 {
	if o.sort.Desc {
		return uint64(^math.Float32bits(score))
	}
	return uint64(math.Float32bits(score))
}

func (o *order) scores(h *hits, slots []uint32) []float32 {
	scores := make([]float32, len(slots))
	w := &h.words
	norms := o.norms()
	for _, t := range o.terms {
		key, ok := w.find(t.word)
		if !ok {
			continue
		}
		w.eachOf(key, slots, func(j int, place uint32) {
			scores[j] += t.weight * norms.score(w, slots[j], w.marks[place])
		})
	}
	return scores
}

// norms hold BM25's denominators.
type norms struct {
	name, share                      [256]float32 // by length
	descriptionBase, descriptionStep float32
}

func (o *order) norms() *norms {
	var n norms
	for l := range n.name {
		n.name[l] = float32(rankK1 * (1 - rankNameB + rankNameB*float64(l)/o.stats.averageName))
		n.share[l] = rankNameShare / float32(max(l, 1))
	}
	n.descriptionBase = rankK1 * (1 - rankDescriptionB)
	n.descriptionStep = float32(rankK1 * rankDescriptionB / o.stats.averageDescription)
	return &n
}

func (n *norms) score(w *words, slot uint32, m mark) float32 {
	var score float32
	if inName := float32(m.inName()); inName > 0 {
		length := w.nameLen[slot]
		score = rankNameWeight*(rankK1+1)*inName/(inName+n.name[length]) + inName*n.share[length]
		if m.first() == 0 {
			score += rankNameHead
		}
	}
	if in := float32(m.inDescription()); in > 0 {
		norm := n.descriptionBase + n.descriptionStep*float32(w.descriptionLen(slot))
		score += (rankK1 + 1) * in / (in + norm)
	}
	return score
}

// eachOf yields those of the slots that have the key: the index in slots, and the posting's place among all.
func (p *postings) eachOf(key int, slots []uint32, yield func(j int, place uint32)) {
	start := p.starts[key]
	if !p.dense(key) {
		eachShared(p.list(key), slots, func(i, j int) { yield(j, start+uint32(i)) })
		return
	}
	set := p.set(key)
	word, before := uint32(0), uint32(0) // before counts the set's slots in the words before word
	for j, slot := range slots {
		for ; word < slot>>6; word++ {
			before += uint32(bits.OnesCount64(set[word]))
		}
		if set.has(slot) {
			below := set[word] & (1<<(slot&63) - 1)
			yield(j, start+before+uint32(bits.OnesCount64(below)))
		}
	}
}

// eachShared yields the places of what two ascending lists share.
func eachShared(a, b []uint32, yield func(i, j int)) {
	i := 0
	for j, slot := range b {
		if len(a)-i > 16*(len(b)-j) {
			skip, _ := slices.BinarySearch(a[i:], slot)
			i += skip
		}
		for i < len(a) && a[i] < slot {
			i++
		}
		if i == len(a) {
			return
		}
		if a[i] == slot {
			yield(i, j)
		}
	}
}
