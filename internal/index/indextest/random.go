package indextest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
	"github.com/opencapi/capi/internal/testkit/effort"
)

func anySort() *rapid.Generator[query.Sort] {
	return rapid.OneOf(querytest.Sort(), querytest.Sort(), querytest.Sort(), rapid.Map(rapid.Bool(), func(desc bool) query.Sort {
		return query.Sort{By: query.ByRelevance, Desc: desc}
	}))
}

func searches(queries *rapid.Generator[query.Query], numbers []company.Number) *rapid.Generator[search] {
	return rapid.Custom(func(t *rapid.T) search {
		q := queries.Draw(t, "query")
		if rapid.IntRange(0, 2).Draw(t, "of sets") == 0 {
			q = querytest.SetQuery(subset(numbers)).Draw(t, "query of sets")
		}
		s := search{
			query:  q,
			sort:   anySort().Draw(t, "sort"),
			limit:  rapid.IntRange(1, 9).Draw(t, "limit"),
			head:   rapid.IntRange(0, 40).Draw(t, "head"),
			facets: rapid.SampledFrom([]int{1, 3, 20, 1000}).Draw(t, "facets"),
			owned:  subset(numbers).Draw(t, "owned"),
		}
		if rapid.IntRange(0, 3).Draw(t, "narrowed") == 0 {
			within := subset(numbers).Draw(t, "within")
			s.within = &within
		}
		if rapid.IntRange(0, 3).Draw(t, "excluding") == 0 {
			without := subset(numbers).Draw(t, "without")
			s.without = &without
		}
		if rapid.IntRange(0, 3).Draw(t, "excluding lists") == 0 {
			s.excluded = rapid.SliceOfN(subset(numbers), 1, 3).Draw(t, "excluded")
		}
		s.split = rapid.Bool().Draw(t, "split")
		if rapid.IntRange(0, 2).Draw(t, "choosy") == 0 {
			s.of = rapid.SliceOf(rapid.SampledFrom(index.AllFacets())).Draw(t, "facets asked for")
			s.prefix.Facet = rapid.SampledFrom(index.AllFacets()).Draw(t, "completed")
			s.prefix.Text = rapid.SampledFrom([]string{"", "S", "ber", "Zü", "5", "x"}).Draw(t, "prefix")
		}
		return s
	})
}

// subset draws no numbers, all of them, or a random share.
func subset(numbers []company.Number) *rapid.Generator[company.Set] {
	return rapid.Custom(func(t *rapid.T) company.Set {
		share := rapid.SampledFrom([]int{0, 1, 2, 5, 9, 10}).Draw(t, "tenths")
		salt := rapid.Uint32().Draw(t, "salt")
		kept := slices.DeleteFunc(slices.Clone(numbers), func(n company.Number) bool {
			return int((uint32(n)*2654435761^salt)>>16%10) >= share
		})
		return company.SetOf(kept...)
	})
}

// testRandomChanges draws small batches of unusual companies over few numbers, so that most of them change often. Between
// batches the index merges, saves and restarts, with or without a crash, if it supports that.
func testRandomChanges(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		numbers := spread().Draw(rt, "numbers")
		for range rapid.IntRange(1, 8).Draw(rt, "applies") {
			h.apply(rt, rapid.SliceOfN(change(numbers), 0, 12).Draw(rt, "changes"))
			h.disturb(rt)
			check(t.Context(), rt, h.ix, h.truth, searches(rapid.OneOf(querytest.Query(), querytest.NamedQuery()), numbers).Draw(rt, "search"))
		}
	})
}

// spread draws the companies' numbers: adjacent or far apart.
func spread() *rapid.Generator[[]company.Number] {
	return rapid.Custom(func(t *rapid.T) []company.Number {
		start := rapid.SampledFrom([]uint32{1, 50, 65_530, 1_000_000}).Draw(t, "start")
		step := rapid.SampledFrom([]uint32{1, 1, 2, 77, 65_536}).Draw(t, "step")
		numbers := make([]company.Number, 30)
		for i := range numbers {
			numbers[i] = company.Number(start + uint32(i)*step)
		}
		return numbers
	})
}

func change(numbers []company.Number) *rapid.Generator[index.Change] {
	return rapid.Custom(func(t *rapid.T) index.Change {
		n := rapid.SampledFrom(numbers).Draw(t, "number")
		if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
			return index.Change{Number: n}
		}
		return index.Change{Number: n, Company: querytest.Company(n).Draw(t, "company")}
	})
}

// testPlausible has enough companies for rare, common and intermediate values. Building the index is slow, so each one gets
// several searches.
func testPlausible(t *testing.T, open Open) {
	companies := companytest.Slice(7, 1500)
	effort.Check(t, 15, func(rt *rapid.T) {
		h := newHistory(t, open)
		defer func() { h.ix.Close() }()
		h.applyShuffled(rt, companies)
		for range 3 {
			s := searches(rapid.OneOf(querytest.Query(companies...), querytest.NamedQuery(companies...)), numbersOf(companies)).Draw(rt, "search")
			s.limit = rapid.SampledFrom([]int{40, 300, 2000}).Draw(rt, "page")
			check(t.Context(), rt, h.ix, h.truth, s)
		}
	})
}

// applyShuffled applies the companies in a few batches, in order of their numbers or not, then updates and removes some.
func (h *history) applyShuffled(rt *rapid.T, companies []*company.Company) {
	order := slices.Clone(companies)
	if rapid.Bool().Draw(rt, "shuffled") {
		order = rapid.Permutation(companies).Draw(rt, "order")
	}
	batch := rapid.SampledFrom([]int{150, 500, 1500}).Draw(rt, "batch")
	for chunk := range slices.Chunk(order, batch) {
		h.apply(rt, changesOf(chunk...))
	}
	for range rapid.IntRange(0, 3).Draw(rt, "rounds") {
		victims := subset(numbersOf(companies)).Draw(rt, "changed")
		var changes []index.Change
		for n := range victims.All() {
			swapped := *companies[(int(n)*7)%len(companies)]
			swapped.Number = n
			if changes = append(changes, index.Change{Number: n, Company: &swapped}); n%3 == 0 {
				changes = append(changes, index.Change{Number: n})
			}
		}
		h.apply(rt, changes)
		h.disturb(rt)
	}
}
