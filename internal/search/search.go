// Package search finds companies and says what of the result a workspace has unlocked already.
// It charges nothing and keeps nothing.
package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/unlock"
)

// Deps is what searching joins.
type Deps struct {
	Index   index.Index
	Catalog *catalog.Store
	Unlock  *unlock.Store
}

// Searcher answers searches. Safe for concurrent use.
type Searcher struct{ Deps }

// New makes a Searcher.
func New(d Deps) *Searcher { return &Searcher{d} }

// FacetLimit is the number of values that a facet shows at most.
const FacetLimit = 25

// Request is one page of a search.
type Request struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int    // companies on the page, at least 1
	Cursor string // Result.NextCursor of the page before; empty for the first

	Facets      []Facet     // those to count; nil for all
	FacetPrefix FacetPrefix // narrows one of them
}

// Result is one page, and what holds for all matches.
type Result struct {
	Items      []Item
	Total      int
	Facets     Facets
	NextCursor string // empty at the end
	Warnings   []Warning
	Credits    Credits

	IndexTook   time.Duration // what finding, counting and looking filter values up took the index
	CatalogTook time.Duration // what reading the items took
}

type (
	// Facets are the index's, under a name that the doors may use.
	Facets = index.Facets
	// Count is one value of a facet.
	Count = index.Count
	// Band is a span of numbers of a facet.
	Band = index.Band
	// Warning is a value of a filter that no company has.
	Warning = index.Warning
	// Facet is something that matches are counted by.
	Facet = index.Facet
	// FacetPrefix narrows a facet to values that begin alike.
	FacetPrefix = index.FacetPrefix
)

// AllFacets returns all facets in the order in which they are shown.
func AllFacets() []Facet { return index.AllFacets() }

// ParseFacet is the facet of a name.
func ParseFacet(name string) (Facet, bool) { return index.ParseFacet(name) }

// FacetOf returns the facet that counts what the parameter of a name reads; false if there is none.
func FacetOf(param string) (Facet, bool) { return index.FacetOf(param) }

// NearestFacet is the facet's name that may have been meant; empty if none is near.
func NearestFacet(name string) string { return index.NearestFacet(name) }

// Item is a company, and whether the workspace has it already.
type Item struct {
	*company.Company
	Unlocked bool
}

// Credits is the price of all matches: those owned already, and those to pay for at one credit each.
type Credits struct{ AlreadyUnlocked, NewCount int }

// Search gives one page. InvalidCursor for a cursor that is unreadable or of another query or sort.
func (s *Searcher) Search(ctx context.Context, ws id.Workspace, r Request) (*Result, error) {
	scope := cursor.NewScope("search", r.Query.Fingerprint(), r.Sort)
	position, err := scope.Decode(r.Cursor)
	if err != nil {
		return nil, err
	}
	owned, err := s.Unlock.Owned(ctx, ws)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	found, err := s.Index.Search(ctx, index.Request{
		Query: r.Query, Sort: r.Sort, Limit: r.Limit, Cursor: position, Owned: owned, FacetLimit: FacetLimit,
		Facets: r.Facets, FacetPrefix: r.FacetPrefix,
	})
	if errors.Is(err, index.ErrCursor) {
		return nil, cursor.Unreadable(err)
	}
	if err != nil {
		return nil, fmt.Errorf("search the index: %w", err)
	}
	indexed := time.Now()
	items, err := s.items(ctx, owned, found.Page)
	if err != nil {
		return nil, err
	}
	read := time.Now()
	warnings, err := index.Warnings(ctx, s.Index, r.Query)
	if err != nil {
		return nil, err
	}
	result := &Result{
		Items: items, Total: found.Total, Facets: found.Facets, Warnings: warnings,
		Credits:   Credits{AlreadyUnlocked: found.Owned, NewCount: found.Total - found.Owned},
		IndexTook: indexed.Sub(asked) + time.Since(read), CatalogTook: read.Sub(indexed),
	}
	if found.Next != nil {
		result.NextCursor = scope.Encode(found.Next)
	}
	return result, nil
}

// Company is the whole company; NotFound without it.
func (s *Searcher) Company(ctx context.Context, ws id.Workspace, company id.Company) (Item, error) {
	c, err := s.Catalog.ByID(ctx, company)
	if err != nil {
		return Item{}, err
	}
	owned, err := s.Unlock.Owned(ctx, ws)
	if err != nil {
		return Item{}, err
	}
	return Item{c, owned.Has(c.Number)}, nil
}

// Items is the companies of the numbers in their order, without those that the catalog no longer has.
func (s *Searcher) Items(ctx context.Context, ws id.Workspace, numbers []company.Number) ([]Item, error) {
	owned, err := s.Unlock.Owned(ctx, ws)
	if err != nil {
		return nil, err
	}
	return s.items(ctx, owned, numbers)
}

func (s *Searcher) items(ctx context.Context, owned company.Set, numbers []company.Number) ([]Item, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	companies, err := s.Catalog.ByNumbers(ctx, numbers)
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(companies))
	for _, c := range companies {
		items = append(items, Item{c, owned.Has(c.Number)})
	}
	return items, nil
}
