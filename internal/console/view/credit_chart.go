package view

import (
	"context"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/credit"
)

// Chart is spending over time as columns.
type Chart struct {
	Columns []column
	Top     int64 // the value at the top line
	Net     int64 // credits, sum of all columns
}

// column is one interval of the chart, in credits.
type column struct {
	Label, Short      string
	Charged, Refunded int64
}

// Span is a time range that the page can show, and how it is divided into columns.
type Span struct {
	Value, Label string
	From         time.Time
	columns      int
	begin        func(n int) time.Time // the start of column n
	label, short string                // time layouts
}

// Spans returns the time ranges to choose from. They end with today (UTC).
func Spans(now time.Time) []Span {
	today := time.Date(now.UTC().Year(), now.UTC().Month(), now.UTC().Day(), 0, 0, 0, 0, time.UTC)
	month := today.AddDate(0, 0, 1-today.Day())
	daily := func(n int) time.Time { return today.AddDate(0, 0, n-29) }
	weekly := func(n int) time.Time { return today.AddDate(0, 0, 7*(n-13)+1) }
	monthly := func(n int) time.Time { return month.AddDate(0, n-11, 0) }
	return []Span{
		{"30", "30 days", daily(0), 30, daily, "2 January 2006", "2 Jan"},
		{"91", "13 weeks", weekly(0), 13, weekly, "week of 2 January 2006", "2 Jan"},
		{"365", "12 months", monthly(0), 12, monthly, "January 2006", "Jan"},
	}
}

// IsEmpty reports whether all columns are zero.
func (c Chart) IsEmpty() bool {
	return !slices.ContainsFunc(c.Columns, func(col column) bool { return col.Charged != 0 || col.Refunded != 0 })
}

// ChartOf sums the days into the columns of the span.
func (s Span) ChartOf(days []credit.Day) Chart {
	c := Chart{Columns: make([]column, s.columns)}
	for n := range c.Columns {
		from, to := s.begin(n), s.begin(n+1)
		col := column{Label: from.Format(s.label), Short: from.Format(s.short)}
		for _, d := range days {
			if !d.Begin.Before(from) && d.Begin.Before(to) {
				col.Charged += d.Charged
				col.Refunded += d.Refunded
			}
		}
		c.Columns[n] = col
		c.Top = max(c.Top, col.Charged, col.Refunded)
		c.Net += col.Charged - col.Refunded
	}
	c.Top = roundUp(c.Top)
	return c
}

// roundUp returns the next number that is 1, 2, 3 or 5 times a power of ten; at least 10.
func roundUp(n int64) int64 {
	for unit := int64(10); ; unit *= 10 {
		for _, top := range []int64{unit, 2 * unit, 3 * unit, 5 * unit} {
			if n <= top {
				return top
			}
		}
	}
}

// Sizes of the drawing, in its own units.
const (
	chartWidth  = 720
	chartHeight = 200
	chartLeft   = 46
	chartBottom = 24
)

// columnBox returns the left edge, width, top and height of column n for a value.
func (c Chart) columnBox(n int, value int64) (x, width, y, height int) {
	slot := (chartWidth - chartLeft) / len(c.Columns)
	full := chartHeight - chartBottom - 10
	height = int(value * int64(full) / c.Top)
	if value > 0 {
		height = max(height, 1)
	}
	return chartLeft + n*slot + slot/8, slot * 3 / 4, chartHeight - chartBottom - height, height
}

// labelled reports whether column n has a label. If there are many columns, only some have one.
func (c Chart) labelled(n int) bool { return n%max(1, len(c.Columns)/6) == 0 }

// summary describes the chart in a sentence.
func (c Chart) summary(ctx context.Context, label string) string {
	return "Spending over the last " + label + ": " + Plural(ctx, c.Net, "credit", "credits") + " in total."
}
