package embedded

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// lookupText reports whether a live company meets a condition on texts, and suggests the nearest word if none does.
func (s *snapshot) lookupText(v query.Given, suggest bool) (known index.Known) {
	if known.Found = s.hasText(v.Text); !known.Found && suggest && v.Value != "" {
		known.Suggestion = s.nearestWord(v.Value)
	}
	return known
}

// hasText reports whether a live company meets a condition on texts. Single words are looked up; only if there is none, the
// phrases are evaluated.
func (s *snapshot) hasText(n query.Node) bool {
	for i := range s.parts {
		if p := &s.parts[i]; p.hasWord(n) {
			return true
		}
	}
	scratch := borrowArena()
	defer scratch.close()
	for i := range s.parts {
		e := evaluator{&s.parts[i], scratch, &formsIn{words: &s.parts[i].words}}
		found := e.matches(n)
		if found.count() > 0 {
			return true
		}
		e.release(found)
	}
	return false
}

// hasWord reports whether a live company has one of the single words, any of which meets the condition.
func (p *part) hasWord(n query.Node) bool {
	switch n := n.(type) {
	case query.Or:
		return slices.ContainsFunc(n, p.hasWord)
	case query.Word:
		return slices.ContainsFunc(n.Forms, func(f query.Phrase) bool { return p.hasWord(f.Simple()) })
	case query.Term:
		if n.InName {
			return false
		}
		from, to := p.words.keysOf(formOf(n), 0)
		for key := from; key < to; key++ {
			if p.anyLive(&p.words.postings, key) {
				return true
			}
		}
	}
	return false
}

// nearestWord returns the word that was most likely meant, of those that live companies have: the one with the fewest typing
// errors, and of several the most frequent. It is empty if none is near, or if the word is only found in another spelling.
func (s *snapshot) nearestWord(word string) string {
	if s.hasText(query.Term{Word: word}) {
		return ""
	}
	near, gone := text.NewNear(word), map[string]bool{word: true}
	for {
		candidates := s.nearWords(near, gone)
		for _, c := range candidates {
			if s.hasText(query.Term{Word: c}) {
				return c
			}
			gone[c] = true
		}
		if len(candidates) == 0 {
			return ""
		}
	}
}

// nearWords returns the words with the fewest typing errors, the most frequent first, without those that no live company has.
func (s *snapshot) nearWords(near *text.Near, gone map[string]bool) []string {
	best, counts := errorsMax(near.Len()), map[string]int{}
	for i := range s.parts {
		w := &s.parts[i].words
		for key := range w.dict.len() {
			known := w.key(key)
			if text.IsAlone(string(known)) {
				continue
			}
			d := near.Distance(known, best)
			if d > best || string(known) == text.Break || gone[string(known)] {
				continue
			}
			if d < best {
				best = d
				clear(counts)
			}
			counts[string(known)] += w.count(key)
		}
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}

// errorsMax returns how many typing errors a word of that length may have. With more, almost any word is near.
func errorsMax(runes int) int { return min(3, runes/3) }
