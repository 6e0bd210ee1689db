package embedded

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

// partsOfEachLayout hold companies of scattered numbers, and of numbers that lie close together.
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
	scattered, close := partsOfEachLayout(3 * scatteredFrom)
	require.NotNil(t, scattered.numbers)
	require.Nil(t, close.numbers)
	r := rand.New(rand.NewPCG(9, 9))
	for range 2 * slotSetsMax {
		var numbers []company.Number
		for n := range company.Number(16 * scatteredFrom) {
			if r.IntN(3) == 0 {
				numbers = append(numbers, n)
			}
		}
		set := company.SetOf(numbers...)
		for range 2 { // the second time as it was kept
			for _, share := range []float64{0.1, 0.9} {
				s := &snapshot{parts: []part{scattered, close}}
				found := matchesOf(s, r, share)
				want, total := 0, 0
				for i := range found {
					for _, slot := range found[i].bits.appendTo(nil) {
						if total++; set.Has(company.Number(found[i].number(slot))) {
							want++
						}
					}
				}
				require.Equal(t, want, owned(new(arena), found, total, set))
			}
		}
	}
	require.Len(t, scattered.slotSets.recent, slotSetsMax)
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
				scratch := borrowArena()
				owned(scratch, found, found[0].count, set)
				scratch.release()
			}
		})
	}
}
