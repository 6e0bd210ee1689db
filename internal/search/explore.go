package search

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// Explore is Search for a page that offers the facets as choices. A facet that a filter narrows is counted over the
// companies that match the other filters, because its other values are alternatives to the chosen ones.
func (s *Searcher) Explore(
	ctx context.Context, ws id.Workspace, f query.Filters, sort query.Sort, cursor string, limit int,
) (*Result, error) {
	q, err := query.Parse(f)
	if err != nil {
		return nil, err
	}
	r := Request{Query: q, Sort: sort, Cursor: cursor, Limit: limit, Facets: []Facet{}}
	wider := map[Facet]query.Filters{}
	for _, facet := range index.AllFacets() {
		if others, narrowed := withoutFacet(f, facet); narrowed {
			wider[facet] = others
		} else {
			r.Facets = append(r.Facets, facet)
		}
	}
	found, err := s.Search(ctx, ws, r)
	if err != nil {
		return nil, err
	}
	for facet, others := range wider {
		counted, err := s.facet(ctx, others, facet, "")
		if err != nil {
			return nil, err
		}
		found.Facets.Set(facet, counted)
	}
	return found, nil
}

// Complete returns the most common values of a facet that begin with prefix, of the companies that the filters select.
// The facet's own filter does not narrow them; values that the filters exclude are left out.
func (s *Searcher) Complete(ctx context.Context, f query.Filters, facet Facet, prefix string) ([]Count, error) {
	others := f
	for _, p := range query.ParamsOf(facet.Field()) {
		if !p.Exclude && !p.All {
			p.Clear(&others)
		}
	}
	found, err := s.facet(ctx, others, facet, prefix)
	return found.Values[facet], err
}

// facet counts one facet of the companies that the filters select, limited to the values that begin with prefix.
func (s *Searcher) facet(ctx context.Context, f query.Filters, facet Facet, prefix string) (Facets, error) {
	q, err := query.Parse(f)
	if err != nil {
		return Facets{}, err
	}
	found, err := s.Index.Search(ctx, index.Request{
		Query: q, Sort: query.Sort{By: query.ByEmployeeCount, Desc: true}, Limit: 1,
		Facets: []Facet{facet}, FacetLimit: FacetLimit, FacetPrefix: FacetPrefix{Facet: facet, Text: prefix},
	})
	if err != nil {
		return Facets{}, fmt.Errorf("count facet %s: %w", facet, err)
	}
	return found.Facets, nil
}

// withoutFacet returns the filters without those of the facet, and whether there were any. If the filter requires every
// value (Param.All), it keeps narrowing its own facet.
func withoutFacet(f query.Filters, facet Facet) (others query.Filters, narrowed bool) {
	if facet.Param().All {
		return f, false
	}
	for _, p := range query.ParamsOf(facet.Field()) {
		narrowed = narrowed || p.IsSet(&f)
		p.Clear(&f)
	}
	return f, narrowed
}
