package unlock_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/unlock"
)

const universe = 20_000_000

// BenchmarkPurchase measures the transaction that locks, unlocks and charges for 10,000 companies, 8,000 of them new. It
// alternates between a workspace that has 10,000 and one that has 10,000,000, so that both run under the same load: the
// ratio of the medians must stay near 1. With a search in between, the set that the search got must not change.
func BenchmarkPurchase(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		for _, searched := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/searched=%t", name, searched), func(b *testing.B) {
				d := open(b)
				small, large := newBuyer(b, d, 10_000), newBuyer(b, d, 10_000_000)
				for b.Loop() {
					small.buy(b, searched)
					large.buy(b, searched)
				}
				b.ReportMetric(small.median(), "ms/small")
				b.ReportMetric(large.median(), "ms/large")
				b.ReportMetric(large.median()/small.median(), "ratio")
			})
		}
	}
}

// buyer measures purchases of a workspace that has the same number of companies after each purchase as before.
type buyer struct {
	shop
	random *rand.Rand
	owned  company.Set
	took   []time.Duration
}

func newBuyer(b *testing.B, d *db.DB, owned int) *buyer {
	r := rand.New(rand.NewPCG(1, 2))
	y := &buyer{shop: open(b, d, credit.BalanceMax, unlock.Options{}), random: r, owned: spread(r, owned)}
	_, err := y.shop.buy(b.Context(), export(), y.owned)
	require.NoError(b, err)
	return y
}

func (y *buyer) buy(b *testing.B, searched bool) {
	selected, e := selection(y.random, y.owned), export()
	if searched {
		_, err := y.unlocks.Owned(b.Context(), y.ws)
		require.NoError(b, err)
	}
	start := time.Now()
	fresh, err := y.shop.buy(b.Context(), e, selected)
	y.took = append(y.took, time.Since(start))
	require.NoError(b, err)
	require.Equal(b, 8000, fresh.Len())
	_, err = y.refund(b.Context(), e, fresh)
	require.NoError(b, err)
}

// median returns milliseconds.
func (y *buyer) median() float64 {
	slices.Sort(y.took)
	return float64(y.took[len(y.took)/2].Microseconds()) / 1000
}

// BenchmarkOwned measures the read of every search, after no purchase or one purchase of 10,000 since the last read.
func BenchmarkOwned(b *testing.B) {
	for _, bought := range []bool{false, true} {
		b.Run(fmt.Sprintf("owned=10000000/bought=%t", bought), func(b *testing.B) {
			s := open(b, dbtest.SQLite(b), credit.BalanceMax, unlock.Options{})
			r := rand.New(rand.NewPCG(1, 2))
			already := spread(r, 10_000_000)
			_, err := s.buy(b.Context(), export(), already)
			require.NoError(b, err)
			for b.Loop() {
				if bought {
					b.StopTimer()
					_, err := s.withStore(unlock.Options{}).buy(b.Context(), export(), selection(r, already))
					require.NoError(b, err)
					b.StartTimer()
				}
				_, err := s.unlocks.Owned(b.Context(), s.ws)
				require.NoError(b, err)
			}
		})
	}
}

// spread returns about n companies from the whole universe.
func spread(r *rand.Rand, n int) company.Set {
	bits := roaring.New()
	step := universe / n
	for i := range n {
		bits.Add(uint32(i*step + r.IntN(step) + 1))
	}
	return company.SetFrom(bits)
}

// selection returns 10,000 companies from the whole universe, 2,000 of which are owned already.
func selection(r *rand.Rand, owned company.Set) company.Set {
	bits, have, fresh := roaring.New(), 0, 0
	for have < 2000 {
		n, err := owned.Bitmap().Select(r.Uint32N(uint32(owned.Len())))
		if err == nil && bits.CheckedAdd(n) {
			have++
		}
	}
	for fresh < 8000 {
		n := r.Uint32N(universe) + 1
		if !owned.Has(company.Number(n)) && bits.CheckedAdd(n) {
			fresh++
		}
	}
	return company.SetFrom(bits)
}
