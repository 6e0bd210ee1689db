package export

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// Request asks for an export, or for a quote. Source defaults to a search; Format defaults to the quote's or CSV.
type Request struct {
	Name    string // 1 to 200 characters; a quote needs none
	Source  Source
	Query   query.Query     // for a search or a set
	Filters json.RawMessage // what Query was parsed from, stored unchanged
	Sort    query.Sort      // for a search or a set
	List    id.List         // for a list
	Match   id.MatchResult  // for a match
	Terms   Terms
	Quote   id.Quote // replaces everything from Source to Terms; not allowed when asking for a quote
	Format  format.Format
	Options format.Options
	Notify  bool // tell the person who creates it by email when it completes or fails

	// Preset has the Columns and Headers of Options, which are empty then. What was bought or ordered with it keeps them.
	Preset id.Preset

	// Without are companies to leave out, and Instead, unless nil, the companies to select in place of those of the source. Neither
	// is stored. They are for standing orders.
	Without company.Set
	Instead *company.Set

	// Destination is where the file is delivered when it is completed; zero to only download it. It fixes nothing that is bought, so it
	// may be given with a quote.
	Destination id.Destination
}

const nameRunesMax = 200

// checked returns the request with its defaults, or all its field errors. An export must be named.
func (r Request) checked(named bool) (Request, error) {
	var errs []fault.FieldError
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }

	r.Name = strings.TrimSpace(r.Name)
	if message := nameFault(r.Name); message != "" && (named || r.Name != "") {
		bad("name", message)
	}
	if r.Quote.IsZero() {
		r.Source, r.Format = cmp.Or(r.Source, SourceSearch), cmp.Or(r.Format, format.CSV)
		errs = append(errs, r.sourceFaults()...)
	} else {
		errs = append(errs, r.besideQuote(named)...)
	}
	if r.Format != "" && !r.Format.Known() {
		bad("export_format", "must be "+format.Names())
	}
	errs = append(errs, company.ColumnFaults("columns", r.Options.Columns)...)
	if r.Format != "" { // else readQuote knows
		errs = append(errs, r.Options.Fitting(r.Format)...)
		r.Options = r.Options.Normal()
	}
	return r, fault.Invalid(errs...)
}

func (r Request) sourceFaults() []fault.FieldError {
	var errs []fault.FieldError
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	switch {
	case r.Source != SourceSearch && r.Source != SourceList && r.Source != SourceSet && r.Source != SourceMatch:
		bad("source_type", "must be search, list, set or match")
	case r.Source == SourceList && r.List.IsZero():
		bad("list_id", "is required for source_type list")
	case r.Source != SourceList && !r.List.IsZero():
		bad("list_id", "is only for source_type list")
	case r.Source == SourceMatch && r.Match.IsZero():
		bad("match_id", "is required for source_type match")
	case r.Source != SourceMatch && !r.Match.IsZero():
		bad("match_id", "is only for source_type match")
	}
	return append(errs, r.Terms.faults()...)
}

// besideQuote returns the errors of a request that also has what the quote fixes.
func (r Request) besideQuote(named bool) []fault.FieldError {
	switch {
	case !named:
		return []fault.FieldError{{Field: "quote_id", Message: "a quote cannot be made from a quote"}}
	case r.Source != "" || r.Query.Root != nil || r.Filters != nil || !r.List.IsZero() || !r.Match.IsZero() || r.Terms != Terms{}:
		return []fault.FieldError{{Field: "quote_id", Message: "a quote already fixes the source and the terms; leave them out"}}
	}
	return nil
}

func nameFault(name string) string {
	switch {
	case name == "":
		return "is required"
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case utf8.RuneCountInString(name) > nameRunesMax:
		return "is longer than 200 characters"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character"
	}
	return ""
}
