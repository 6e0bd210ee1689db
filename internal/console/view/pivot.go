package view

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// Pivot is the page of a table of two facets.
type Pivot struct {
	*SearchForm
	Facets        []search.Facet // to choose from
	Rows, Columns search.Facet
	Problems      []Problem
	Found         *search.Pivot // nil if the form has errors
}

// The bytes of a page's cells, and what a cell has besides the search that its link repeats.
const (
	cellsBytes     = 55_000
	cellBytes      = 170
	pivotRowsLeast = 4
)

// PivotRowsShown returns how many rows a page shows of the search: fewer if the search is long, because every cell has a link.
func PivotRowsShown(w *SearchForm) int {
	return max(pivotRowsLeast, min(search.PivotRows, cellsBytes/search.PivotColumns/(cellBytes+len(w.At("")))))
}

// facetLabel returns what a page calls a facet.
func facetLabel(f search.Facet) string {
	switch {
	case f.HasBands():
		return company.FieldNamed(f.Field().String()).Label
	case f.Field() == query.FieldNAICS:
		return "NAICS sector"
	case f.Field() == query.FieldKnown:
		return "Known field"
	}
	return f.Param().Label
}

// valueLabel returns what a page calls a row or a column.
func valueLabel(ctx context.Context, f search.Facet, v search.PivotValue) string {
	if f.HasBands() {
		return bandLabel(ctx, f, v.Min, v.Max)
	}
	return LabelOf(f.Param().Name, v.Value)
}

// cellAt returns the address of the search that finds the companies of a cell, or of a row if there is no column, or the reverse.
func (v *Pivot) cellAt(row, column *search.PivotValue) string {
	w := SearchForm{Filters: v.Filters, Show: v.Show, NotOn: v.NotOn}
	if row != nil {
		w.narrow(v.Rows, *row)
	}
	if column != nil {
		w.narrow(v.Columns, *column)
	}
	return w.At("search")
}

// narrow makes the search find only those of its matches that have the value.
func (w *SearchForm) narrow(f search.Facet, v search.PivotValue) {
	if f.HasBands() {
		ends := query.ParamsOf(f.Field()) // the lower one first
		if low := ends[0].Int(&w.Filters); v.Min != nil && (*low == nil || **low < *v.Min) {
			*low = v.Min
		}
		if high := ends[1].Int(&w.Filters); v.Max != nil && (*high == nil || **high > *v.Max) {
			*high = v.Max
		}
		return
	}
	p := f.Param()
	given := *p.Texts(&w.Filters)
	oneEach := slices.Contains([]query.Field{query.FieldCountry, query.FieldState, query.FieldCity}, p.Field)
	switch {
	case p.All:
		*p.Texts(&w.Filters) = append(slices.Clip(given), v.Value)
	case len(given) > 0 && !oneEach: // a company with the value and, of the given values, another one must match both
		inner := w.Filters
		w.Filters = query.Filters{In: []query.SetRef{{Search: &inner}}}
		fallthrough
	default:
		*p.Texts(&w.Filters) = []string{v.Value}
	}
}

// most returns the highest count of a cell.
func (v *Pivot) most() (most int) {
	for _, row := range v.Found.Cells {
		most = max(most, slices.Max(append(row, 0)))
	}
	return most
}

// heatMax is the number of shades of cells.
const heatMax = 9

// heat returns the class of a cell: a shade from 1 to heatMax, none for 0. It follows the square root, so that small counts differ too.
func heat(count, most int) string {
	if count == 0 || most == 0 {
		return "num"
	}
	return "num h" + strconv.Itoa(int(math.Ceil(heatMax*math.Sqrt(float64(count)/float64(most)))))
}

// beyond says what the table does not show of a facet; empty if it shows all.
func beyond(ctx context.Context, f search.Facet, side search.Pivoted) string {
	if side.MoreValues == 0 {
		return ""
	}
	said := fmt.Sprintf("%s: the %s with the most companies are shown, and %s not.",
		facetLabel(f), Count(ctx, len(side.Values)), Plural(ctx, side.MoreValues, "more value is", "more values are"))
	if side.Other > 0 { // every company may have one of those shown as well
		said += " " + Plural(ctx, side.Other, "company has", "companies have") + " none of those shown."
	}
	return said
}

// measures are the choices of what is counted.
var measures = []choice[search.Show]{{search.ShowAll, "All matches"}, {search.ShowNew, "New, a credit each"}, {search.ShowOwned, "Owned"}}

// hidden returns the parameters of the search that the form of the page does not send.
func (v *Pivot) hidden() [][2]string {
	var all [][2]string
	values := v.Values()
	values.Del("show")
	for _, param := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[param] {
			all = append(all, [2]string{param, value})
		}
	}
	return all
}
