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

// stretch is what the catalog holds of a span of numbers.
type stretch struct {
	first, last company.Number
	companies   []*company.Company // by number
}

func (s stretch) String() string {
	switch {
	case s.first != s.last:
		return fmt.Sprintf("companies number %d to %d", s.first, s.last)
	case len(s.companies) == 1:
		return fmt.Sprintf("company %s", s.companies[0].ID)
	}
	return fmt.Sprintf("company number %d", s.first)
}

func (s stretch) numbers() *company.Set {
	all := make([]company.Number, 0, s.last-s.first+1)
	for n := uint64(s.first); n <= uint64(s.last); n++ {
		all = append(all, company.Number(n)) //nolint:gosec // at most last
	}
	set := company.SetOf(all...)
	return &set
}

// compare asks the index about the part, and plainly works out the same. It gives the first difference, empty if there
// is none.
func (a *indexAudit) compare(ctx context.Context, s stretch) (string, error) {
	within := s.numbers()
	for _, check := range []func(context.Context, stretch, *company.Set) (string, error){a.facts, a.orders, a.words} {
		if problem, err := check(ctx, s, within); err != nil || problem != "" {
			return problem, err
		}
	}
	return "", nil
}

// facts compares which companies there are, and every value that a facet counts.
func (a *indexAudit) facts(ctx context.Context, s stretch, within *company.Set) (string, error) {
	r, err := a.Index.Search(ctx, index.Request{
		Sort: query.Sort{By: query.ByEmployeeCount}, Limit: 1, Within: within, FacetLimit: 1 << 30,
	})
	if err != nil {
		return "", err
	}
	if r.Total != len(s.companies) {
		return fmt.Sprintf("the index holds %d of them, and the catalog %d", r.Total, len(s.companies)), nil
	}
	for facet, counts := range r.Facets.Values {
		values := facet.Field().Values
		if facet.Field() == query.FieldNAICS {
			values = sectors
		}
		if problem := differ(facet.Field().String(), tally(s.companies, values), folded(counts)); problem != "" {
			return problem, nil
		}
	}
	for facet, bands := range r.Facets.Bands {
		if problem := differBands(string(facet), s.companies, facet.Field(), bands); problem != "" {
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

// tally counts the companies that have each value, folded.
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

func folded(counts []index.Count) map[string]int {
	all := make(map[string]int, len(counts))
	for _, c := range counts {
		if v := text.Fold(c.Value); v != "" {
			all[v] += c.Count
		}
	}
	return all
}

// differ names the first value that is not counted alike.
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

// differBands takes the bands as the index draws them.
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

func bound(n *int64) string {
	if n == nil {
		return "anywhere"
	}
	return strconv.FormatInt(*n, 10)
}
