// Package format turns companies into the bytes of a file.
// It does not read, select or store them.
package format

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
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
	CSV  Format = "csv"
	JSON Format = "json"
)

// Options are the choices of an export.
type Options struct {
	Columns     []string `json:"columns,omitempty"`      // the file's columns, in this order; all if empty
	BOM         bool     `json:"bom,omitempty"`          // start a CSV with a UTF-8 byte order mark
	RawFormulas bool     `json:"raw_formulas,omitempty"` // do not escape text cells of a CSV that a spreadsheet would run as formulas
	MatchKeys   bool     `json:"match_keys,omitempty"`   // start with a column of the keys that the caller has given to the companies

	KeysOf func(company.Number) []string `json:"-"` // returns the keys of a company. Only used with MatchKeys; defaults to none
}

// kind describes one format.
type kind struct {
	format      Format
	contentType string
	open        func(io.Writer, Options) Writer
	inspect     func(io.Reader) (Shape, error)
}

var kinds = []kind{
	{CSV, "text/csv; charset=utf-8", newCSV, inspectCSV},
	{JSON, "application/json", newJSON, inspectJSON},
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

// Extension returns the file name extension, without a dot.
func (f Format) Extension() string { return string(f) }

// ContentType returns the media type.
func (f Format) ContentType() string {
	k, ok := f.kind()
	if !ok {
		return "application/octet-stream"
	}
	return k.contentType
}

// Names lists the formats for a message: csv or json.
func Names() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k.format)
	}
	return strings.Join(names, " or ")
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
	return k.open(w, o), nil
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
	return &company.Field{Name: MatchKeyColumn, Kind: company.KindList, List: func(c *company.Company) *[]string {
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
