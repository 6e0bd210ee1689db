// Package index is the interface of search indexes: sets and counts, never records. An index is derived from the catalog and
// can be discarded at any time.
package index

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

// Index answers queries over the companies that were applied to it. It is safe for concurrent use.
type Index interface {
	// Search returns one page of the matches with totals. The error is ErrCursor if the cursor is invalid.
	Search(ctx context.Context, r Request) (*Result, error)

	// Select returns the first limit matches in the sort order, and the total number of matches.
	Select(ctx context.Context, s Selection) (*Selected, error)

	// Compare counts the companies in each region of the sets, all in one snapshot.
	Compare(ctx context.Context, c Comparison) (*Compared, error)

	// Pivot counts the matches by the values of two facets, all in one snapshot.
	Pivot(ctx context.Context, r PivotRequest) (*Pivot, error)

	// Lookup reports for each value of a field whether any company has it, and the nearest value that a company has. The
	// values are in the form of query.Given; the results are in the same order.
	Lookup(ctx context.Context, values []query.Given) ([]Known, error)

	// Apply applies the changes and advances Seq to seq, in one step for all readers. If a number occurs several times, the
	// last change wins. The index keeps no reference to the companies.
	Apply(ctx context.Context, changes []Change, seq uint64) error

	// Seq returns the catalog's sequence number up to which the index contains every change. It is 0 for an empty index, and
	// for one that lost companies to damage. Both need the whole catalog: Apply with seq 0 at least once, then once with the
	// catalog's seq. Either call returns ErrRepairing if companies were lost in the meantime; the scan of the catalog must
	// then start over.
	//
	// Changes passed to Apply must begin at what Seq returns. Apply returns ErrReplaced, and applies nothing, if an index that
	// contains less has taken the place of this one in the meantime.
	Seq() uint64

	// Len returns the number of companies in the index.
	Len() int

	Close() error
}

// Change is a company's newest state. A nil Company removes the number.
type Change struct {
	Number  company.Number
	Company *company.Company
}

// Request asks for one page of a search.
type Request struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int          // companies on the page, at least 1
	Head   int          // companies in Result.Head
	Cursor []byte       // Result.Next of the previous page; nil for the first page
	Owned  company.Set  // the companies that Result.Owned counts
	Within *company.Set // if not nil, restricts the search to these companies
	// Without excludes these companies, also from every count, if it is not nil.
	Without *company.Set
	// Excluded are sets of companies that are left out of everything, too. Result.Excluded counts them.
	Excluded []company.Set
	// FacetLimit is the maximum number of values per facet; 0 for no facets.
	FacetLimit int
	// Facets are the facets to count; the others stay nil. nil counts all.
	Facets []Facet
	// FacetPrefix restricts the values of one facet.
	FacetPrefix FacetPrefix
	// FacetOwned also counts the matches in Owned for each value and band of the facets.
	FacetOwned bool
}

// Result is one page of a search.
type Result struct {
	Page     []company.Number // in the sort order
	Head     []company.Number // the first Request.Head of all matches, which Select returns too; nil with a cursor
	Total    int              // number of all matches
	Owned    int              // number of matches that are in Request.Owned
	Excluded int              // number of further matches that are left out for being in one of Request.Excluded
	Facets   Facets
	// Next is the cursor of the next page; nil on the last page. Following it yields every match of the first page's
	// snapshot exactly once, whatever is applied in the meantime, as long as the index keeps that snapshot (at least 15
	// minutes). After that the search continues in the newest snapshot after the same sort key, and still yields every match
	// that did not change exactly once, also when sorted by relevance.
	Next []byte
}

// Count is the number of matches that have a value of a facet, in the companies' spelling.
type Count struct {
	Value string
	Count int
	Owned int // of these, the ones in Request.Owned; 0 unless Request.FacetOwned
}

// Band is the number of matches in a number range. Both bounds are inclusive; nil means unbounded.
type Band struct {
	Min, Max *int64
	Count    int
	Owned    int // as in Count
}

// Selection asks for the first matches of a query.
type Selection struct {
	Query  query.Query
	Sort   query.Sort
	Limit  int
	Within *company.Set
	// Without excludes these companies, also from the total, if it is not nil.
	Without  *company.Set
	Excluded []company.Set // as in Request
}

// Selected holds the first matches of a query.
type Selected struct {
	Numbers  []company.Number // in the sort order
	Total    int
	Excluded int // as in Result
}

// ComparedMax is the maximum number of sets in a Comparison.
const ComparedMax = 8

// Comparison asks for the regions of sets: the companies that are in some of them and not in the others.
type Comparison struct {
	Sets     []query.Query // 1 to ComparedMax
	Owned    company.Set   // the companies that Region.Owned counts
	Excluded []company.Set // sets of companies that are left out
}

// Compared has a region for each combination of sets: that of the sets 0 and 2 is at 1<<0 | 1<<2. The first one, of no set, is empty.
type Compared struct {
	Regions  []Region
	Excluded int // companies in any of the sets that are left out for being in one of Comparison.Excluded
}

// Region counts the companies in some sets and in none of the others.
type Region struct {
	Count int
	Owned int // of these, the ones in Comparison.Owned
}

// Known is what the index knows about a value.
type Known struct {
	Found      bool   // a company has it
	Suggestion string // the nearest value that a company has; empty if none is near
}

// What a Lookup suggests at most. Each suggestion reads every value of a field, or every word.
const (
	SuggestionsMax     = 20 // values
	WordSuggestionsMax = 5

	// BeginningMin is how many letters a value must have for a longer one to be suggested that begins with it.
	BeginningMin = 4
)

// ErrCursor is returned for a cursor that is invalid or belongs to another query.
var ErrCursor = errors.New("index: unreadable cursor")

// ErrReplaced is returned by Apply for changes that do not continue the index, because another one has taken its place since they were
// read. They must be read again from what Seq returns now.
var ErrReplaced = errors.New("index: another index has taken the place of this one")

// ErrRepairing is returned by an index that lost companies to damage, until they are restored from the catalog.
var ErrRepairing error = fault.New(fault.IndexUnavailable,
	"A part of the search index is being rebuilt from the catalog. Try again in %d s.", repairRetrySeconds).
	With("retry_after", repairRetrySeconds)

// repairRetrySeconds is the number of seconds after which a caller should try again. The whole catalog is read, which takes
// seconds for hundreds of thousands of companies and minutes for many millions.
const repairRetrySeconds = 10
