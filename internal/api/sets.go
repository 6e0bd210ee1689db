package api

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// CompareRequest is the body that compares sets.
type CompareRequest struct {
	Sets []query.SetRef `json:"sets" minItems:"1" maxItems:"8" doc:"The sets. Together they may have 1,000 ids of companies, because each region names its sets; put more on a list."`

	queries []query.Query
}

// Resolve parses the sets.
func (b *CompareRequest) Resolve() []fault.FieldError {
	var err error
	b.queries, err = search.ParseCompared("sets", b.Sets)
	return fault.Fields(err)
}

// CompareResponse has every region of the sets.
type CompareResponse struct {
	Regions       []Region  `json:"regions" doc:"Every combination of sets, also those without companies. No company is in two regions."`
	ExcludedCount int       `json:"excluded_count" doc:"Companies in any of the sets that are left out because they are on an excluded list."`
	Warnings      []Warning `json:"warnings" doc:"As in Search companies."`
}

// Region is the companies that are in some sets and in none of the others.
type Region struct {
	In              []int        `json:"in" doc:"The positions of the sets in the request, from 0." example:"[0]"`
	Count           int          `json:"count" doc:"Companies in all of these sets and in none of the others." example:"3"`
	AlreadyUnlocked int          `json:"already_unlocked" doc:"Of these, the ones that the workspace owns; they are free." example:"1"`
	NewCount        int          `json:"new_count" doc:"Of these, the ones that would cost one credit each." example:"2"`
	Set             query.SetRef `json:"set" doc:"The region as a set: search, quote or export it, or put it on a list."`
}

type compareInput struct{ Body CompareRequest }

func (s *server) compareSets(ctx context.Context, caller auth.Caller, in *compareInput) (*CompareResponse, error) {
	found, err := s.Search.Compare(ctx, caller, in.Body.queries)
	if err != nil {
		return nil, err
	}
	r := &CompareResponse{Regions: []Region{}, ExcludedCount: found.Excluded, Warnings: warningsOf(found.Warnings)}
	for bits, c := range found.Regions {
		if bits > 0 {
			r.Regions = append(r.Regions, regionOf(bits, c, in.Body.Sets))
		}
	}
	return r, nil
}

func regionOf(bits int, c search.Credits, sets []query.SetRef) Region {
	r := Region{
		Count: c.AlreadyUnlocked + c.NewCount, AlreadyUnlocked: c.AlreadyUnlocked, NewCount: c.NewCount, Set: search.RegionSet(bits, sets),
	}
	for i := range sets {
		if bits>>i&1 == 1 {
			r.In = append(r.In, i)
		}
	}
	return r
}
