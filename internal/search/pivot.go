package search

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// The numbers of values that a table has by default and at most.
const (
	PivotRows       = 20
	PivotRowsMax    = 100
	PivotColumns    = 10
	PivotColumnsMax = 25
)

type (
	// PivotAxis is one side of a table that is asked for.
	PivotAxis = index.PivotAxis
	// Pivoted is one side of a table.
	Pivoted = index.Pivoted
	// PivotValue is a row or a column of a table.
	PivotValue = index.PivotValue
)

// PivotRequest asks for a table of the matches that Show and Except leave, as in Request.
type PivotRequest struct {
	Query         query.Query
	Show          Show
	Except        company.Set
	Rows, Columns PivotAxis
}

// Pivot is a table of exact counts.
type Pivot struct {
	index.Pivot
	Warnings []Warning
}

// The names of the rows and columns of Lines that are no values.
const (
	pivotOther   = "(other)"
	pivotUnknown = "(unknown)"
	pivotTotal   = "(total)"
)

// likeRest are the values that could be taken for those rows and columns. Each is written with one more pair of parentheses.
var likeRest = regexp.MustCompile(`(?i)^\(+(other|unknown|total)\)+$`)

// Header returns the names of the columns of Lines. The values of the columns stand between the facet of the rows and the rest.
func (p *Pivot) Header(rows Facet) []string {
	header := []string{string(rows)}
	for _, v := range p.Columns.Values {
		header = append(header, pivotText(v))
	}
	return append(header, pivotOther, pivotUnknown, pivotTotal)
}

// Lines calls line for each row of the table, and for what is beyond the rows. What is not counted is nil.
func (p *Pivot) Lines(line func(cells ...any) error) error {
	for i, v := range p.Rows.Values {
		cells := []any{pivotText(v)}
		for _, n := range p.Cells[i] {
			cells = append(cells, n)
		}
		if err := line(append(cells, v.Other, v.Unknown, v.Count)...); err != nil {
			return err
		}
	}
	other, unknown, total := []any{pivotOther}, []any{pivotUnknown}, []any{pivotTotal}
	for _, v := range p.Columns.Values {
		other, unknown, total = append(other, v.Other), append(unknown, v.Unknown), append(total, v.Count)
	}
	return errors.Join(
		line(append(other, nil, nil, p.Rows.Other)...), line(append(unknown, nil, nil, p.Rows.Unknown)...),
		line(append(total, p.Columns.Other, p.Columns.Unknown, p.Total)...),
	)
}

// Pivot counts the matches by the values of two facets. Validation, with the fields rows and columns, if the facet of both is the same
// or that of a locked field. Other faults as of Search.
func (s *Searcher) Pivot(ctx context.Context, caller auth.Caller, r PivotRequest) (*Pivot, error) {
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return nil, err
	}
	var errs []fault.FieldError
	if seen.hides(r.Rows.Facet) {
		errs = append(errs, lockedFacet("rows", r.Rows.Facet))
	}
	if seen.hides(r.Columns.Facet) {
		errs = append(errs, lockedFacet("columns", r.Columns.Facet))
	}
	if r.Rows.Facet == r.Columns.Facet {
		errs = append(errs, fault.FieldError{Field: "columns", Message: "must be another one than rows"})
	}
	q, _, err := s.bound(ctx, caller, seen, r.Query, unranked)
	if errs = append(errs, fault.Fields(err)...); len(errs) > 0 {
		return nil, fault.Invalid(errs...)
	}
	if err != nil {
		return nil, err
	}
	limits := Request{Show: r.Show, Except: r.Except}.indexed(seen.owned)
	found, err := s.Index.Pivot(ctx, index.PivotRequest{
		Query: q, Within: limits.Within, Without: limits.Without, Excluded: seen.excluded, Rows: r.Rows, Columns: r.Columns,
	})
	if err != nil {
		return nil, fmt.Errorf("count %s by %s: %w", r.Rows.Facet, r.Columns.Facet, err)
	}
	warnings, err := index.Warnings(ctx, s.Index, q)
	return &Pivot{Pivot: *found, Warnings: warnings}, err
}

// pivotText returns a value as a cell of a table. A band is not written with a dash, which spreadsheets would take for a date.
func pivotText(v PivotValue) string {
	switch {
	case v.Min != nil && v.Max != nil:
		return fmt.Sprintf("%d to %d", *v.Min, *v.Max)
	case v.Min != nil:
		return fmt.Sprintf("%d or more", *v.Min)
	case v.Max != nil:
		return fmt.Sprintf("up to %d", *v.Max)
	case likeRest.MatchString(v.Value):
		return "(" + v.Value + ")"
	}
	return v.Value
}

// Facets returns the facets that the caller may count: all but those of locked fields.
func (s *Searcher) Facets(ctx context.Context, caller auth.Caller) ([]Facet, error) {
	seen, err := s.seenBy(ctx, caller)
	return slices.DeleteFunc(AllFacets(), seen.hides), err
}
