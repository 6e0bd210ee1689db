package api

import (
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/reqbody"
)

// ExportRequest is the body that creates an export.
type ExportRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"200" doc:"A label for the export job." example:"US fintech 50+"`
	QuoteID id.Quote `json:"quote_id,omitzero" format:"uuid" doc:"Exports exactly the companies of the quote, for at most the quoted cost. It replaces all fields that select companies: send only name, export_format, columns, header_row, preset_id, compression, csv_options and destination_id with it."`
	ExportSource
}

// QuoteRequest is the body of a quote: that of the export, with an optional name.
type QuoteRequest struct {
	Name string `json:"name,omitempty" maxLength:"200" doc:"Not used; accepted so that the same body works for the export."`
	ExportSource
}

// ExportSource says where an export's rows come from, how its file is written and what it may cost.
type ExportSource struct {
	ExportSelection
	OnInsufficientBalance string `json:"on_insufficient_balance,omitempty" enum:"fail,partial" default:"fail" doc:"fail: all or nothing. partial: every company that the workspace has unlocked already, and as many new ones, in sort order, as the balance and max_credits cover. would_skip counts the others."`
	MaxCredits            *int64 `json:"max_credits,omitempty" minimum:"0" doc:"The most credits that the export may cost."`
}

// ExportSelection says where an export's rows come from and how its file is written.
type ExportSelection struct {
	SourceType    string         `json:"source_type,omitempty" enum:"search,list,set,match" default:"search" doc:"Where the rows come from."`
	SearchFilters *Filters       `json:"search_filters,omitempty" doc:"For source_type search: the filters of Search companies. {} selects every company, up to the cap."`
	SortBy        string         `json:"sort_by,omitempty" enum:"relevance,employee_count,name,founded_year,updated_at" doc:"For source_type search and set: the order of the rows, which also decides what is kept if more companies match than the cap. The default is that of Search companies."`
	SortOrder     string         `json:"sort_order,omitempty" enum:"asc,desc" doc:"For source_type search and set. Defaults to desc, and to asc for name."`
	ListID        id.List        `json:"list_id,omitzero" format:"uuid" doc:"For source_type list: the saved list."`
	MatchID       id.MatchResult `json:"match_id,omitzero" format:"uuid" doc:"For source_type match: the companies that Match a list of companies found, in the order of the list. The file starts with the column match_key, which has the key of each row, if any row had one."`
	ExportFormat  string         `json:"export_format,omitempty" enum:"csv,json,ndjson,parquet,xlsx" default:"csv" doc:"The format of the file. With a quote_id, defaults to the format and the options of the quote."`
	Columns       []string       `json:"columns,omitempty" minItems:"1" maxItems:"20" doc:"The columns of the file, in this order; for export_format json and ndjson, the fields of each object. Defaults to all, and with a quote_id to those of the quote. Columns do not change the cost." example:"[\"name\",\"domain\",\"employee_count\"]"`
	PresetID      id.Preset      `json:"preset_id,omitzero" format:"uuid" doc:"A column preset of the workspace, in place of columns and header_row. It may be sent with a quote_id. Its columns are copied: a preset that changes later changes nothing that was made with it."`
	HeaderRow     string         `json:"header_row,omitempty" enum:"name,label" default:"name" doc:"For export_format csv and xlsx: what the header row says. name: the names of the fields, such as employee_count. label: their labels for people, such as Employees."`
	Compression   string         `json:"compression,omitempty" enum:"none,gzip,zstd" default:"none" doc:"For export_format csv, json and ndjson: how the file is compressed. Its name then ends in .gz or .zst."`
	CSVOptions    *CSVOptions    `json:"csv_options,omitempty" doc:"For export_format csv."`
	DestinationID id.Destination `json:"destination_id,omitzero" format:"uuid" doc:"Where the file is delivered when it is ready, besides the download: a destination of the workspace. It may be sent with a quote_id, and does not change the cost."`
	Set           *query.SetRef  `json:"set,omitempty" doc:"For source_type set: the set."`
	Limit         int            `json:"limit,omitempty" minimum:"1" maximum:"10000" doc:"The most companies to export: the first ones of the sort order."`
	OnlyNew       bool           `json:"only_new,omitempty" default:"false" doc:"Leave out companies that the workspace has unlocked already; limit and cap apply to the rest."`
	OnlyOwned     bool           `json:"only_owned,omitempty" default:"false" doc:"Leave out companies that the workspace has not unlocked, so that the export is free."`
	ExcludeListID id.List        `json:"exclude_list_id,omitzero" format:"uuid" doc:"Leave out the companies on this saved list."`

	query query.Query
	sort  query.Sort
	vague bool // search_filters has fields, but all of them are empty
}

// Inspect notes whether search_filters has fields.
func (b *ExportSelection) Inspect(sent *reqbody.Value) { b.vague = sent.HasMembers("search_filters") }

// The values of on_insufficient_balance.
const (
	balanceFail    = "fail"
	balancePartial = "partial"
)

// CSVOptions change how a CSV file is written.
type CSVOptions struct {
	BOM         bool `json:"bom,omitempty" default:"false" doc:"Start the file with a UTF-8 byte order mark, for spreadsheets that would guess another encoding."`
	RawFormulas bool `json:"raw_formulas,omitempty" default:"false" doc:"Write text cells that a spreadsheet would run as formulas (starting with = + - @) unchanged, without an apostrophe in front."`
}

// Resolve parses what selects companies, or rejects it beside a quote_id.
func (b *ExportRequest) Resolve() []fault.FieldError {
	if b.QuoteID.IsZero() {
		return b.ExportSource.Resolve()
	}
	errs := b.fileErrors()
	for _, field := range b.given() {
		errs = append(errs, fault.FieldError{Field: field, Message: "is fixed by the quote; leave it out"})
	}
	return errs
}

// given returns the names of the fields present that select companies.
func (b *ExportSource) given() (fields []string) {
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"source_type", b.SourceType != ""},
		{"search_filters", b.SearchFilters != nil},
		{"sort_by", b.SortBy != ""},
		{"sort_order", b.SortOrder != ""},
		{"set", b.Set != nil},
		{"list_id", !b.ListID.IsZero()},
		{"match_id", !b.MatchID.IsZero()},
		{"limit", b.Limit != 0},
		{"only_new", b.OnlyNew},
		{"only_owned", b.OnlyOwned},
		{"exclude_list_id", !b.ExcludeListID.IsZero()},
		{"on_insufficient_balance", b.OnInsufficientBalance != ""},
		{"max_credits", b.MaxCredits != nil},
	} {
		if f.given {
			fields = append(fields, f.name)
		}
	}
	return fields
}

func (b *ExportSelection) fileErrors() []fault.FieldError {
	if b.CSVOptions != nil && b.ExportFormat != "" && b.ExportFormat != string(format.CSV) {
		return []fault.FieldError{{Field: "csv_options", Message: "is only for export_format csv"}}
	}
	return nil
}

// Resolve parses filters and sort and validates them against the source.
func (b *ExportSelection) Resolve() []fault.FieldError {
	var more []fault.FieldError
	errs := b.fileErrors()
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	fixed := b.SourceType == string(export.SourceList) || b.SourceType == string(export.SourceMatch)
	isSet := b.SourceType == string(export.SourceSet)
	switch {
	case isSet && b.Set == nil:
		bad("set", "is required for source_type set")
	case !isSet && b.Set != nil:
		bad("set", "is only for source_type set")
	}
	switch {
	case (fixed || isSet) && b.SearchFilters != nil:
		bad("search_filters", "is only for source_type search")
	case fixed && b.SortBy+b.SortOrder != "":
		bad("sort_by", "is only for source_type search and set; a list or a match is exported in its own order")
	case !fixed && !isSet && b.SearchFilters == nil && b.ListID.IsZero() && b.MatchID.IsZero():
		bad("search_filters", "is required for source_type search; {} selects every company, up to 10,000")
	}
	if b.SearchFilters != nil {
		b.query, more = b.SearchFilters.parse("search_filters")
		errs = append(errs, more...)
		if b.vague && len(more) == 0 && b.query.IsEmpty() {
			bad("search_filters", `has only empty filters, so it selects every company; send "search_filters": {} to export everything (capped at 10,000)`)
		}
	}
	if isSet && b.Set != nil {
		var err error
		b.query, err = query.ParseSet("set", *b.Set)
		errs = append(errs, fault.Fields(err)...)
	}
	b.sort, more = parseSort(b.SortBy, b.SortOrder, b.SearchFilters != nil && b.SearchFilters.Query != "")
	return append(errs, more...)
}

func (b *ExportRequest) request() export.Request {
	r := b.ExportSource.request(b.Name)
	r.Quote = b.QuoteID
	return r
}

func (b *ExportSource) request(name string) export.Request {
	r := b.ExportSelection.request(name)
	r.Terms.Partial, r.Terms.MaxCredits = b.OnInsufficientBalance == balancePartial, b.MaxCredits
	return r
}

func (b *ExportSelection) request(name string) export.Request {
	r := export.Request{
		Name: name, Source: export.Source(b.SourceType), Query: b.query, Sort: b.sort, List: b.ListID, Match: b.MatchID,
		Terms: export.Terms{
			Limit: b.Limit, OnlyNew: b.OnlyNew, OnlyOwned: b.OnlyOwned, NotOn: b.ExcludeListID,
		},
		Format: format.Format(b.ExportFormat), Destination: b.DestinationID,
	}
	if b.SearchFilters != nil {
		r.Filters = b.SearchFilters.canonical()
	}
	if b.Set != nil {
		r.Filters = Filters{query.Filters{In: []query.SetRef{*b.Set}}}.canonical()
	}
	if b.CSVOptions != nil {
		r.Options = format.Options{BOM: b.CSVOptions.BOM, RawFormulas: b.CSVOptions.RawFormulas}
	}
	r.Options.Columns, r.Preset = b.Columns, b.PresetID
	r.Options.Headers, r.Options.Compression = format.Headers(b.HeaderRow), format.Compression(b.Compression)
	return r
}
