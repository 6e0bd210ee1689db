package view

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
)

// ExportForm is the form of a new export, as it was filled in.
type ExportForm struct {
	SearchForm
	List   id.List // exported instead of the search if it is not zero
	Name   string
	Format format.Format
	// Columns are the columns of the file, in their usual order. Empty means all columns.
	Columns []string
	Limit   string // as it was typed
	Only    bool   // only new companies
	Part    bool   // only what the balance covers
	BOM     bool
}

// NewExport is the page of a new export, and of its quote.
type NewExport struct {
	ExportForm
	Page   string // the address of the form
	Of     list.List
	Price  Price
	Known  bool // whether Price is known
	Faults map[string]string
	Quote  export.Quote
	Bought id.Export // the export that bought the quote; zero if none did
}

// QuotePath returns the address of the quote's page, with the name of the export to buy.
func QuotePath(ctx context.Context, quote id.Quote, name string) string {
	return withQuery(ViewerOf(ctx).Path("/quotes/"+quote.String()), url.Values{"name": {name}})
}

// ReadExportForm reads the form from the query or the body of a request.
func ReadExportForm(v url.Values) ExportForm {
	o := ExportForm{
		SearchForm: ReadSearchForm(v), Name: strings.TrimSpace(v.Get("name")), Format: format.Format(cmp.Or(v.Get("format"), string(format.CSV))),
		Limit: strings.TrimSpace(v.Get("limit")), Only: v.Get("only_new") != "", Part: v.Get("partial") != "", BOM: v.Get("bom") != "",
	}
	if l, err := id.Parse[id.List](v.Get("list")); err == nil {
		o.List = l
	}
	o.Columns = readColumns(v["column"])
	return o
}

// readColumns returns the columns that are ticked. It is empty if all or none of them are.
func readColumns(ticked []string) []string {
	all := format.AllColumns()
	columns := slices.DeleteFunc(slices.Clone(all), func(c string) bool { return !slices.Contains(ticked, c) })
	if len(columns) == len(all) {
		return nil
	}
	return columns
}

// has reports whether the file has the column.
func (o *ExportForm) has(column string) bool {
	return len(o.Columns) == 0 || slices.Contains(o.Columns, column)
}

// source returns the parameters of what is exported: a list or a search.
func (o *ExportForm) source() url.Values {
	if !o.List.IsZero() {
		return url.Values{"list": {o.List.String()}}
	}
	return o.Values()
}

// Request returns the request for the use case. Validation lists every error of the form.
func (o *ExportForm) Request() (export.Request, error) {
	r := export.Request{
		Name: o.Name, Format: o.Format, Options: format.Options{BOM: o.BOM && o.Format == format.CSV, Columns: o.Columns},
		Terms: export.Terms{OnlyNew: o.Only, Partial: o.Part},
	}
	var faults []fault.FieldError
	if o.Limit != "" {
		n, err := strconv.Atoi(o.Limit)
		if err != nil || n < 1 {
			faults = append(faults, fault.FieldError{Field: "limit", Message: "must be a whole number from 1 to 10000, or empty for all"})
		}
		r.Terms.Limit = n
	}
	if !o.List.IsZero() {
		r.Source, r.List = export.SourceList, o.List
		return r, fault.Invalid(faults...)
	}
	q, sort, err := o.Parse()
	r.Source, r.Query, r.Sort, r.Filters = export.SourceSearch, q, sort, json.RawMessage(o.Filters.String())
	return r, fault.Invalid(append(faults, fault.Fields(err)...)...)
}

// ExportFormOf returns the form that orders an export again.
func ExportFormOf(e export.Export) ExportForm {
	o := ExportForm{List: e.List, Name: e.Name, Format: e.Format, Only: e.Terms.OnlyNew, BOM: e.Options.BOM, Columns: e.Options.Columns}
	if e.Terms.Limit > 0 {
		o.Limit = strconv.Itoa(e.Terms.Limit)
	}
	if e.Source == export.SourceSearch {
		o.SearchForm = SearchFormOf(e)
	}
	return o
}

// SearchFormOf returns the search from which an export was made.
func SearchFormOf(e export.Export) (w SearchForm) {
	if json.Unmarshal(e.Filters, &w.Filters) != nil {
		return SearchForm{}
	}
	w.SortBy, w.SortOrder, _ = strings.Cut(e.Sort, " ")
	return w
}

// SuggestName returns the name of the export until its buyer types another.
func (v *NewExport) SuggestName() string {
	if !v.List.IsZero() {
		return v.Of.Name
	}
	var words []string
	for _, c := range v.Chips("") {
		if len(words) == 3 {
			break
		}
		if !c.Out {
			words = append(words, c.Value)
		}
	}
	name := cmp.Or(strings.Join(words, ", "), "All companies")
	for utf8.RuneCountInString(name) > list.NameLengthMax {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// fields returns the parameters of the form other than its source.
func (o *ExportForm) fields() url.Values {
	flag := func(on bool) string {
		if on {
			return "1"
		}
		return ""
	}
	return url.Values{
		"name": {o.Name}, "format": {string(o.Format)}, "limit": {o.Limit}, "only_new": {flag(o.Only)}, "partial": {flag(o.Part)},
		"bom": {flag(o.BOM)}, "column": o.Columns,
	}
}

// Edit returns the address of the form with everything filled in.
func (v *NewExport) Edit() string {
	params := v.source()
	for param, values := range v.fields() {
		for _, value := range values {
			if value != "" {
				params.Add(param, value)
			}
		}
	}
	return withQuery(v.Page, params)
}
