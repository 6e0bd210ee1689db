// Package search finds companies and marks those that a workspace has unlocked already.
// It charges nothing and stores nothing.
package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/match"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/tracing"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/wall"
)

// Deps are what a Searcher needs.
type Deps struct {
	Index   index.Index
	Catalog *catalog.Store
	Unlock  *unlock.Store
	Wall    *wall.Store
	Lists   *list.Store
	Matches *match.Store // Only Match and Matched use it

	// ResolveSets returns a query with the companies of the sets that it names, bounded by the locked fields.
	ResolveSets func(context.Context, auth.Caller, company.FieldSet, query.Query) (query.Query, error)
}

// Searcher answers searches. It is safe for concurrent use.
type Searcher struct{ Deps }

// New returns a Searcher.
func New(d Deps) *Searcher { return &Searcher{d} }

// FacetLimit is the maximum number of values of a facet.
const FacetLimit = 25

// Show limits a search by what the workspace owns. That is no filter: filters are about companies alone, so that a saved search
// and an index mean the same for everybody.
type Show uint8

// The values of Show.
const (
	ShowAll   Show = iota
	ShowNew        // companies that the workspace does not own
	ShowOwned      // companies that it owns
)

// Request asks for one page of a search.
type Request struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int    // companies on the page, at least 1
	Head   int    // companies in Result.Head
	Cursor string // Result.NextCursor of the previous page; empty for the first

	Show   Show
	Except company.Set // left out of everything. It may change between pages: a cursor is a place in the order

	Facets      []Facet     // the facets to count; nil for all that the caller may see. Validation for one of a locked field
	FacetPrefix FacetPrefix // limits the values of one of them
	FacetOwned  bool        // also count what the workspace owns by value

	within   *company.Set  // if not nil, nothing else is searched; not together with Show
	excluded []company.Set // the workspace's exclusions, set by Search

	withExcluded bool // exclusions do not apply
}

// Result is one page of a search. Total and facets are about all matches that Show leaves, credits are about all matches.
type Result struct {
	Items      []Item
	Head       []company.Number // the first Request.Head of all matches; nil with a cursor
	Total      int
	Excluded   int // further matches that are left out because they are on an excluded list
	Facets     Facets
	Hidden     []Facet // the facets of locked fields, which are not counted
	NextCursor string  // empty on the last page
	Warnings   []Warning
	Credits    Credits
	Unknown    map[Facet]Count // matches without a value of the facet's field; only Explore sets it

	IndexTook   time.Duration // time in the index: finding, counting and looking up filter values
	CatalogTook time.Duration // time to read the items
}

type (
	// Facets are the counts by value of each facet; the handlers may not import index.
	Facets = index.Facets
	// Count is one value of a facet.
	Count = index.Count
	// Band is a number range of a facet.
	Band = index.Band
	// Warning is a value of a filter that no company has, or that is both included and excluded.
	Warning = index.Warning
	// Facet is a property by which matches are counted.
	Facet = index.Facet
	// FacetPrefix limits a facet to the values that begin with a text.
	FacetPrefix = index.FacetPrefix
)

// AllFacets returns all facets in the order in which they are shown.
func AllFacets() []Facet { return index.AllFacets() }

// ParseFacet returns the facet with the name.
func ParseFacet(name string) (Facet, bool) { return index.ParseFacet(name) }

// FacetOf returns the facet that counts what the parameter of a name reads; false if there is none.
func FacetOf(param string) (Facet, bool) { return index.FacetOf(param) }

// NearestFacet returns the name of a facet that is spelled similarly; empty if there is none.
func NearestFacet(name string) string { return index.NearestFacet(name) }

// Item is a company as a workspace sees it, and whether the workspace has unlocked it. The values of the locked fields are left
// out, as if they were unknown.
type Item struct {
	*company.Company
	Unlocked bool
	Locked   company.FieldSet
}

// Credits is the price of all matches: those unlocked already, and the new ones at one credit each.
type Credits struct{ AlreadyUnlocked, NewCount int }

// indexed returns the request for the index, for a workspace that owns these companies.
func (r Request) indexed(owned company.Set) index.Request {
	q := index.Request{
		Query: r.Query, Sort: r.Sort, Limit: r.Limit, Head: r.Head, Owned: owned,
		FacetLimit: FacetLimit, Facets: r.Facets, FacetPrefix: r.FacetPrefix, FacetOwned: r.FacetOwned,
		Excluded: r.excluded,
	}
	out := r.Except
	switch {
	case r.within != nil:
		q.Within = r.within
	case r.Show == ShowOwned:
		q.Within = &owned
	case r.Show == ShowNew && out.IsEmpty():
		out = owned // as it is: the index caches it
	case r.Show == ShowNew:
		out = out.Or(owned)
	}
	if !out.IsEmpty() {
		q.Without = &out
	}
	return q
}

// unranked is the order of searches that only count: sorting by relevance would score every match.
var unranked = query.Sort{By: query.ByEmployeeCount, Desc: true, Default: true}

// credits counts all matches of a request whose Show leaves some of them out.
func (s *Searcher) credits(ctx context.Context, r Request, owned company.Set) (Credits, error) {
	r.Show, r.Facets, r.Limit, r.Head = ShowAll, []Facet{}, 1, 0
	r.Sort = unranked
	found, err := s.Index.Search(ctx, r.indexed(owned))
	if err != nil {
		return Credits{}, fmt.Errorf("count the matches: %w", err)
	}
	return Credits{AlreadyUnlocked: found.Owned, NewCount: found.Total - found.Owned}, nil
}

// Search returns one page. InvalidCursor for a cursor that cannot be read or belongs to another query or sort.
func (s *Searcher) Search(ctx context.Context, caller auth.Caller, r Request) (*Result, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	if r.Facets, err = seen.facets(r.Facets, r.FacetPrefix); err != nil {
		return nil, err
	}
	if r.within == nil {
		if r.Query, r.Sort, err = s.bound(ctx, caller, seen, r.Query, r.Sort); err != nil {
			return nil, err
		}
	}
	scope := cursor.NewScope("search", r.Query.Fingerprint(), r.Sort)
	if r.Show != ShowAll {
		scope = cursor.NewScope("search", r.Query.Fingerprint(), r.Sort, r.Show)
	}
	position, err := scope.Decode(r.Cursor)
	if err != nil {
		return nil, err
	}
	asked, owned := time.Now(), seen.owned
	if r.within == nil && !r.withExcluded {
		r.excluded = seen.excluded
	}
	asks := r.indexed(owned)
	asks.Cursor = position
	found, err := s.searchIndex(ctx, asks)
	if errors.Is(err, index.ErrCursor) {
		return nil, cursor.Unreadable(err)
	}
	if err != nil {
		return nil, fmt.Errorf("search the index: %w", err)
	}
	credits := Credits{AlreadyUnlocked: found.Owned, NewCount: found.Total - found.Owned}
	if r.Show != ShowAll {
		if credits, err = s.credits(ctx, r, owned); err != nil {
			return nil, err
		}
	}
	indexed := time.Now()
	items, err := s.items(ctx, seen, found.Page)
	if err != nil {
		return nil, err
	}
	read := time.Now()
	warnings, err := index.Warnings(ctx, s.Index, r.Query)
	if err != nil {
		return nil, err
	}
	if found.Total == 0 {
		together, err := index.Together(ctx, s.Index, r.Query)
		if err != nil {
			return nil, err
		}
		warnings = append(warnings, together...)
	}
	result := &Result{
		Items: items, Head: found.Head, Total: found.Total, Excluded: found.Excluded, Facets: found.Facets, Hidden: seen.hidden(), Warnings: warnings,
		Credits:   credits,
		IndexTook: indexed.Sub(asked) + time.Since(read), CatalogTook: read.Sub(indexed),
	}
	if found.Next != nil {
		result.NextCursor = scope.Encode(found.Next)
	}
	return result, nil
}

func (s *Searcher) searchIndex(ctx context.Context, asks index.Request) (found *index.Result, err error) {
	ctx, span := tracing.Within(ctx, "index search")
	defer func() { tracing.End(span, err) }()
	return s.Index.Search(ctx, asks)
}

// Warnings returns the warnings of a search, without searching.
func (s *Searcher) Warnings(ctx context.Context, caller auth.Caller, q query.Query) ([]Warning, error) {
	locked, err := s.Wall.Locked(ctx, caller)
	if err != nil {
		return nil, err
	}
	if q, err = q.Bounded(locked); err != nil {
		return nil, err
	}
	return index.Warnings(ctx, s.Index, q)
}

// Company returns the whole company; NotFound if it does not exist. For the daily limits it shows the companies that it is connected
// to, too.
func (s *Searcher) Company(ctx context.Context, caller auth.Caller, of id.Company) (Item, error) {
	c, err := s.Catalog.ByID(ctx, of)
	if err != nil {
		return Item{}, err
	}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return Item{}, err
	}
	item := seen.item(c)
	return item, s.show(ctx, seen, append(connectedTo(item), c.Number))
}

// connectedTo returns the companies of the item's connections that are in the catalog.
func connectedTo(item Item) (numbers []company.Number) {
	for _, to := range item.Connections {
		if to.Number != 0 {
			numbers = append(numbers, to.Number)
		}
	}
	return numbers
}

// Items returns the companies in the order of the numbers, without those that are no longer in the catalog.
func (s *Searcher) Items(ctx context.Context, caller auth.Caller, numbers []company.Number) ([]Item, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	return s.items(ctx, seen, numbers)
}

func (s *Searcher) items(ctx context.Context, seen seen, numbers []company.Number) ([]Item, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	companies, err := s.Catalog.ByNumbers(ctx, numbers)
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(companies))
	shown := make([]company.Number, 0, len(companies))
	for _, c := range companies {
		items, shown = append(items, seen.item(c)), append(shown, c.Number)
	}
	return items, s.show(ctx, seen, shown)
}

// show counts the companies that an answer shows, for the daily limits. DailyLimitExceeded if it shows too many.
func (s *Searcher) show(ctx context.Context, seen seen, shown []company.Number) error {
	return s.Wall.Show(ctx, seen.by, company.SetOf(shown...).Minus(seen.owned))
}
