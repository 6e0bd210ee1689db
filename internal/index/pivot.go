package index

import (
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// PivotRequest asks for a table of two facets.
type PivotRequest struct {
	Query           query.Query
	Within, Without *company.Set  // as in Request
	Excluded        []company.Set // as in Request
	Rows, Columns   PivotAxis     // of two different facets
}

// PivotAxis is one side of a table: at most Limit values of a facet, those that most matches have.
type PivotAxis struct {
	Facet Facet
	Limit int // at least 1
}

// Pivot is a table of exact counts.
type Pivot struct {
	Total         int // number of all matches
	Excluded      int // as in Result
	Rows, Columns Pivoted
	Cells         [][]int // by row and column: the matches that have both values
}

// Pivoted is one side of a table. A match with several values of the facet is counted at each of them. The sums count it once.
type Pivoted struct {
	Values     []PivotValue // highest count first, then by value; bands are in ascending order
	MoreValues int          // number of further values that matches have
	Other      int          // matches with a value of the field, but none of Values
	Unknown    int          // matches without a value of the field
}

// PivotValue is a value of a facet, or a band, whose bounds are as in Band.
type PivotValue struct {
	Value    string // empty for a band
	Min, Max *int64
	Count    int
	Other    int // of these, the matches with a value of the other side's field, but none of its Values
	Unknown  int // of these, the matches without a value of the other side's field
}
