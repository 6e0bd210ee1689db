package querytest

import (
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// filterParts are the ways to ask for one thing more.
func filterParts(s sample) []func(*rapid.T, *query.Filters) {
	words := s.phrases.Filter(func(p string) bool { return len(text.Tokens(p)) > 0 })
	texts := func(of *rapid.Generator[string], to func(*query.Filters) *[]string) func(*rapid.T, *query.Filters) {
		of = of.Filter(func(v string) bool { return text.Fold(v) != "" })
		return func(t *rapid.T, f *query.Filters) { *to(f) = rapid.SliceOfN(of, 1, 3).Draw(t, "values") }
	}
	return []func(*rapid.T, *query.Filters){
		func(t *rapid.T, f *query.Filters) { f.Query = queryText(words).Draw(t, "query") },
		texts(s.countries, func(f *query.Filters) *[]string { return &f.Countries }),
		texts(s.states, func(f *query.Filters) *[]string { return &f.States }),
		texts(s.cities, func(f *query.Filters) *[]string { return &f.Cities }),
		texts(s.industries, func(f *query.Filters) *[]string { return &f.Industries }),
		texts(s.industries, func(f *query.Filters) *[]string { return &f.ExcludeIndustries }),
		texts(s.codes, func(f *query.Filters) *[]string { return &f.NAICSCodes }),
		texts(s.technologies, func(f *query.Filters) *[]string { return &f.Technologies }),
		texts(s.techCategories, func(f *query.Filters) *[]string { return &f.TechnologyCategories }),
		texts(words, func(f *query.Filters) *[]string { return &f.Keywords }),
		texts(words, func(f *query.Filters) *[]string { return &f.ExcludeKeywords }),
		func(t *rapid.T, f *query.Filters) {
			f.EmployeeCountMin, f.EmployeeCountMax = span(t, s.employees)
		},
		func(t *rapid.T, f *query.Filters) {
			f.FoundedYearMin, f.FoundedYearMax = span(t, s.years)
		},
		func(t *rapid.T, f *query.Filters) {
			f.Connections = rapid.SliceOfN(s.connections, 1, 2).Draw(t, "connections")
		},
	}
}

func queryText(words *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := words.Draw(t, "words")
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
