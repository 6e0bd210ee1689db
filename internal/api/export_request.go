package api

import (
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/reqbody"
)

// ExportRequest orders an export.
type ExportRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"200" doc:"A label for the export job." example:"US fintech 50+"`
	QuoteID id.Quote `json:"quote_id,omitzero" format:"uuid" doc:"Exports exactly the companies of the quote, for what was quoted at most. It stands in place of all that says what to export: beside it, only name, export_format, columns and csv_options are taken."`
	ExportSource
}

// QuoteRequest asks what an export would cost: the same body; the name may be left out.
type QuoteRequest struct {
	Name string `json:"name,omitempty" maxLength:"200" doc:"Not used; taken so that the body can be that of the export."`
	ExportSource
}

// ExportSource is where an export's rows come from, and what its file is like.
type ExportSource struct {
	SourceType    string      `json:"source_type,omitempty" enum:"search,list" default:"search" doc:"Where the rows come from."`
	SearchFilters *Filters    `json:"search_filters,omitempty" doc:"For source_type search: the filters of Search companies. {} exports everything, up to the cap."`
	SortBy        string      `json:"sort_by,omitempty" enum:"relevance,employee_count,name,founded_year,updated_at" doc:"For source_type search: which companies come first, and which are kept if more match than the cap. Defaults as in Search companies."`
	SortOrder     string      `json:"sort_order,omitempty" enum:"asc,desc" doc:"For source_type search. Defaults to desc, for name to asc."`
	ListID        id.List     `json:"list_id,omitzero" format:"uuid" doc:"For source_type list: the saved list."`
	ExportFormat  string      `json:"export_format,omitempty" enum:"csv,json" default:"csv" doc:"With a quote_id: defaults to what the quote was asked for with."`
	Columns       []string    `json:"columns,omitempty" minItems:"1" maxItems:"20" doc:"The columns of the file, in this order; the fields of each object for export_format json. Defaults to all, with a quote_id to what the quote was asked for with. What a company costs does not depend on them." example:"[\"name\",\"domain\",\"employee_count\"]"`
	CSVOptions    *CSVOptions `json:"csv_options,omitempty" doc:"For export_format csv."`
	ExportTerms

	query query.Query
	sort  query.Sort
	vague bool // search_filters names filters, but says nothing with them
}

func (b *ExportSource) Inspect(sent *reqbody.Value) { b.vague = sent.HasMembers("search_filters") }

// The values of on_insufficient_balance.
const (
	balanceFail    = "fail"
	balancePartial = "partial"
)

// ExportTerms narrow what is bought, and bound what it may cost.
type ExportTerms struct {
	Limit                 int    `json:"limit,omitempty" minimum:"1" maximum:"10000" doc:"Companies at most: the first ones in the sort's order."`
	OnlyNew               bool   `json:"only_new,omitempty" default:"false" doc:"Leave out companies that the workspace has already; limit and cap count what is left."`
	OnInsufficientBalance string `json:"on_insufficient_balance,omitempty" enum:"fail,partial" default:"fail" doc:"fail: all or nothing. partial: all companies that the workspace has already, and of the new ones the first in the sort's order that the balance and max_credits cover; the others are counted in would_skip."`
	MaxCredits            *int64 `json:"max_credits,omitempty" minimum:"0" doc:"Credits that it may cost at most."`
}

// CSVOptions are what a CSV file can be told to differ in.
type CSVOptions struct {
	BOM         bool `json:"bom,omitempty" default:"false" doc:"Start the file with a UTF-8 byte order mark, for spreadsheets that guess the encoding."`
	RawFormulas bool `json:"raw_formulas,omitempty" default:"false" doc:"Leave text cells that a spreadsheet would run as formulas (= + - @ at the start) as they are, without the apostrophe in front."`
}

func (b *ExportRequest) Resolve() []fault.FieldError {
	if b.QuoteID.IsZero() {
		return b.ExportSource.Resolve()
	}
	faults := b.fileFaults()
	for _, field := range b.given() {
		faults = append(faults, fault.FieldError{Field: field, Message: "is settled by the quote: leave it out"})
	}
	return faults
}

// given are the fields that say what to export.
func (b *ExportSource) given() (fields []string) {
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"source_type", b.SourceType != ""},
		{"search_filters", b.SearchFilters != nil},
		{"sort_by", b.SortBy != ""},
		{"sort_order", b.SortOrder != ""},
		{"list_id", !b.ListID.IsZero()},
		{"limit", b.Limit != 0},
		{"only_new", b.OnlyNew},
		{"on_insufficient_balance", b.OnInsufficientBalance != ""},
		{"max_credits", b.MaxCredits != nil},
	} {
		if f.given {
			fields = append(fields, f.name)
		}
	}
	return fields
}

func (b *ExportSource) fileFaults() []fault.FieldError {
	if b.CSVOptions != nil && b.ExportFormat == string(format.JSON) {
		return []fault.FieldError{{Field: "csv_options", Message: "is only for export_format csv"}}
	}
	return nil
}

func (b *ExportSource) Resolve() []fault.FieldError {
	var more []fault.FieldError
	faults := b.fileFaults()
	bad := func(field, message string) { faults = append(faults, fault.FieldError{Field: field, Message: message}) }
	listed := b.SourceType == string(export.SourceList)
	switch {
	case listed && b.SearchFilters != nil:
		bad("search_filters", "is only for source_type search")
	case listed && b.SortBy+b.SortOrder != "":
		bad("sort_by", "is only for source_type search; a list is exported in the order of its companies")
	case !listed && b.SearchFilters == nil && b.ListID.IsZero():
		bad("search_filters", "is required for source_type search; {} exports everything, up to 10,000 companies")
	}
	if b.SearchFilters != nil {
		b.query, more = b.SearchFilters.parse("search_filters")
		faults = append(faults, more...)
		if b.vague && len(more) == 0 && b.query.IsEmpty() {
			bad("search_filters", `selects every company, for all that it names is empty; send "search_filters": {} to export everything (capped at 10,000)`)
		}
	}
	b.sort, more = parseSort(b.SortBy, b.SortOrder, b.SearchFilters != nil && b.SearchFilters.Query != "")
	return append(faults, more...)
}

func (b *ExportRequest) order() export.Request {
	r := b.ExportSource.order(b.Name)
	r.Quote = b.QuoteID
	return r
}

func (b *ExportSource) order(name string) export.Request {
	r := export.Request{
		Name: name, Source: export.Source(b.SourceType), Query: b.query, Sort: b.sort, List: b.ListID,
		Terms: export.Terms{
			Limit: b.Limit, OnlyNew: b.OnlyNew, Partial: b.OnInsufficientBalance == balancePartial, MaxCredits: b.MaxCredits,
		},
		Format: format.Format(b.ExportFormat),
	}
	if b.SearchFilters != nil {
		r.Filters = b.SearchFilters.canonical()
	}
	if b.CSVOptions != nil {
		r.Options = format.Options{BOM: b.CSVOptions.BOM, RawFormulas: b.CSVOptions.RawFormulas}
	}
	r.Options.Columns = b.Columns
	return r
}
