package querytest

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// Filters draws filters that query.Parse accepts, with values of the given companies, or of those that Companies draws if none
// are given. About half of them have only one parameter.
func Filters(of ...*company.Company) *rapid.Generator[query.Filters] {
	return rapid.Custom(func(t *rapid.T) query.Filters {
		var f query.Filters
		parts := filterParts(sampleOf(of))
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 2, 3, 4}).Draw(t, "parts") {
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")](t, &f)
		}
		return f
	})
}

// Query draws a parsed query of Filters.
func Query(of ...*company.Company) *rapid.Generator[query.Query] {
	return rapid.Map(Filters(of...), func(f query.Filters) query.Query {
		q, err := query.Parse(f)
		if err != nil {
			panic(err) // Filters draws only what Parse accepts
		}
		return q
	})
}

// NamedQuery is Query for somebody who sees neither descriptions nor domains.
func NamedQuery(of ...*company.Company) *rapid.Generator[query.Query] {
	return rapid.Map(Query(of...), func(q query.Query) query.Query {
		q, err := q.Bounded(company.LockedBy([]string{"id"}) &^ company.LockedBy([]string{"description", "domain"}))
		if err != nil {
			panic(err) // no filter asks for descriptions or domains alone
		}
		return q
	})
}

// Sort draws any order but relevance, which query.Sort cannot compare.
func Sort() *rapid.Generator[query.Sort] {
	return rapid.Custom(func(t *rapid.T) query.Sort {
		return query.Sort{
			By: rapid.SampledFrom([]query.SortKey{
				query.ByEmployeeCount, query.ByName, query.ByFoundedYear, query.ByUpdatedAt,
			}).Draw(t, "sort by"),
			Desc: rapid.Bool().Draw(t, "descending"),
		}
	})
}

// sample holds generators of the values that filters ask for.
type sample struct {
	values      map[query.Field]*rapid.Generator[string]
	bounds      map[query.Field]*rapid.Generator[*int64]
	phrases     *rapid.Generator[string]
	connections *rapid.Generator[query.ConnectionFilter]
}

func sampleOf(companies []*company.Company) sample {
	s := sample{
		values: map[query.Field]*rapid.Generator[string]{
			query.FieldCountry:            recased(append([]string{"de", "USA", "NA", "Ivory Coast", "Nowhere"}, countries...)),
			query.FieldState:              recased(append([]string{"Nowhere"}, states...)),
			query.FieldCity:               recased(cities),
			query.FieldIndustry:           recased(append([]string{"Nothing"}, industries...)),
			query.FieldNAICS:              rapid.SampledFrom(append([]string{"31-33", "99", "522"}, codes...)),
			query.FieldTechnology:         recased(technologies),
			query.FieldTechnologyCategory: recased(techCategories),
			query.FieldKnown:              recased(company.Knowable),
		},
		bounds: map[query.Field]*rapid.Generator[*int64]{
			query.FieldEmployeeCount: maybeInt(0, 12), query.FieldFoundedYear: maybeInt(1998, 2012),
		},
		phrases:     words(3),
		connections: connectionFilter(),
	}
	if len(companies) == 0 {
		return s
	}
	from := rapid.SampledFrom(companies)
	for f, fallback := range s.values {
		s.values[f] = drawn(from, fallback, func(c *company.Company) []string {
			if f == query.FieldNAICS {
				return onlyCodes(c.NAICSCodes)
			}
			return f.Values(c)
		})
	}
	for f := range s.bounds {
		s.bounds[f] = bound(from, f)
	}
	s.phrases = phraseOf(from)
	s.connections = connectionOf(from)
	return s
}

func onlyCodes(codes []string) (ok []string) {
	for _, c := range codes {
		if len(c) >= 2 && len(c) <= 6 && strings.Trim(c, "0123456789") == "" {
			ok = append(ok, c)
		}
	}
	return ok
}

func recased(values []string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom(values).Draw(t, "value")
		if rapid.IntRange(0, 3).Draw(t, "case") == 0 {
			return strings.ToUpper(s)
		}
		return s
	})
}

// drawn is one of a random company's values.
func drawn(
	from *rapid.Generator[*company.Company], fallback *rapid.Generator[string], of func(*company.Company) []string,
) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		for range 5 {
			if values := of(from.Draw(t, "company")); len(values) > 0 {
				return cut(rapid.SampledFrom(values).Draw(t, "value"))
			}
		}
		return fallback.Draw(t, "fallback")
	})
}

// cut keeps what query.Parse takes of a long value.
func cut(s string) string {
	if r := []rune(s); len(r) > 1_000 {
		return string(r[:1_000])
	}
	return s
}

func bound(from *rapid.Generator[*company.Company], f query.Field) *rapid.Generator[*int64] {
	return rapid.Custom(func(t *rapid.T) *int64 {
		if rapid.Bool().Draw(t, "open") {
			return nil
		}
		return f.Int(from.Draw(t, "company"))
	})
}

func phraseOf(from *rapid.Generator[*company.Company]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		c := from.Draw(t, "company")
		fields := strings.Fields(c.Name)
		if more := strings.Fields(c.Description); len(more) > 0 && rapid.Bool().Draw(t, "from description") {
			fields = more
		}
		if len(fields) == 0 {
			return "data"
		}
		start := rapid.IntRange(0, len(fields)-1).Draw(t, "start")
		end := min(len(fields), start+rapid.IntRange(1, 3).Draw(t, "words"))
		return cut(strings.Join(fields[start:end], " "))
	})
}

func connectionOf(from *rapid.Generator[*company.Company]) *rapid.Generator[query.ConnectionFilter] {
	return rapid.Custom(func(t *rapid.T) query.ConnectionFilter {
		for range 5 {
			c := from.Draw(t, "company")
			if len(c.Connections) == 0 {
				continue
			}
			x := rapid.SampledFrom(c.Connections).Draw(t, "connection")
			f := query.ConnectionFilter{Category: x.Category}
			if x.Domain != "" && rapid.Bool().Draw(t, "by domain") {
				f.ConnectedDomain = x.Domain
			}
			if !x.ID.IsZero() && rapid.Bool().Draw(t, "by id") {
				f.ConnectedCompanyID = x.ID.String()
			}
			return f
		}
		return connectionFilter().Draw(t, "fallback")
	})
}

func connectionFilter() *rapid.Generator[query.ConnectionFilter] {
	return rapid.Custom(func(t *rapid.T) query.ConnectionFilter {
		to := company.Number(rapid.IntRange(1, 9).Draw(t, "to"))
		f := query.ConnectionFilter{Category: maybe(categories).Draw(t, "category")}
		if rapid.Bool().Draw(t, "by domain") {
			f.ConnectedDomain = DomainOf(to)
		}
		if f == (query.ConnectionFilter{}) || rapid.IntRange(0, 2).Draw(t, "by id") == 0 {
			f.ConnectedCompanyID = IDOf(to).String()
		}
		return f
	})
}
