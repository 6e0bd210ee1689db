package api

import (
	"cmp"
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/search"
)

// PivotRequest is the body that makes a table of two aggregations.
type PivotRequest struct {
	Filters     *Filters `json:"filters,omitempty" doc:"The companies to count: the filters of Search companies. Defaults to all companies."`
	Rows        string   `json:"rows" doc:"The aggregation whose values are the rows." example:"countries"`
	Columns     string   `json:"columns" doc:"The aggregation whose values are the columns; another one than rows." example:"employee_count"`
	Measure     string   `json:"measure,omitempty" enum:"count,owned,new" default:"count" doc:"What is counted: all matches, those that the workspace owns, or those that would cost one credit each."`
	RowLimit    *int     `json:"row_limit,omitempty" minimum:"1" maximum:"100" default:"20" doc:"Rows at most: the values that most companies have."`
	ColumnLimit *int     `json:"column_limit,omitempty" minimum:"1" maximum:"25" default:"10" doc:"Columns at most."`

	pivot search.PivotRequest
}

// TransformSchema lists the aggregations.
func (*PivotRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, side := range []string{"rows", "columns"} {
		for _, f := range search.AllFacets() {
			s.Properties[side].Enum = append(s.Properties[side].Enum, string(f))
		}
	}
	return s
}

// measures are what a table may count.
var measures = map[string]search.Show{"count": search.ShowAll, "owned": search.ShowOwned, "new": search.ShowNew}

// Resolve parses filters and aggregations.
func (b *PivotRequest) Resolve() (errs []fault.FieldError) {
	var filters Filters
	if b.Filters != nil {
		filters = *b.Filters
	}
	b.pivot.Query, errs = filters.parse("filters")
	b.Measure = cmp.Or(b.Measure, "count")
	b.pivot.Show = measures[b.Measure]
	side := func(name string, limit *int, limitDefault int) search.PivotAxis {
		axis := search.PivotAxis{Limit: limitDefault}
		axis.Facet, _ = search.ParseFacet(name) // the schema lists all
		if limit != nil {
			axis.Limit = *limit
		}
		return axis
	}
	b.pivot.Rows = side(b.Rows, b.RowLimit, search.PivotRows)
	b.pivot.Columns = side(b.Columns, b.ColumnLimit, search.PivotColumns)
	return errs
}

// PivotResponse is a table of exact counts. A company with several values of an aggregation is counted at each of them; total,
// other_count and unknown_count count it once.
type PivotResponse struct {
	Measure       string    `json:"measure" doc:"As in the request." example:"count"`
	Total         int       `json:"total" doc:"All companies that are counted." example:"815"`
	Rows          PivotSide `json:"rows" doc:"The rows."`
	Columns       PivotSide `json:"columns" doc:"The columns."`
	Cells         [][]int   `json:"cells" doc:"A list for each row, with the number of companies in each column that have both values."`
	ExcludedCount int       `json:"excluded_count" doc:"Further companies that are left out because they are on an excluded list."`
	Warnings      []Warning `json:"warnings" doc:"As in Search companies."`
	orCSV
}

// PivotSide is the rows or the columns of a table.
type PivotSide struct {
	Aggregation  string       `json:"aggregation" doc:"As in the request." example:"countries"`
	Values       []PivotValue `json:"values" doc:"Highest count first; bands of numbers in ascending order."`
	MoreValues   int          `json:"more_values" doc:"How many further values the companies have." example:"31"`
	OtherCount   int          `json:"other_count" doc:"Companies with a value of the field, but none of those shown."`
	UnknownCount int          `json:"unknown_count" doc:"Companies without a known value of the field."`
}

// PivotValue is a row or a column. Of a band of numbers, value is null, and both ends are included.
type PivotValue struct {
	Value        *string `json:"value" doc:"The value; null for a band." example:"Germany"`
	Min          *int64  `json:"min" doc:"The smallest number of a band; null if it has no lower end."`
	Max          *int64  `json:"max" doc:"The largest number of a band; null if it has no upper end."`
	Count        int     `json:"count" doc:"Companies that have the value." example:"812"`
	OtherCount   int     `json:"other_count" doc:"Of these, the ones with a value on the other side of the table, but none of those shown there."`
	UnknownCount int     `json:"unknown_count" doc:"Of these, the ones without a known value on the other side."`
}

type pivotInput struct {
	Body PivotRequest
	prefersCSV
}

func (s *server) pivotCompanies(ctx context.Context, caller auth.Caller, in *pivotInput) (*PivotResponse, error) {
	found, err := s.Search.Pivot(ctx, caller, in.Body.pivot)
	if errs := fault.Fields(err); len(errs) > 0 {
		for i, e := range errs {
			if e.Field != "rows" && e.Field != "columns" {
				errs[i] = under("filters", errs[i:i+1])[0]
			}
		}
		return nil, fault.Invalid(errs...)
	}
	if err != nil {
		return nil, err
	}
	if in.csv {
		return &PivotResponse{orCSV: orCSV{&httpx.CSV{
			FileName: in.Body.Rows + "-by-" + in.Body.Columns + ".csv", Columns: found.Header(in.Body.pivot.Rows.Facet), Rows: found.Lines,
		}}}, nil
	}
	return &PivotResponse{
		Measure: in.Body.Measure, Total: found.Total, Rows: pivotSide(in.Body.Rows, found.Rows), Columns: pivotSide(in.Body.Columns, found.Columns),
		Cells: found.Cells, ExcludedCount: found.Excluded, Warnings: warningsOf(found.Warnings),
	}, nil
}

func pivotSide(name string, found search.Pivoted) PivotSide {
	side := PivotSide{
		Aggregation: name, Values: make([]PivotValue, len(found.Values)), MoreValues: found.MoreValues, OtherCount: found.Other, UnknownCount: found.Unknown,
	}
	for i, v := range found.Values {
		side.Values[i] = PivotValue{Min: v.Min, Max: v.Max, Count: v.Count, OtherCount: v.Other, UnknownCount: v.Unknown}
		if v.Min == nil && v.Max == nil {
			side.Values[i].Value = &v.Value
		}
	}
	return side
}
