package view

import (
	"cmp"
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

// order is an export as its form says it.
type ExportForm struct {
	SearchForm
	List   id.List // in place of the search, if it is not zero
	Name   string
	Format format.Format
	// Columns are those of the file, in their usual order; none for all.
	Columns []string
	Limit   string // as it was typed
	Only    bool   // only new companies
	Part    bool   // as many as the balance covers
	BOM     bool
}

// NewExport is the page of an order, and of its quote.
type NewExport struct {
	ExportForm
	Page   string // the address of the form
	Of     list.List
	Price  Price
	Known  bool // Price is
	Faults map[string]string
	Notice string // why the form was not accepted as it was
	Quote  export.Quote
}

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

// readColumns are the columns that are ticked; none if all are, or none is.
func readColumns(ticked []string) []string {
	all := format.AllColumns()
	columns := slices.DeleteFunc(slices.Clone(all), func(c string) bool { return !slices.Contains(ticked, c) })
	if len(columns) == len(all) {
		return nil
	}
	return columns
}

// has tells whether the file has the column.
func (o *ExportForm) has(column string) bool {
	return len(o.Columns) == 0 || slices.Contains(o.Columns, column)
}

// source are the parameters of what is exported.
func (o *ExportForm) source() url.Values {
	if !o.List.IsZero() {
		return url.Values{"list": {o.List.String()}}
	}
	return o.Values()
}

// request is the order for the use case; Validation lists every fault of the form.
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

// ExportFormOf is an export ordered again.
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

// SearchFormOf is the search that an export was made from.
func SearchFormOf(e export.Export) (w SearchForm) {
	if json.Unmarshal(e.Filters, &w.Filters) != nil {
		return SearchForm{}
	}
	w.SortBy, w.SortOrder, _ = strings.Cut(e.Sort, " ")
	return w
}

// SuggestName is what the export is called unless its buyer says better.
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

// fields are the parameters of the order besides its source.
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

// edit is the address of the order's form as it is.
func (v *NewExport) edit() string {
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
