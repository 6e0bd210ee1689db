package query

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/text"
)

// conflictsOf returns the included values that valid filters also exclude.
func conflictsOf(f *Filters) (conflicts []Given) {
	for i := range Params {
		exclusion := &Params[i]
		if !exclusion.Exclude || exclusion.Kind == KindSets || !exclusion.IsSet(f) {
			continue
		}
		excluded := map[string]bool{}
		for _, raw := range *exclusion.Texts(f) {
			for _, value := range exclusion.meanings(raw) {
				excluded[value] = true
			}
		}
		included := exclusion.Opposite()
		for _, raw := range *included.Texts(f) {
			left := slices.DeleteFunc(included.meanings(raw), func(value string) bool { return included.Kind.isIn(excluded, value) })
			if len(left) == 0 {
				conflicts = append(conflicts, Given{Param: included.Name, Field: included.Field, Raw: raw})
			}
		}
	}
	return conflicts
}

// meanings returns what a value of the parameter asks for: any of the texts. A keyword is its words with a space around each;
// one that is excluded is all its spellings.
func (p *Param) meanings(raw string) (texts []string) {
	switch p.Kind {
	case KindCodes:
		return prefixesOf(raw)
	case KindPhrases:
		forms := []Phrase{{Words: text.Tokens(raw)}}
		if p.Exclude {
			forms = formsOf(readKeyword(raw))
		}
		for _, form := range forms {
			texts = append(texts, " "+strings.Join(form.Words, " ")+" ")
		}
		return texts
	default:
		if p.Read != nil {
			raw, _ = p.Read(raw)
		}
		return []string{text.Fold(raw)}
	}
}

// formsOf returns the phrases of a keyword.
func formsOf(keyword Node) []Phrase {
	if w, ok := keyword.(Word); ok {
		return w.Forms
	}
	return []Phrase{keyword.(Phrase)}
}

// isIn reports whether every company that has the value also has one of the others.
func (k Kind) isIn(others map[string]bool, value string) bool {
	switch k {
	case KindCodes: // a part at its start
		for end := range len(value) + 1 {
			if others[value[:end]] {
				return true
			}
		}
	case KindPhrases: // some of its words in a row
		for from := range value {
			for to := from + 1; value[from] == ' ' && to < len(value); to++ {
				if value[to] == ' ' && others[value[from:to+1]] {
					return true
				}
			}
		}
	default:
		return others[value]
	}
	return false
}
