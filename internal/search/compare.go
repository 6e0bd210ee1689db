package search

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// ComparedMax is the maximum number of sets that Compare takes.
const ComparedMax = index.ComparedMax

// Compared is what Compare found: the credits of each region, by the bits of its sets as in index.Compared.
type Compared struct {
	Regions  []Credits
	Excluded int // companies in any of the sets that are left out because they are on an excluded list
	Warnings []Warning
}

// Compare counts the companies in every region of the sets. Faults as of Search.
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
