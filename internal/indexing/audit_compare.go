package indexing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// numberRange is a range of company numbers, and the companies that the catalog has in it.
type numberRange struct {
	first, last company.Number
	companies   []*company.Company // by number
}

func (s numberRange) String() string {
	switch {
	case s.first != s.last:
		return fmt.Sprintf("companies number %d to %d", s.first, s.last)
	case len(s.companies) == 1:
		return fmt.Sprintf("company %s", s.companies[0].ID)
	}
	return fmt.Sprintf("company number %d", s.first)
}

// numbers returns the set of all numbers in the range.
func (s numberRange) numbers() *company.Set {
	all := make([]company.Number, 0, s.last-s.first+1)
	for n := uint64(s.first); n <= uint64(s.last); n++ {
		all = append(all, company.Number(n)) //nolint:gosec // at most last
	}
	set := company.SetOf(all...)
	return &set
}

// compare searches the index within the range, and computes the same from the catalog's companies. It returns the first
// difference; empty if there is no difference.
func (a *indexAudit) compare(ctx context.Context, s numberRange) (string, error) {
	within := s.numbers()
	for _, check := range []func(context.Context, numberRange, *company.Set) (string, error){a.facts, a.orders, a.words} {
		if problem, err := check(ctx, s, within); err != nil || problem != "" {
			return problem, err
		}
	}
	return "", nil
}

// facts compares which companies the index has, and every value that facets count.
func (a *indexAudit) facts(ctx context.Context, s numberRange, within *company.Set) (string, error) {
	r, err := a.Index.Search(ctx, index.Request{
		Sort: query.Sort{By: query.ByEmployeeCount}, Limit: 1, Within: within, FacetLimit: 1 << 30,
	})
	if err != nil {
		return "", err
	}
	if r.Total != len(s.companies) {
		return fmt.Sprintf("the index has %d of them, and the catalog %d", r.Total, len(s.companies)), nil
	}
	for _, facet := range index.AllFacets() { // in their order, so that the first difference is always the same
		var problem string
		switch of := facet.Field(); {
		case facet.HasBands():
			problem = differBands(string(facet), s.companies, of, r.Facets.Bands[facet])
		case of == query.FieldNAICS:
			problem = differ(of.String(), tally(s.companies, sectors), folded(r.Facets.Values[facet]))
		default:
			problem = differ(of.String(), tally(s.companies, of.Values), folded(r.Facets.Values[facet]))
		}
		if problem != "" {
			return problem, nil
		}
	}
	return "", nil
}

// sectors are the first two digits of each NAICS code.
func sectors(c *company.Company) []string {
	var all []string
	for _, code := range c.NAICSCodes {
		code = text.Fold(code)
		if len(code) >= 2 && strings.Trim(code[:2], "0123456789") == "" {
			all = append(all, code[:2])
		}
	}
	return all
}

// tally counts the companies per folded value.
func tally(companies []*company.Company, values func(*company.Company) []string) map[string]int {
	counts := map[string]int{}
	for _, c := range companies {
		own := map[string]bool{}
		for _, v := range values(c) {
			if v = text.Fold(v); v != "" && !own[v] {
				own[v] = true
				counts[v]++
			}
		}
	}
	return counts
}

// folded sums the counts per folded value.
func folded(counts []index.Count) map[string]int {
	all := make(map[string]int, len(counts))
	for _, c := range counts {
		if v := text.Fold(c.Value); v != "" {
			all[v] += c.Count
		}
	}
	return all
}

// differ describes the first value with different counts.
func differ(facet string, want, got map[string]int) string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, v := range slices.Sorted(maps.Keys(all)) {
		if want[v] != got[v] {
			return fmt.Sprintf("%s: the index counts %q %d times, and the catalog %d", facet, v, got[v], want[v])
		}
	}
	return ""
}

// differBands compares the counts of the index's bands.
func differBands(facet string, companies []*company.Company, f query.Field, bands []index.Band) string {
	known, counted := 0, 0
	for _, c := range companies {
		if f.Int(c) != nil {
			known++
		}
	}
	for _, b := range bands {
		n := 0
		for _, c := range companies {
			if query.MatchNode(query.Range{Field: f, Min: b.Min, Max: b.Max}, c) {
				n++
			}
		}
		if n != b.Count {
			return fmt.Sprintf("%s: the index counts %d in the band from %s to %s, and the catalog %d", facet, b.Count,
				bound(b.Min), bound(b.Max), n)
		}
		counted += n
	}
	if counted != known {
		return fmt.Sprintf("%s: the index knows %d values, and the catalog %d", facet, counted, known)
	}
	return ""
}

// bound returns the limit of a range for people.
func bound(n *int64) string {
	if n == nil {
		return "anywhere"
	}
	return strconv.FormatInt(*n, 10)
}
