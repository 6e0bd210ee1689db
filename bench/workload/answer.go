package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// Answer is a contender's answer; parts that do not apply to the operation's kind are zero.
type Answer struct {
	Total  int
	Owned  int
	Rows   []company.Number
	Facets [][]index.Count // in the order of Facets, highest first
}

// SortFacet sorts the counts of a facet and keeps the first FacetValues.
func SortFacet(counts []index.Count) []index.Count {
	slices.SortFunc(counts, func(a, b index.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return counts[:min(FacetValues, len(counts))]
}

// Bands are the lower bounds of the size bands.
var Bands = []int64{0, 11, 51, 201, 501, 1001, 5001, 10001}

// BandName returns the name of the band of this number of employees.
func BandName(employees int64) string {
	first := Bands[0]
	for _, next := range Bands[1:] {
		if employees >= next {
			first = next
		}
	}
	return strconv.FormatInt(first, 10)
}

// Differ returns how the answers of two contenders to op differ; empty if they agree on everything they must agree on. Rows
// sorted by relevance may differ, because each contender ranks in its own way. So may facet values with equal counts.
func (o Op) Differ(a, b Answer) string {
	if o.Kind != Select && o.Kind != Split && a.Total != b.Total {
		return fmt.Sprintf("total %d, but %d", a.Total, b.Total)
	}
	if a.Owned != b.Owned {
		return fmt.Sprintf("%d unlocked, but %d", a.Owned, b.Owned)
	}
	if b.Rows == nil && o.Kind != Search {
		return "" // it shows figures alone
	}
	if len(a.Rows) != len(b.Rows) {
		return fmt.Sprintf("%d rows, but %d", len(a.Rows), len(b.Rows))
	}
	if i := firstDifference(a.Rows, b.Rows); i >= 0 && !o.ByRelevance() {
		return fmt.Sprintf("row %d is company %d, but %d", i, a.Rows[i], b.Rows[i])
	}
	if o.Kind != Search {
		return ""
	}
	return differFacets(a.Facets, b.Facets)
}

func firstDifference(a, b []company.Number) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

func differFacets(a, b [][]index.Count) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d facets, but %d", len(a), len(b))
	}
	for f := range a {
		if x, y := sum(a[f]), sum(b[f]); x != y {
			return fmt.Sprintf("%s sum up to %d, but %d", Facets[f], x, y)
		}
		if x, y := untied(a[f]), untied(b[f]); !slices.Equal(x, y) {
			return fmt.Sprintf("%s are %v, but %v", Facets[f], x, y)
		}
	}
	return ""
}

func sum(counts []index.Count) (n int) {
	for _, c := range counts {
		n += c.Count
	}
	return n
}

// untied returns the counts above the last one; values that were cut off may tie with the last one.
func untied(counts []index.Count) []index.Count {
	if len(counts) < FacetValues {
		return counts
	}
	last := counts[len(counts)-1].Count
	return slices.DeleteFunc(slices.Clone(counts), func(c index.Count) bool { return c.Count == last })
}
