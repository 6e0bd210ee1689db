// Package index is the seam to what answers searches: sets and counts, never records.
// An index is derived from the catalog and can be thrown away at any time.
package index

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

// Index answers queries over the companies that were applied to it. Safe for concurrent use.
type Index interface {
	// Search gives one page of the matches with totals. A Cursor that it cannot read is ErrCursor.
	Search(ctx context.Context, r Request) (*Result, error)

	// Select gives the first limit matches in the sort's order, and how many there are in all.
	Select(ctx context.Context, s Selection) (*Selected, error)

	// Lookup tells for each value of a field whether any company has it, and the nearest one that a company has.
	// The values come as query.Given holds them; the answers stand in their order.
	Lookup(ctx context.Context, values []query.Given) ([]Known, error)

	// Apply brings the changes in and moves Seq to seq, at once for all readers. Changes may repeat: the last wins.
	// The index keeps no reference to the companies.
	Apply(ctx context.Context, changes []Change, seq uint64) error

	// Seq is the catalog's sequence number up to which the index holds every change; 0 for an empty index, and for one
	// that has lost companies to damage. Both want the whole catalog: Apply with seq 0 at least once, then one with the
	// catalog's. Either is ErrRepairing if companies were lost meanwhile: the catalog is wanted again, from its beginning.
	Seq() uint64

	// Len is the number of companies in the index.
	Len() int

	Close() error
}

// Change is a company's newest state; a nil Company removes the number.
type Change struct {
	Number  company.Number
	Company *company.Company
}

// Request is one page of a search.
type Request struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int          // companies on the page, at least 1
	Cursor []byte       // Result.Next of the page before; nil for the first
	Owned  company.Set  // what Result.Owned counts
	Within *company.Set // only these companies, if not nil
	// FacetLimit is the number of values a facet at most; 0 for no facets.
	FacetLimit int
	// Facets are those to count, the others stay nil; nil counts all.
	Facets []Facet
	// FacetPrefix narrows one of them.
	FacetPrefix FacetPrefix
}

// Result is one page.
type Result struct {
	Page   []company.Number // in the sort's order
	Total  int              // matches in all
	Owned  int              // matches in all that are in Request.Owned
	Facets Facets
	// Next continues behind the page, nil at the end. Following it yields every match of the first page's moment
	// exactly once, whatever is applied meanwhile, as long as the index remembers that moment (at least 15 minutes);
	// after that it goes on over the newest state behind the same sort key, and still yields every match once that did
	// not change, by relevance too.
	Next []byte
}

// Facets are exact counts over all matches, highest first, then by value.
type Facets struct {
	Countries, States, Cities, Industries, NAICSCodes []Count // NAICSCodes: by sector, the first two digits
	Technologies, TechnologyCategories                []Count
	EmployeeCount, FoundedYear                        []Band // ascending, without the empty ones
}

// Count is one value of a facet as a company spells it, and the matches that have it.
type Count struct {
	Value string
	Count int
}

// Band is a span of numbers, both ends included, and the matches in it; nil is open.
type Band struct {
	Min, Max *int64
	Count    int
}

// Selection asks for the head of a query's matches.
type Selection struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int
	Within *company.Set
	// Without leaves these companies out, of the total too, if it is not nil.
	Without *company.Set
}

// Selected is the head of a query's matches.
type Selected struct {
	Numbers []company.Number // in the sort's order
	Total   int
}

// Known tells what the index knows of a value.
type Known struct {
	Found      bool   // some company has it
	Suggestion string // the nearest value that some company has; empty if none is near
}

// ErrCursor is the answer to a cursor that the index did not make.
var ErrCursor = errors.New("index: unreadable cursor")

// ErrRepairing is the answer of an index that has lost companies to damage, until it has them again.
var ErrRepairing error = fault.New(fault.IndexUnavailable,
	"A part of the search index is being rebuilt from the catalog. Try again in %d s.", mendingRetry).
	With("retry_after", mendingRetry)

// mendingRetry is after how many seconds a caller may try again. The whole catalog is read, which takes seconds for
// hundreds of thousands of companies, and minutes for many millions.
const mendingRetry = 10
