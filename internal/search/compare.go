package search

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// ComparedMax is the maximum number of sets that Compare takes.
const ComparedMax = index.ComparedMax

// Bounds of sets that are compared. The set of a region names them all, and must be within the bounds of a request.
const (
	regionLevels         = 3     // levels that the set of a region has around the sets
	comparedCompaniesMax = 1_000 // ids of companies in all sets
)

// ParseCompared reads 1 to ComparedMax sets that are to be compared. Validation lists every error; field is the parameter that has the
// sets.
func ParseCompared(field string, refs []query.SetRef) ([]query.Query, error) {
	queries, err := query.ParseSets(field, refs, regionLevels)
	if err != nil {
		return nil, err
	}
	companies := 0
	for i := range refs {
		if companies += refs[i].CompanyCount(); companies > comparedCompaniesMax {
			return nil, fault.Invalid(fault.FieldError{
				Field:   fmt.Sprintf("%s[%d]", field, i),
				Message: fmt.Sprintf("is too much: the sets may have %d ids of companies; put more on a list", comparedCompaniesMax),
			})
		}
	}
	return queries, nil
}

// Compared is what Compare found: the credits of each region, by the bits of its sets as in index.Compared.
type Compared struct {
	Regions  []Credits
	Excluded int // companies in any of the sets that are left out because they are on an excluded list
	Warnings []Warning
}

// RegionSet returns the companies in the sets whose bits are set, and in none of the others, as a set.
func RegionSet(bits int, sets []query.SetRef) query.SetRef {
	var in, out []query.SetRef
	for i, set := range sets {
		if bits>>i&1 == 1 {
			in = append(in, set)
		} else {
			out = append(out, set)
		}
	}
	switch {
	case len(out) == 1:
		in = append(in, query.SetRef{Not: &out[0]})
	case len(out) > 1:
		in = append(in, query.SetRef{Not: &query.SetRef{AnyOf: out}})
	}
	if len(in) == 1 {
		return in[0]
	}
	return query.SetRef{AllOf: in}
}

// Compare counts the companies in every region of the sets, which ParseCompared has read. Faults as of Search.
func (s *Searcher) Compare(ctx context.Context, caller auth.Caller, sets []query.Query) (*Compared, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	asks := index.Comparison{Owned: seen.owned, Excluded: seen.excluded}
	result := &Compared{}
	for _, q := range sets {
		if q, _, err = s.bound(ctx, caller, seen, q, unranked); err != nil {
			return nil, err
		}
		warnings, err := index.Warnings(ctx, s.Index, q)
		if err != nil {
			return nil, err
		}
		asks.Sets, result.Warnings = append(asks.Sets, q), append(result.Warnings, warnings...)
	}
	found, err := s.Index.Compare(ctx, asks)
	if err != nil {
		return nil, fmt.Errorf("compare %d sets: %w", len(sets), err)
	}
	result.Excluded = found.Excluded
	for _, r := range found.Regions {
		result.Regions = append(result.Regions, Credits{AlreadyUnlocked: r.Owned, NewCount: r.Count - r.Owned})
	}
	return result, nil
}
