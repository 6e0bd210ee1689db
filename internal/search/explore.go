package search

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Exploration is a search by a person, who chooses among the facets. Show, Except and Head are as in Request.
type Exploration struct {
	Filters query.Filters
	Sort    query.Sort
	Show    Show
	Except  company.Set
	Cursor  string
	Limit   int
	Head    int
}

// knownFacet counts the matches with a known value, by field.
const knownFacet Facet = "known"

// Explore is Search for a page that offers the facets as choices. A facet that a filter narrows is counted over the
// companies that match the other filters, because its other values are alternatives to the chosen ones.
func (s *Searcher) Explore(ctx context.Context, caller auth.Caller, e Exploration) (*Result, error) {
	q, err := query.Parse(e.Filters)
	if err != nil {
		return nil, err
	}
	r := Request{
		Query: q, Sort: e.Sort, Show: e.Show, Except: e.Except, Cursor: e.Cursor, Limit: e.Limit, Head: e.Head, Facets: []Facet{}, FacetOwned: true,
	}
	wider := map[Facet]query.Filters{}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	for _, facet := range index.AllFacets() {
		if seen.hides(facet) {
			continue
		}
		if others, narrowed := withoutFacet(e.Filters, facet); narrowed {
			wider[facet] = others
		} else {
			r.Facets = append(r.Facets, facet)
		}
	}
	found, err := s.Search(ctx, caller, r)
	if err != nil {
		return nil, err
	}
	found.Unknown = map[Facet]Count{}
	shown := Count{Count: found.Total, Owned: found.Credits.AlreadyUnlocked}
	if e.Show == ShowNew {
		shown.Owned = 0
	}
	for _, facet := range r.Facets {
		found.Unknown[facet] = unknown(facet, shown, found.Facets)
	}
	for facet, others := range wider {
		e.Filters = others
		counted, err := s.facet(ctx, caller, e, index.Request{Facets: []Facet{facet, knownFacet}, FacetLimit: FacetLimit, FacetOwned: true})
		if err != nil {
			return nil, err
		}
		found.Facets.Set(facet, counted.Facets)
		found.Unknown[facet] = unknown(facet, Count{Count: counted.Total, Owned: counted.Owned}, counted.Facets)
	}
	return found, nil
}

// unknown returns how many of all matches have no value of the facet's field.
func unknown(facet Facet, all Count, counted Facets) Count {
	field := facet.Field().String()
	if !slices.Contains(company.Knowable, field) {
		return Count{}
	}
	for _, known := range counted.Values[knownFacet] {
		if known.Value == field {
			all.Count -= known.Count
			all.Owned -= known.Owned
		}
	}
	return all
}

// Complete returns the most common values of a facet that begin with prefix, of the companies that the filters select.
// The facet's own filter does not narrow them; values that the filters exclude are left out.
func (s *Searcher) Complete(ctx context.Context, caller auth.Caller, e Exploration, facet Facet, prefix string) ([]Count, error) {
	for _, p := range query.ParamsOf(facet.Field()) {
		if !p.Exclude && !p.All {
			p.Clear(&e.Filters)
		}
	}
	found, err := s.facet(ctx, caller, e, index.Request{
		Facets: []Facet{facet}, FacetLimit: FacetLimit, FacetPrefix: FacetPrefix{Facet: facet, Text: prefix},
	})
	if err != nil {
		return nil, err
	}
	return found.Facets.Values[facet], nil
}

// FacetValues returns the values of a facet that begin with prefix, from the first most common ones on, and whether there are
// more. The facet's own filters do not narrow them.
func (s *Searcher) FacetValues(
	ctx context.Context, caller auth.Caller, e Exploration, facet Facet, prefix string, from, limit int,
) (values []Count, more bool, err error) {
	e.Filters, _ = withoutFacet(e.Filters, facet)
	found, err := s.facet(ctx, caller, e, index.Request{
		Facets: []Facet{facet}, FacetLimit: from + limit + 1, FacetPrefix: FacetPrefix{Facet: facet, Text: prefix}, FacetOwned: true,
	})
	if err != nil {
		return nil, false, err
	}
	values = found.Facets.Values[facet]
	values = values[min(from, len(values)):]
	return values[:min(limit, len(values))], len(values) > limit, nil
}

// facet counts the facets in counts over what the exploration selects.
func (s *Searcher) facet(ctx context.Context, caller auth.Caller, e Exploration, counts index.Request) (*index.Result, error) {
	q, err := query.Parse(e.Filters)
	if err != nil {
		return nil, err
	}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	if _, err := seen.facets(counts.Facets, counts.FacetPrefix); err != nil {
		return nil, err
	}
	if q, _, err = s.bound(ctx, caller, seen, q, unranked); err != nil {
		return nil, err
	}
	asks := Request{
		Query: q, Sort: unranked, Show: e.Show, Except: e.Except, Limit: 1, excluded: seen.excluded,
	}.indexed(seen.owned)
	asks.Facets, asks.FacetLimit, asks.FacetPrefix, asks.FacetOwned = counts.Facets, counts.FacetLimit, counts.FacetPrefix, counts.FacetOwned
	found, err := s.Index.Search(ctx, asks)
	if err != nil {
		return nil, fmt.Errorf("count facets %v: %w", counts.Facets, err)
	}
	return found, nil
}

// withoutFacet returns the filters without those of the facet, and whether there were any. If the filter requires every
// value (Param.All), it keeps narrowing its own facet. Asking for companies whose value is not known is one of the choices too.
func withoutFacet(f query.Filters, facet Facet) (others query.Filters, narrowed bool) {
	if facet.Param().All {
		return f, false
	}
	for _, p := range query.ParamsOf(facet.Field()) {
		narrowed = narrowed || p.IsSet(&f)
		p.Clear(&f)
	}
	if field := facet.Field().String(); slices.ContainsFunc(f.Missing, func(name string) bool { return text.Fold(name) == field }) {
		narrowed = true
		f.Missing = slices.DeleteFunc(slices.Clone(f.Missing), func(name string) bool { return text.Fold(name) == field })
	}
	return f, narrowed
}
