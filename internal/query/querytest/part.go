package querytest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// filterParts returns a way to ask for one thing more for each parameter; both ends of a range are one.
func filterParts(s sample) (parts []func(*rapid.T, *query.Filters)) {
	words := s.phrases.Filter(func(p string) bool { return len(text.Tokens(p)) > 0 })
	for _, p := range query.Params {
		switch p.Kind {
		case query.KindWords:
			parts = append(parts, func(t *rapid.T, f *query.Filters) {
				*p.Text(f) = rapid.OneOf(queryText(words), queryText(words), addresses()).Draw(t, p.Name)
			})
		case query.KindFlag:
			parts = append(parts, func(t *rapid.T, f *query.Filters) {
				*p.Flag(f) = true
				f.Query = rapid.OneOf(begun(queryText(words)), begun(addresses())).Draw(t, p.Name)
			})
		case query.KindPhrases:
			parts = append(parts, texts(p, queryText(words)))
		case query.KindValues, query.KindCodes:
			parts = append(parts, texts(p, s.values[p.Field]))
		case query.KindMin:
			ends := query.ParamsOf(p.Field)
			parts = append(parts, func(t *rapid.T, f *query.Filters) {
				*ends[0].Int(f), *ends[1].Int(f) = span(t, s.bounds[p.Field])
			})
		case query.KindMax: // drawn with KindMin
		case query.KindSets, query.KindSince: // an index gets them with their companies, as in set.go
		case query.KindConnections:
			parts = append(parts, func(t *rapid.T, f *query.Filters) {
				f.Connections = rapid.SliceOfN(s.connections, 1, 2).Draw(t, p.Name)
			})
		}
	}
	return parts
}

// addresses draws domains of companies, as people paste them.
func addresses() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		domain := DomainOf(company.Number(rapid.IntRange(1, 60).Draw(t, "number")))
		form := rapid.SampledFrom([]string{"%s", "%s", "WWW.%s:80", "https://www.%s/a.html?b=c", "http://jobs.%s", "data %s", "me@%s,"}).Draw(t, "form")
		return fmt.Sprintf(form, domain)
	})
}

// begun draws a text that is being typed: its first characters.
func begun(of *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := []rune(of.Draw(t, "text"))
		return string(s[:rapid.IntRange(1, len(s)).Draw(t, "typed")])
	}).Filter(func(s string) bool { return len(text.Tokens(s)) > 0 })
}

// respelled draws another spelling of a text: words joined or split that were written with a hyphen or a space.
func respelled(s string) *rapid.Generator[string] {
	return rapid.Map(rapid.SampledFrom([][2]string{{}, {}, {"-", ""}, {"-", " "}, {" ", ""}, {" ", "-"}, {"i", "i "}}), func(change [2]string) string {
		if change[0] == "" {
			return s
		}
		return strings.ReplaceAll(s, change[0], change[1])
	}).Filter(func(s string) bool { return len(text.Tokens(s)) > 0 })
}

func texts(p query.Param, of *rapid.Generator[string]) func(*rapid.T, *query.Filters) {
	of = of.Filter(func(v string) bool { return text.Fold(v) != "" })
	return func(t *rapid.T, f *query.Filters) { *p.Texts(f) = rapid.SliceOfN(of, 1, 3).Draw(t, p.Name) }
}

func queryText(words *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := respelled(words.Draw(t, "words")).Draw(t, "spelling")
		if rapid.IntRange(0, 2).Draw(t, "quoted") == 0 {
			return `"` + s + `"`
		}
		return s
	})
}

func span(t *rapid.T, of *rapid.Generator[*int64]) (low, high *int64) {
	low, high = of.Draw(t, "min"), of.Draw(t, "max")
	if low != nil && high != nil && *low > *high {
		return high, low
	}
	return low, high
}
