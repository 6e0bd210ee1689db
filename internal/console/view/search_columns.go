package view

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// Column is a column of the result table besides the name.
type Column struct {
	Name, Label string
	Sort        query.SortKey // what its header sorts by, if Sorts
	Sorts, Num  bool
	Class       string // for the width from which it is shown if the columns were not chosen; "no" hides it then
	locks       string // the field that it shows, if that has another name
	chars       int    // the characters that a cell shows, 40 if it is 0
	text        func(ctx context.Context, c *company.Company) string
}

// ownedColumn shows who owns a company; it is not about the company itself.
const ownedColumn = "owned"

// tableColumns are the columns that can be chosen, in their order.
var tableColumns = []Column{
	{Name: "industries", Label: "Industry", text: textOf(func(c *company.Company) string { return joined(c.Industries) })},
	{Name: "location", Label: "Location", locks: "country", text: textOf(locationOf)},
	{
		Name: "employee_count", Label: "Employees", Sort: query.ByEmployeeCount, Sorts: true, Num: true,
		text: func(ctx context.Context, c *company.Company) string {
			if c.EmployeeCount == nil {
				return ""
			}
			return Count(ctx, *c.EmployeeCount)
		},
	},
	{
		Name: "founded_year", Label: "Founded", Sort: query.ByFoundedYear, Sorts: true, Num: true,
		text: textOf(func(c *company.Company) string { return bound(c.FoundedYear) }),
	},
	{Name: "description", Label: "Description", Class: "wide", chars: 60, text: textOf(func(c *company.Company) string { return c.Description })},
	{Name: "technologies", Label: "Technologies", Class: "no", text: textOf(func(c *company.Company) string { return joined(c.Technologies) })},
	{
		Name: "technology_categories", Label: "Technology categories", Class: "no",
		text: textOf(func(c *company.Company) string { return joined(c.TechnologyCategories) }),
	},
	{Name: "naics_codes", Label: "NAICS codes", Class: "no", text: textOf(func(c *company.Company) string { return joined(c.NAICSCodes) })},
	{
		Name: "updated_at", Label: "Updated", Class: "no", Sort: query.ByUpdatedAt, Sorts: true,
		text: textOf(func(c *company.Company) string { return c.UpdatedAt.UTC().Format("2006-01-02") }),
	},
	{Name: ownedColumn, Label: "Owned"},
}

func textOf(fn func(c *company.Company) string) func(context.Context, *company.Company) string {
	return func(_ context.Context, c *company.Company) string { return fn(c) }
}

// class returns the style of the column's cells.
func (c *Column) class() string {
	if c.Num {
		return "num"
	}
	return c.Class
}

// cell returns the text of a cell, and "–" for an unknown value.
func (c *Column) cell(ctx context.Context, of search.Item) string {
	if t := strings.TrimSpace(c.text(ctx, of.Company)); t != "" {
		return text.Start(t, cmp.Or(c.chars, 40))
	}
	if of.Locked.Has(cmp.Or(c.locks, c.Name)) {
		return lockedText
	}
	return "–"
}

// ColumnsOf returns the columns with the names in the text, in their usual order; without any, those that are shown if none were
// chosen.
func ColumnsOf(names string) (chosen []Column) {
	given := strings.Split(names, ".")
	for _, c := range tableColumns {
		if slices.Contains(given, c.Name) {
			c.Class = ""
			chosen = append(chosen, c)
		}
	}
	if len(chosen) > 0 {
		return chosen
	}
	for _, c := range tableColumns {
		if c.Class != "no" {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// ColumnNames returns the names of the given columns that exist as a text that ColumnsOf reads.
func ColumnNames(given []string) string {
	var names []string
	for _, c := range tableColumns {
		if slices.Contains(given, c.Name) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ".")
}

// shows reports whether the table has the column.
func (v *Search) shows(name string) bool {
	return slices.ContainsFunc(v.Columns, func(c Column) bool { return c.Name == name })
}

// sortState is the value of aria-sort for a header; empty if the table is not sorted by it.
func (v *Search) sortState(key query.SortKey) string {
	switch s := v.sort(); {
	case s.By != key:
		return ""
	case s.Desc:
		return "descending"
	default:
		return "ascending"
	}
}

// sortBy returns the address of the search sorted by the key: in its usual direction first, then in the other one.
func (v *Search) sortBy(key query.SortKey) string {
	next := query.Sort{By: key, Desc: key != query.ByName}
	if v.sort() == next {
		next.Desc = !next.Desc
	}
	by, order, _ := strings.Cut(next.String(), " ")
	return v.At("", "sort_by", by, "sort_order", order)
}
