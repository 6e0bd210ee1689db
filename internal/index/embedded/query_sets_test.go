package embedded

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

// partsOfEachLayout returns one part with scattered company numbers and one with dense ones.
func partsOfEachLayout(n int) (scattered, close part) {
	companies := companytest.Slice(1, 2*n)
	for i, c := range companies {
		c.Number = company.Number(1 + i)
		if i < n {
			c.Number = company.Number(2*n + 3*i)
		}
	}
	return newPart(build(companies[:n])), newPart(build(companies[n:]))
}

func TestThePriceIsExactInEveryLayout(t *testing.T) {
	t.Parallel()
	few, _ := partsOfEachLayout(lookUpMax / 4)
	scattered, close := partsOfEachLayout(2 * lookUpMax)
	require.NotNil(t, scattered.numbers)
	require.Nil(t, close.numbers)
	s := &snapshot{parts: []part{few, scattered, close}}
	r := rand.New(rand.NewPCG(9, 9))
	for i := range slotSetsMax + 2 {
		var numbers []company.Number
		for n := range company.Number(8 * lookUpMax) {
			if r.IntN(3) == 0 {
				numbers = append(numbers, n)
			}
		}
		set := company.SetOf(numbers...)
		shares := []float64{0.1, 0.9} // the second time the set is cached
		if i%6 != 5 {
			shares = shares[:1] // it only fills the cache
		}
		for _, share := range shares {
			found := matchesOf(s, r, share)
			want := 0
			for i := range found {
				for _, slot := range found[i].bits.appendTo(nil) {
					if set.Has(company.Number(found[i].number(slot))) {
						want++
					}
				}
			}
			require.Equal(t, want, countOwned(found, set))
			left := slices.Clone(found[1].bits)
			evaluator{part: &scattered, arena: new(arena)}.removeSet(left, set)
			require.Equal(t, found[1].count-countOwned(found[1:2], set), left.count())
		}
	}
	require.Len(t, scattered.slotSetCache.recent, slotSetsMax)
}

// BenchmarkPrice prices a quarter and all of half a million scattered companies.
func BenchmarkPrice(b *testing.B) {
	const n = 1 << 19
	scattered, _ := partsOfEachLayout(n)
	var numbers []company.Number
	for i := company.Number(0); i < 5*n; i += 7 {
		numbers = append(numbers, i)
	}
	set := company.SetOf(numbers...)
	for name, share := range map[string]float64{"Quarter": 0.25, "All": 1} {
		found := matchesOf(&snapshot{parts: []part{scattered}}, rand.New(rand.NewPCG(1, 1)), share)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				countOwned(found, set)
			}
		})
	}
}
