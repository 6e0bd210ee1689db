package packed

import (
	"cmp"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// Top keeps the companies with the highest keys; ties go to the lowest numbers.
type Top struct {
	limit int
	kept  []keyed // sorted once it is full
}

type keyed struct {
	key    float64
	number company.Number
}

// NewTop returns a Top that keeps limit companies.
func NewTop(limit int) *Top { return &Top{limit: limit} }

// Add offers a company; a company without a key (-1) sorts last.
func (t *Top) Add(number company.Number, key float64) {
	k := keyed{key, number}
	if len(t.kept) == t.limit {
		if compare(k, t.kept[t.limit-1]) > 0 {
			return
		}
		i, _ := slices.BinarySearchFunc(t.kept, k, compare)
		copy(t.kept[i+1:], t.kept[i:t.limit-1])
		t.kept[i] = k
		return
	}
	if t.kept = append(t.kept, k); len(t.kept) == t.limit {
		slices.SortFunc(t.kept, compare)
	}
}

func compare(a, b keyed) int {
	return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(a.number, b.number))
}

// Numbers returns the kept companies in order.
func (t *Top) Numbers() []company.Number {
	slices.SortFunc(t.kept, compare)
	numbers := make([]company.Number, len(t.kept))
	for i, k := range t.kept {
		numbers[i] = k.number
	}
	return numbers
}
