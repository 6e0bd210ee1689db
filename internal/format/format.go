// Package format turns companies into the bytes of a file.
// It does not read, select or store them.
package format

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
)

// Writer writes companies as rows. Close writes the end of the file; it does not close the underlying writer.
// The same companies produce the same bytes.
type Writer interface {
	Write(c *company.Company) error
	Close() error
}

// Format is a file format's name in the API, such as csv.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSON    Format = "json"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
	XLSX    Format = "xlsx"
)

// Options are the choices of an export. Fitting reports those that do not fit a format.
type Options struct {
	Columns     []string    `json:"columns,omitempty"`      // the file's columns, in this order; all if empty
	Headers     Headers     `json:"header_row,omitempty"`   // of a CSV or XLSX file
	Compression Compression `json:"compression,omitempty"`  // of a text format
	BOM         bool        `json:"bom,omitempty"`          // start a CSV with a UTF-8 byte order mark
	RawFormulas bool        `json:"raw_formulas,omitempty"` // do not escape text cells of a CSV that a spreadsheet would run as formulas
	MatchKeys   bool        `json:"match_keys,omitempty"`   // start with a column of the keys that the caller has given to the companies

	KeysOf func(company.Number) []string `json:"-"` // returns the keys of a company. Only used with MatchKeys; defaults to none
}

// Headers is what the header row of a table says.
type Headers string

// The headers. The zero Headers are HeadersName.
const (
	HeadersName  Headers = "name"  // the names of the fields: employee_count
	HeadersLabel Headers = "label" // their labels for people: Employees
)

// kind describes one format.
type kind struct {
	format      Format
	label       string // for people
	contentType string
	open        func(io.Writer, Options) Writer
	inspect     func(io.Reader) (Shape, error)
	text        bool // can be compressed
	headerRow   bool // has a header row for people
}

var kinds = []kind{
	{CSV, "CSV", "text/csv; charset=utf-8", newCSV, inspectCSV, true, true},
	{JSON, "JSON", "application/json", newJSON, inspectJSON, true, false},
	{NDJSON, "NDJSON", "application/x-ndjson", newNDJSON, inspectNDJSON, true, false},
	{Parquet, "Parquet", "application/vnd.apache.parquet", newParquet, inspectParquet, false, false},
	{XLSX, "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", newXLSX, inspectXLSX, false, true},
}

func (f Format) kind() (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.format == f })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}

// Known reports whether New can write the format.
func (f Format) Known() bool {
	_, ok := f.kind()
	return ok
}

// Label returns the name for people.
func (f Format) Label() string {
	k, _ := f.kind()
	return k.label
}

// HasHeaderRow reports whether a file has a header row, which Options.Headers is about.
func (f Format) HasHeaderRow() bool {
	k, _ := f.kind()
	return k.headerRow
}

// Extension returns the file name extension of a file with the options, without a leading dot: csv, or csv.gz.
func Extension(f Format, o Options) string { return string(f) + codecs[o.Compression].extension }

// ContentType returns the media type of a file with the options.
func ContentType(f Format, o Options) string {
	if c := codecs[o.Compression]; c.contentType != "" {
		return c.contentType
	}
	k, ok := f.kind()
	if !ok {
		return "application/octet-stream"
	}
	return k.contentType
}

// Names lists the formats for a message: csv, json or ndjson.
func Names() string {
	return names(func(kind) bool { return true })
}

// names lists the formats for a message that meet a condition.
func names(is func(kind) bool) string {
	var all []string
	for _, k := range kinds {
		if is(k) {
			all = append(all, string(k.format))
		}
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// Fitting returns an error for each option that does not fit the format, or that does not exist, by its name in the API.
func (o Options) Fitting(f Format) (errs []fault.FieldError) {
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	k, ok := f.kind()
	if !ok {
		return nil
	}
	switch _, known := codecs[o.Compression]; {
	case !known:
		bad("compression", "must be none, gzip or zstd")
	case o.Compression.compresses() && !k.text:
		bad("compression", fmt.Sprintf("is only for export_format %s; %s is compressed already", names(func(k kind) bool { return k.text }), f))
	}
	switch {
	case o.Headers != "" && o.Headers != HeadersName && o.Headers != HeadersLabel:
		bad("header_row", "must be name or label")
	case o.Headers == HeadersLabel && !k.headerRow:
		bad("header_row", fmt.Sprintf("label is only for export_format %s; %s has the names of the fields", names(func(k kind) bool { return k.headerRow }), f))
	}
	if f != CSV && (o.BOM || o.RawFormulas) {
		bad("csv_options", "is only for export_format csv")
	}
	return errs
}

// With returns the options, those in more replacing them.
func (o Options) With(more Options) Options {
	if len(more.Columns) > 0 {
		o.Columns = more.Columns
	}
	o.Headers, o.Compression = cmp.Or(more.Headers, o.Headers), cmp.Or(more.Compression, o.Compression)
	o.BOM, o.RawFormulas = o.BOM || more.BOM, o.RawFormulas || more.RawFormulas
	return o
}

// Normal returns the options without those that are the default, so that equal files have equal options.
func (o Options) Normal() Options {
	if o.Headers == HeadersName {
		o.Headers = ""
	}
	if !o.Compression.compresses() {
		o.Compression = ""
	}
	return o
}

// New returns a Writer that writes to w, about 64 kB at a time.
func New(f Format, w io.Writer, o Options) (Writer, error) {
	k, ok := f.kind()
	if !ok {
		return nil, fmt.Errorf("unknown format %q", f)
	}
	for _, name := range o.Columns {
		if company.FieldNamed(name) == nil {
			return nil, fmt.Errorf("unknown column %q", name)
		}
	}
	if err := fault.Invalid(o.Fitting(f)...); err != nil {
		return nil, err
	}
	if !o.Compression.compresses() {
		return k.open(w, o), nil
	}
	compressor, err := codecs[o.Compression].compress(w)
	if err != nil {
		return nil, err
	}
	return &compressed{k.open(compressor, o), compressor}, nil
}

// All lists the formats in the order in which they are offered.
func All() []Format {
	all := make([]Format, len(kinds))
	for i, k := range kinds {
		all[i] = k.format
	}
	return all
}

// MatchKeyColumn is the name of the column that Options.MatchKeys adds.
const MatchKeyColumn = "match_key"

// keyField is the column of the caller's keys. Several rows of a caller's list may have matched one company.
func (o Options) keyField() *company.Field {
	return &company.Field{Name: MatchKeyColumn, Label: MatchKeyColumn, Kind: company.KindList, List: func(c *company.Company) *[]string {
		var keys []string
		if o.KeysOf != nil {
			keys = o.KeysOf(c.Number)
		}
		return &keys
	}}
}

// fieldsOf returns the fields of a file in their order.
func fieldsOf(o Options) []*company.Field {
	names := slices.Clone(o.Columns)
	if len(names) == 0 {
		for i := range company.Fields {
			names = append(names, company.Fields[i].Name)
		}
	}
	var fields []*company.Field
	if o.MatchKeys {
		fields = append(fields, o.keyField())
	}
	for _, name := range names {
		fields = append(fields, company.FieldNamed(name))
	}
	return fields
}
