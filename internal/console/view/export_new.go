package view

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/search"
)

// ExportForm is the form of a new export, as it was filled in.
type ExportForm struct {
	SearchForm
	List   id.List        // exported instead of the search if it is not zero
	Match  id.MatchResult // likewise
	Name   string
	Format format.Format
	// Columns are the columns of the file, in their usual order. Empty means all columns.
	Columns    []string
	AllColumns bool   // all columns were chosen, whatever the workspace usually exports
	Limit      string // as it was typed
	Only       bool   // only new companies
	Part       bool   // only what the balance covers
	BOM        bool
	Raw        bool   // formulas of a CSV are not escaped
	Preset     string // the id of a column preset, which stands for Columns and Headers; empty for none

	Compression format.Compression
	Headers     format.Headers
}

// NewExport is the page of a new export, and of its quote.
type NewExport struct {
	ExportForm
	Page     string // the address of the form
	Of       list.List
	Price    Price
	Known    bool              // whether Price is known
	Faults   map[string]string // errors with a place beside their field
	Problems []Problem         // the other errors
	Warnings []search.Warning
	Quote    export.Quote
	Bought   id.Export // the export that bought the quote; zero if none did

	Presets []preset.Preset // to choose from

	Usual []string // the columns that the workspace usually exports; empty for all

	Sharing      int                       // companies that have the domain of another one in the file
	Destinations []destination.Destination // to choose from

	Mails  bool // whether an email can report the end of the export
	Mailed bool // whether the person wants that, unless they choose otherwise
}

// QuotePath returns the address of the quote's page, with the name of the export to buy.
func QuotePath(ctx context.Context, quote id.Quote, name string) string {
	return withQuery(ViewerOf(ctx).Path("/quotes/"+quote.String()), url.Values{"name": {name}})
}

// exportParams are the parameters of the form besides those of the search. AgainParam is the ID of an export to make again.
var exportParams = []string{
	"list", "match", "name", "format", "limit", "only_new", "partial", "bom", "raw_formulas", "compression", "header_row", "preset", "column", AgainParam,
}

// AgainParam is the parameter with the ID of an export whose form is shown again.
const AgainParam = "again"

// ReadExportForm reads the form from the query or the body of a request.
func ReadExportForm(v url.Values) ExportForm {
	o := ExportForm{
		SearchForm: ReadSearchForm(v, exportParams...), Name: strings.TrimSpace(v.Get("name")), Format: format.Format(cmp.Or(v.Get("format"), string(format.CSV))),
		Limit: strings.TrimSpace(v.Get("limit")), Only: v.Get("only_new") != "", Part: v.Get("partial") != "", BOM: v.Get("bom") != "",
		Raw: v.Get("raw_formulas") != "", Preset: v.Get("preset"),
	}
	if given := v.Get("list"); given != "" {
		l, err := id.Parse[id.List](given)
		if err != nil || l.IsZero() {
			o.reject("list", []string{given}, "is not the ID of a list")
		}
		o.List = l
	}
	if given := v.Get("match"); given != "" {
		m, err := id.Parse[id.MatchResult](given)
		if err != nil || m.IsZero() {
			o.reject("match", []string{given}, "is not the ID of a match")
		}
		o.Match = m
	}
	file := format.Options{Compression: format.Compression(v.Get("compression")), Headers: format.Headers(v.Get("header_row"))}.Normal()
	o.Compression, o.Headers = file.Compression, file.Headers
	o.Columns = ReadColumns(v["column"])
	o.AllColumns = len(o.Columns) == 0
	o.Saved = id.Search{}
	if o.Show == search.ShowNew { // the form has a box for it
		o.Show, o.Only = search.ShowAll, true
	}
	return o
}

// ReadColumns returns the columns that are ticked, in their usual order, and then those that do not exist. It is empty if all
// columns or none are ticked.
func ReadColumns(ticked []string) []string {
	all := format.AllColumns()
	columns := slices.DeleteFunc(slices.Clone(all), func(c string) bool { return !slices.Contains(ticked, c) })
	unknown := slices.DeleteFunc(slices.Clone(ticked), func(c string) bool { return slices.Contains(all, c) })
	if len(columns) == len(all) && len(unknown) == 0 {
		return nil
	}
	return append(columns, unknown...)
}

// The choices of the form, the default first.
var (
	compressions = []choice[format.Compression]{{format.None, "None"}, {format.Gzip, "gzip (.gz)"}, {format.Zstd, "zstd (.zst)"}}
	headerRows   = []choice[format.Headers]{{format.HeadersName, "Names: employee_count"}, {format.HeadersLabel, "Labels: Employees"}}
)

func (o *ExportForm) compression() format.Compression { return cmp.Or(o.Compression, format.None) }
func (o *ExportForm) headers() format.Headers         { return cmp.Or(o.Headers, format.HeadersName) }

// file describes the file: CSV, gzip, with labels as headers.
func (o *ExportForm) file() string {
	parts := []string{o.Format.Label()}
	if o.compression() != format.None {
		parts = append(parts, string(o.Compression))
	}
	if o.headers() == format.HeadersLabel {
		parts = append(parts, "with labels as headers")
	}
	return strings.Join(parts, ", ")
}

// has reports whether the file has the column.
func (o *ExportForm) has(column string) bool {
	return len(o.Columns) == 0 || slices.Contains(o.Columns, column)
}

// isSearch reports whether a search is exported.
func (o *ExportForm) isSearch() bool { return o.List.IsZero() && o.Match.IsZero() }

// source returns the parameters of what is exported: a list, a match or a search.
func (o *ExportForm) source() url.Values {
	if !o.Match.IsZero() {
		return url.Values{"match": {o.Match.String()}}
	}
	if !o.List.IsZero() {
		return url.Values{"list": {o.List.String()}}
	}
	return o.Values()
}

// Request returns the request for the use case. Validation lists every error of the form.
func (o *ExportForm) Request() (export.Request, error) {
	isCSV := o.Format == format.CSV
	r := export.Request{
		Name: o.Name, Format: o.Format, Terms: o.Terms(),
		Options: format.Options{
			BOM: o.BOM && isCSV, RawFormulas: o.Raw && isCSV, Columns: o.Columns, Compression: o.Compression, Headers: o.Headers,
		},
	}
	r.Terms.OnlyNew, r.Terms.Partial = o.Only, o.Part
	var faults []fault.FieldError
	if o.Preset != "" {
		p, err := id.Parse[id.Preset](o.Preset)
		if err != nil || p.IsZero() {
			faults = append(faults, fault.FieldError{Field: "preset_id", Message: "is not the ID of a preset"})
		}
		r.Preset, r.Options.Columns, r.Options.Headers = p, nil, ""
	}
	if o.Limit != "" {
		n, err := strconv.Atoi(o.Limit)
		if err != nil || n < 1 {
			faults = append(faults, fault.FieldError{Field: "limit", Message: "must be a whole number from 1 to 10000, or empty for all"})
		}
		r.Terms.Limit = n
	}
	if !o.isSearch() {
		field := "list"
		if r.Source, r.List, r.Match = export.SourceList, o.List, o.Match; !o.Match.IsZero() {
			r.Source, field = export.SourceMatch, "match"
		}
		if faults = append(faults, o.faults...); len(faults) == 0 && len(o.Values()) > 0 {
			faults = append(faults, fault.FieldError{Field: field, Message: "is exported as a whole: it takes no filters and no order"})
		}
		return r, fault.Invalid(faults...)
	}
	q, sort, err := o.Parse()
	r.Source, r.Query, r.Sort, r.Filters = export.SourceSearch, q, sort, json.RawMessage(o.Filters.String())
	return r, fault.Invalid(append(faults, fault.Fields(err)...)...)
}

// ExportFormOf returns the form that orders an export again. It fails if its search cannot be read.
func ExportFormOf(e export.Export) (_ ExportForm, err error) {
	o := ExportForm{
		List: e.List, Match: e.Match, Name: e.Name, Format: e.Format, Only: e.Terms.OnlyNew, BOM: e.Options.BOM, Raw: e.Options.RawFormulas, Columns: e.Options.Columns,
		Compression: e.Options.Compression, Headers: e.Options.Headers,
	}
	o.AllColumns = len(o.Columns) == 0
	if e.Terms.Limit > 0 {
		o.Limit = strconv.Itoa(e.Terms.Limit)
	}
	if e.Source == export.SourceSearch || e.Source == export.SourceSet {
		o.SearchForm, err = SearchFormOf(e)
	}
	return o, err
}

// SearchFormOf returns the search from which an export was made. It fails if a filter cannot be read: without it, the search would
// find more companies.
func SearchFormOf(e export.Export) (w SearchForm, err error) {
	d := json.NewDecoder(bytes.NewReader(e.Filters))
	d.DisallowUnknownFields()
	if err := d.Decode(&w.Filters); err != nil {
		return SearchForm{}, fault.Invalid(fault.FieldError{
			Message: "The filters of this export cannot be read, so it cannot be repeated. Start a new search instead.",
		})
	}
	w.SortBy, w.SortOrder, _ = strings.Cut(e.Sort, " ")
	if w.NotOn = e.Terms.NotOn; e.Terms.OnlyOwned {
		w.Show = search.ShowOwned
	}
	return w, nil
}

// order names the order of the file's rows within a sentence.
func (v *NewExport) order() string {
	switch {
	case !v.Match.IsZero():
		return "in the order of the list that was matched"
	case !v.List.IsZero():
		return "in the order in which they came into the catalog"
	}
	return v.orderPhrase()
}

// SuggestName returns the name of the export until its buyer types another.
func (v *NewExport) SuggestName() string {
	switch {
	case !v.Match.IsZero():
		return "Matched companies"
	case !v.List.IsZero():
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

// WhyEmpty returns why there is nothing to export.
func (v *NewExport) WhyEmpty() string {
	const nothing = "There is nothing to export: "
	switch {
	case v.Only:
		return nothing + "you own every company that matches. To export them again for free, include the companies that you own."
	case v.Show == search.ShowOwned:
		return nothing + "you own none of the companies that match."
	case !v.List.IsZero():
		return nothing + "the list is empty."
	case !v.Match.IsZero():
		return nothing + "the match found no company."
	case v.isEmpty():
		return nothing + "the catalog is empty."
	}
	return nothing + "no company matches all of these filters. Remove one."
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
		"bom": {flag(o.BOM)}, "raw_formulas": {flag(o.Raw)}, "preset": {o.Preset}, "column": o.Columns, "compression": {string(o.Compression)}, "header_row": {string(o.Headers)},
	}
}

// Edit returns the address of the form with everything filled in.
func (v *NewExport) Edit() string { return v.at(v.source()) }

// instead returns the address of the form with the suggestion in place of the unknown value. It is empty if the value cannot be
// replaced.
func (v *NewExport) instead(unknown search.Warning) string {
	if corrected := v.corrected(unknown); corrected != nil {
		return v.at(corrected)
	}
	return ""
}

// at returns the address of the form for another source.
func (v *NewExport) at(source url.Values) string {
	if v.AllColumns && len(v.Usual) > 0 {
		source["column"] = format.AllColumns()
	}
	for param, values := range v.fields() {
		for _, value := range values {
			if value != "" {
				source.Add(param, value)
			}
		}
	}
	return withQuery(v.Page, source)
}

// SetErrors sets Faults and Problems to the errors in a Validation error.
func (v *NewExport) SetErrors(err error) {
	v.Faults, v.Problems = map[string]string{}, nil
	for _, f := range fault.Fields(err) {
		switch name, i, _ := splitField(f.Field); {
		case name == "name" || name == "limit":
			v.Faults[name] = f.Message
		case name == "preset_id" && v.presetDeleted():
			v.Faults["preset"] = "This column preset does not exist any more. Choose another one."
		case name == "preset_id":
			v.Faults["preset"] = "The columns of this preset do not exist any more. Change it, or choose another one."
		case name == "compression" && isChoice(compressions, v.compression()):
			v.Faults[name] = "Only CSV, JSON and NDJSON are compressed: choose one of them, or None."
		case name == "header_row" && isChoice(headerRows, v.headers()):
			v.Faults[name] = "Only CSV and XLSX have labels: choose one of them, or names."
		case name == "columns" && i >= 0:
			v.Problems = append(v.Problems, problemOf(f, v.Columns[i]))
		case name == "export_format" && !v.Format.Known():
			v.Problems = append(v.Problems, problemOf(f, string(v.Format)))
		default:
			v.Problems = append(v.Problems, problemOf(f, v.invalidValues(f.Field)...))
		}
	}
}

// presetDeleted reports whether the chosen preset does not exist.
func (v *NewExport) presetDeleted() bool {
	return v.Preset != "" && !slices.ContainsFunc(v.Presets, func(p preset.Preset) bool { return p.ID.String() == v.Preset })
}

// IsInvalid reports whether the form has errors.
func (v *NewExport) IsInvalid() bool { return len(v.Faults)+len(v.Problems) > 0 }
