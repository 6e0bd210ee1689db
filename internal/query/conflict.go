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
		if !exclusion.Exclude || !exclusion.IsSet(f) {
			continue
		}
		var excluded []string
		for _, raw := range *exclusion.Texts(f) {
			excluded = append(excluded, exclusion.meanings(raw)...)
		}
		included := exclusion.Opposite()
		for _, raw := range *included.Texts(f) {
			left := slices.DeleteFunc(included.meanings(raw), func(value string) bool {
				return slices.ContainsFunc(excluded, func(out string) bool { return included.Kind.covers(out, value) })
			})
			if len(left) == 0 {
				conflicts = append(conflicts, Given{Param: included.Name, Field: included.Field, Raw: raw})
			}
		}
	}
	return conflicts
}

// meanings returns what a value of the parameter asks for: any of the texts.
func (p *Param) meanings(raw string) []string {
	switch p.Kind {
	case KindCodes:
		return prefixesOf(raw)
	case KindPhrases:
		return []string{" " + strings.Join(text.Tokens(raw), " ") + " "}
	default:
		if p.Read != nil {
			raw, _ = p.Read(raw)
		}
		return []string{text.Fold(raw)}
	}
}

// covers reports whether every company that has the value also has the other one.
func (k Kind) covers(other, value string) bool {
	switch k {
	case KindCodes:
		return strings.HasPrefix(value, other)
	case KindPhrases:
		return strings.Contains(value, other)
	default:
		return other == value
	}
}
