package search

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// PickMax is the maximum number of companies that Pick takes from a search.
const PickMax = 100_000

// Picked is the set of companies that a PickRequest selects, and what was not found.
type Picked struct {
	Companies        company.Set
	UnmatchedIDs     []id.Company
	UnmatchedDomains []string
	Capped           bool // the search has more matches than PickMax
	Warnings         []Warning
}

// PickRequest selects companies by id, by domain, by searches or by a match; its parts are combined with OR.
type PickRequest struct {
	IDs     []id.Company
	Domains []string
	Queries []query.Query
	Match   id.MatchResult // none if zero

	// Show and Except limit the searches as in Request.
	Show   Show
	Except company.Set

	WithExcluded bool // the workspace's exclusions do not apply
}

// Pick finds the selected companies. NotFound if the match has expired or is another workspace's.
func (s *Searcher) Pick(ctx context.Context, caller auth.Caller, r PickRequest) (Picked, error) {
	var p Picked
	if err := s.pickIDs(ctx, r.IDs, &p); err != nil {
		return Picked{}, err
	}
	if err := s.pickDomains(ctx, r.Domains, &p); err != nil {
		return Picked{}, err
	}
	if !r.Match.IsZero() {
		matched, err := s.Matches.Get(ctx, caller.Workspace, r.Match)
		if err != nil {
			return Picked{}, err
		}
		p.Companies = p.Companies.Or(company.SetOf(matched.Numbers()...))
	}
	for _, q := range r.Queries {
		if err := s.pickMatches(ctx, caller, q, r, &p); err != nil {
			return Picked{}, err
		}
	}
	return p, nil
}

func (s *Searcher) pickIDs(ctx context.Context, ids []id.Company, p *Picked) error {
	if len(ids) == 0 {
		return nil
	}
	numbers, unknown, err := s.Catalog.Numbers(ctx, ids)
	if err != nil {
		return err
	}
	p.Companies, p.UnmatchedIDs = p.Companies.Or(company.SetOf(numbers...)), unknown
	return nil
}

// pickDomains accepts domains as people write them, including URLs.
func (s *Searcher) pickDomains(ctx context.Context, domains []string, p *Picked) error {
	if len(domains) == 0 {
		return nil
	}
	clean := make([]string, 0, len(domains))
	for _, d := range domains {
		if c, ok := company.CleanDomain(d); ok {
			clean = append(clean, c)
		}
	}
	found, err := s.Catalog.ByDomains(ctx, clean)
	if err != nil {
		return err
	}
	var numbers []company.Number
	for _, d := range domains {
		c, _ := company.CleanDomain(d)
		if len(found[c]) == 0 {
			p.UnmatchedDomains = append(p.UnmatchedDomains, d)
		}
		numbers = append(numbers, found[c]...)
	}
	p.Companies = p.Companies.Or(company.SetOf(numbers...))
	return nil
}

func (s *Searcher) pickMatches(ctx context.Context, caller auth.Caller, q query.Query, r PickRequest, p *Picked) error {
	asks := Request{Query: q, Sort: unranked, Show: r.Show, Except: r.Except}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return err
	}
	if asks.Query, asks.Sort, err = s.bound(ctx, caller, seen, asks.Query, asks.Sort); err != nil {
		return err
	}
	if !r.WithExcluded {
		asks.excluded = seen.excluded
	}
	limits := asks.indexed(seen.owned)
	found, err := s.Index.Select(ctx, index.Selection{
		Query: limits.Query, Sort: limits.Sort, Within: limits.Within, Without: limits.Without, Excluded: limits.Excluded, Limit: PickMax,
	})
	if err != nil {
		return fmt.Errorf("select companies: %w", err)
	}
	p.Companies = p.Companies.Or(company.SetOf(found.Numbers...))
	p.Capped = p.Capped || found.Total > len(found.Numbers)
	warnings, err := index.Warnings(ctx, s.Index, asks.Query)
	p.Warnings = append(p.Warnings, warnings...)
	if err != nil || found.Total > 0 {
		return err
	}
	together, err := index.Together(ctx, s.Index, asks.Query)
	p.Warnings = append(p.Warnings, together...)
	return err
}
