package client

import (
	"context"
	"net/http"
)

// PivotRequest asks for a table of two aggregations, by their names.
type PivotRequest struct {
	Filters     Filters `json:"filters"`
	Rows        string  `json:"rows"`
	Columns     string  `json:"columns"`
	Measure     string  `json:"measure,omitempty"` // count, owned or new
	RowLimit    int     `json:"row_limit,omitempty"`
	ColumnLimit int     `json:"column_limit,omitempty"`
}

// Pivot is a table of exact counts. A company with several values is counted at each of them; Total, OtherCount and UnknownCount
// count it once.
type Pivot struct {
	Measure       string    `json:"measure"`
	Total         int       `json:"total"`
	Rows          PivotSide `json:"rows"`
	Columns       PivotSide `json:"columns"`
	Cells         [][]int   `json:"cells"`          // by row and column
	ExcludedCount int       `json:"excluded_count"` // left out because they are on an excluded list
	Warnings      []Warning `json:"warnings"`
}

// PivotSide is the rows or the columns of a table, and what is beyond them.
type PivotSide struct {
	Aggregation  string       `json:"aggregation"`
	Values       []PivotValue `json:"values"`
	MoreValues   int          `json:"more_values"`   // values that are not shown
	OtherCount   int          `json:"other_count"`   // companies with none of the values that are shown, but another
	UnknownCount int          `json:"unknown_count"` // companies without a known value
}

// PivotValue is a row or a column. Value is nil for a band of numbers, whose ends are included.
type PivotValue struct {
	Value        *string `json:"value"`
	Min          *int64  `json:"min"`
	Max          *int64  `json:"max"`
	Count        int     `json:"count"`
	OtherCount   int     `json:"other_count"`
	UnknownCount int     `json:"unknown_count"`
}

// Pivot counts the companies that match the filters by the values of two aggregations.
func (c *Client) Pivot(ctx context.Context, r PivotRequest) (*Pivot, error) {
	var found Pivot
	if err := c.call(ctx, http.MethodPost, "/companies/pivot", r, &found); err != nil {
		return nil, err
	}
	return &found, nil
}
