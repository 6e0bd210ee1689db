package indextest

import (
	"math"
	"math/rand/v2"
)

// zipf draws numbers from 0 on, number i with a probability proportional to 1/(i+1)^s, by the alias method (Vose, 1991).
type zipf struct {
	alias  []int32
	keep   []float64
	weight []float64
}

func newZipf(n int, s float64) *zipf {
	z := &zipf{make([]int32, n), make([]float64, n), make([]float64, n)}
	sum := 0.0
	for i := range n {
		z.weight[i] = math.Pow(float64(i+1), -s)
		sum += z.weight[i]
	}
	var small, large []int32
	for i := range n {
		z.weight[i] /= sum
		if z.keep[i] = z.weight[i] * float64(n); z.keep[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		z.alias[s] = l
		if z.keep[l] -= 1 - z.keep[s]; z.keep[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return z
}

func (z *zipf) draw(r *rand.Rand) int {
	i := r.IntN(len(z.keep))
	if r.Float64() < z.keep[i] {
		return i
	}
	return int(z.alias[i])
}

func (z *zipf) shares() []float64 { return z.weight }
