package indextest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// truth is the expected content of an index: the companies themselves.
type truth map[company.Number]*company.Company

func (tr truth) apply(changes []index.Change) {
	for _, c := range changes {
		if c.Company == nil {
			delete(tr, c.Number)
		} else {
			tr[c.Number] = c.Company
		}
	}
}

// matches returns the companies that query.Match matches, in the sort order.
func (tr truth) matches(q query.Query, by query.Sort, within *company.Set) []*company.Company {
	var found []*company.Company
	for n, c := range tr {
		if (within == nil || within.Has(n)) && query.Match(q, c) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, by.Compare)
	return found
}

func numbersOf(companies []*company.Company) []company.Number {
	numbers := make([]company.Number, len(companies))
	for i, c := range companies {
		numbers[i] = c.Number
	}
	return numbers
}

// facetsOf counts the requested facets in a simple way; values are folded.
func (s search) facetsOf(companies []*company.Company) index.Facets {
	counts := index.Facets{Values: map[index.Facet][]index.Count{}, Bands: map[index.Facet][]index.Band{}}
	facets := s.of
	if facets == nil {
		facets = index.AllFacets()
	}
	if s.facets == 0 {
		facets = nil
	}
	for _, facet := range facets {
		of := facet.Field()
		switch of {
		case query.FieldEmployeeCount:
			counts.Bands[facet] = s.countBands(companies, of, sizeOf)
		case query.FieldFoundedYear:
			counts.Bands[facet] = s.countBands(companies, of, func(year int64) int64 { return year / 10 * 10 })
		default:
			values, prefix := of.Values, ""
			if of == query.FieldNAICS {
				values = sectors
			}
			if s.prefix.Facet == facet {
				prefix = text.Fold(s.prefix.Text)
			}
			counts.Values[facet] = s.countValues(companies, prefix, values)
		}
	}
	return counts
}

func sectors(c *company.Company) (all []string) {
	for _, code := range c.NAICSCodes {
		if len(code) >= 2 {
			all = append(all, code[:2])
		}
	}
	return all
}

func (s search) countValues(
	companies []*company.Company, prefix string, values func(*company.Company) []string,
) []index.Count {
	counts, owned := map[string]int{}, map[string]int{}
	for _, c := range companies {
		own := map[string]bool{}
		for _, v := range values(c) {
			if v = text.Fold(v); strings.HasPrefix(v, prefix) {
				own[v] = true
			}
		}
		for v := range own {
			counts[v]++
			owned[v] += s.ownedOne(c)
		}
	}
	var all []index.Count
	for v, n := range counts {
		all = append(all, index.Count{Value: v, Count: n, Owned: owned[v]})
	}
	slices.SortFunc(all, func(a, b index.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return all[:min(s.facets, len(all))]
}

// sizeOf returns the lower bound of the size band.
func sizeOf(employees int64) int64 {
	first := int64(0)
	for _, next := range []int64{11, 51, 201, 501, 1001, 5001, 10001} {
		if employees >= next {
			first = next
		}
	}
	return first
}

// countBands returns bands without Max, which follows from Min.
func (s search) countBands(companies []*company.Company, f query.Field, first func(int64) int64) []index.Band {
	counts, owned := map[int64]int{}, map[int64]int{}
	for _, c := range companies {
		if v := f.Int(c); v != nil {
			counts[first(*v)]++
			owned[first(*v)] += s.ownedOne(c)
		}
	}
	var all []index.Band
	for _, low := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, index.Band{Min: &low, Count: counts[low], Owned: owned[low]})
	}
	return all
}

// ownedOne returns 1 if owned companies are counted by value and this is one, else 0.
func (s search) ownedOne(c *company.Company) int {
	if s.split && s.owned.Has(c.Number) {
		return 1
	}
	return 0
}

// folded makes an index's facets comparable with those of facetsOf.
func folded(f index.Facets) index.Facets {
	result := index.Facets{Values: map[index.Facet][]index.Count{}, Bands: map[index.Facet][]index.Band{}}
	for facet, counts := range f.Values {
		of := slices.Clone(counts)
		for i := range of {
			of[i].Value = text.Fold(of[i].Value)
		}
		result.Values[facet] = of
	}
	for facet, bands := range f.Bands {
		of := slices.Clone(bands)
		for i := range of {
			of[i].Max = nil
		}
		result.Bands[facet] = of
	}
	return result
}

// fataler is the common part of testing.T and rapid.T.
type fataler interface {
	require.TestingT
	Helper()
	Fatalf(format string, args ...any)
}
