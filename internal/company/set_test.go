package company_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
)

func numbers() *rapid.Generator[[]company.Number] {
	near := rapid.Map(rapid.Uint32Range(0, 300), func(n uint32) company.Number { return company.Number(n) })
	far := rapid.Map(rapid.Uint32(), func(n uint32) company.Number { return company.Number(n) })
	return rapid.SliceOf(rapid.OneOf(near, near, near, far))
}

func TestSetAlgebra(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := company.SetOf(numbers().Draw(t, "a")...), company.SetOf(numbers().Draw(t, "b")...)
		require.Equal(t, a.Len(), a.AndLen(b)+a.Minus(b).Len())
		require.Equal(t, a.And(b).Len(), a.AndLen(b))
		require.True(t, a.Or(b).Equal(a.Minus(b).Or(b)))
		require.True(t, a.Minus(b).And(b).IsEmpty())
		again, err := company.ParseSet(a.Bytes())
		require.NoError(t, err)
		require.True(t, a.Equal(again))
		for n := range a.All() {
			require.True(t, a.Has(n))
		}
		require.True(t, slices.IsSorted(slices.Collect(a.All())))
	})
}

func TestTheZeroSetIsEmpty(t *testing.T) {
	t.Parallel()
	var zero company.Set
	require.True(t, zero.IsEmpty())
	require.False(t, zero.Has(1))
	require.True(t, zero.Equal(company.SetOf()))
	again, err := company.ParseSet(zero.Bytes())
	require.NoError(t, err)
	require.True(t, again.IsEmpty())
	none, err := company.ParseSet(nil)
	require.NoError(t, err)
	require.True(t, none.IsEmpty())
}

func FuzzParseSet(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("nonsense"))
	f.Add(company.SetOf(1, 2, 3, 70_000).Bytes())
	f.Add(company.SetOf(5).Bytes()[:6])
	f.Fuzz(func(t *testing.T, p []byte) {
		s, err := company.ParseSet(p)
		if err != nil {
			return
		}
		again, err := company.ParseSet(s.Bytes())
		require.NoError(t, err)
		require.True(t, s.Equal(again))
		require.Len(t, slices.Collect(s.All()), s.Len())
	})
}

func TestManyNumbersMakeTheSameSetAsFew(t *testing.T) {
	t.Parallel()
	for _, highest := range []int{3000, 70_000, 1_500_000, 900_000_000} {
		r := rand.New(rand.NewPCG(5, uint64(highest)))
		numbers, one := make([]company.Number, 2500), company.SetOf()
		for i := range numbers {
			numbers[i] = company.Number(1 + r.IntN(highest))
			one = one.Or(company.SetOf(numbers[i]))
		}
		many := company.SetOf(numbers...)
		require.True(t, one.Equal(many), "numbers up to %d", highest)
		require.Equal(t, one.Bytes(), many.Bytes())
	}
}

// BenchmarkSetOf makes the set of an export: 10,000 numbers of a million in no order.
func BenchmarkSetOf(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	numbers := make([]company.Number, 10_000)
	for i := range numbers {
		numbers[i] = company.Number(1 + r.IntN(1_000_000))
	}
	for b.Loop() {
		company.SetOf(numbers...)
	}
}
