package console

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
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
	Told   string // why the order was not taken as it was
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

// newExport shows the form of an order with its price.
func (s *server) newExport(w http.ResponseWriter, r *http.Request) error {
	o := ReadExportForm(r.URL.Query())
	if again, err := id.Parse[id.Export](r.URL.Query().Get("again")); err == nil {
		e, err := s.Exports.Get(r.Context(), ViewerOf(r.Context()).Caller(), again)
		if err != nil {
			return err
		}
		o = ExportFormOf(e)
	}
	view, err := s.order(r.Context(), o)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		return render(w, r, http.StatusOK, NewExportPrice(view))
	}
	return render(w, r, http.StatusOK, NewExportPage(view))
}

// ExportFormOf is an export ordered again.
func ExportFormOf(e export.Export) ExportForm {
	o := ExportForm{List: e.List, Name: e.Name, Format: e.Format, Only: e.Terms.OnlyNew, BOM: e.Options.BOM, Columns: e.Options.Columns}
	if e.Terms.Limit > 0 {
		o.Limit = strconv.Itoa(e.Terms.Limit)
	}
	if e.Source == export.SourceSearch {
		o.SearchForm = searchFormOf(e)
	}
	return o
}

// searchFormOf is the search that an export was made from.
func searchFormOf(e export.Export) (w SearchForm) {
	if json.Unmarshal(e.Filters, &w.Filters) != nil {
		return SearchForm{}
	}
	w.SortBy, w.SortOrder, _ = strings.Cut(e.Sort, " ")
	return w
}

func (s *server) order(ctx context.Context, o ExportForm) (*NewExport, error) {
	v := ViewerOf(ctx)
	view := &NewExport{ExportForm: o, Page: v.Path("/exports/new")}
	if !o.List.IsZero() {
		var err error
		if view.Of, err = s.Lists.Get(ctx, v.Workspace.ID, o.List); err != nil {
			return nil, err
		}
	}
	if view.Name == "" {
		view.Name = view.SuggestName()
	}
	request, err := view.Request()
	if err == nil {
		var figures export.Figures
		request.Name = "" // the price depends on no name
		if figures, err = s.Exports.Estimate(ctx, v.Caller(), request); err == nil {
			view.Price, view.Known = PriceOf(figures.RequestedCount, figures), true
			return view, nil
		}
	}
	if view.Faults = fieldErrors(err); view.Faults == nil {
		return nil, err
	}
	return view, nil
}

// SuggestName is what the export is called unless its buyer says better.
func (v *NewExport) SuggestName() string {
	if !v.List.IsZero() {
		return v.Of.Name
	}
	var words []string
	for _, c := range v.chips("") {
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

// quoteExport binds the price of an order and asks for confirmation.
func (s *server) quoteExport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	return s.quoted(w, r, ReadExportForm(r.PostForm), "")
}

func (s *server) quoted(w http.ResponseWriter, r *http.Request, o ExportForm, told string) error {
	ctx, v := r.Context(), ViewerOf(r.Context())
	view, err := s.order(ctx, o)
	if err != nil {
		return err
	}
	view.Told = told
	if view.Faults != nil {
		return render(w, r, http.StatusUnprocessableEntity, NewExportPage(view))
	}
	request, err := view.Request()
	if err != nil {
		return err
	}
	view.Quote, err = s.Exports.Quote(ctx, v.Caller(), request)
	switch {
	case fault.CodeOf(err) == fault.NoCandidates:
		view.Told = "There is nothing to export: " + messageIn(err)
		return render(w, r, http.StatusOK, NewExportPage(view))
	case fieldErrors(err) != nil:
		view.Faults = fieldErrors(err)
		return render(w, r, http.StatusUnprocessableEntity, NewExportPage(view))
	case err != nil:
		return err
	}
	view.Price = PriceOf(view.Quote.Figures.RequestedCount, view.Quote.Figures)
	return render(w, r, http.StatusOK, QuotePage(view))
}

// buyExport buys a quote; the same form sent again leads to the same export.
func (s *server) buyExport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	v := ViewerOf(r.Context())
	quote, err := id.Parse[id.Quote](r.PostForm.Get("quote_id"))
	if err != nil {
		return fault.New(fault.NotFound, "The form names no quote. Ask for the price again.")
	}
	o := ReadExportForm(r.PostForm)
	e, err := s.Exports.Buy(r.Context(), v.Caller(), export.Request{Name: o.Name, Quote: quote})
	switch fault.CodeOf(err) {
	case fault.QuoteExpired, fault.QuoteOutdated, fault.InsufficientBalance, fault.Validation:
		return s.quoted(w, r, o, messageIn(err)+" Nothing was charged. This is the price now.")
	default:
	}
	if err != nil {
		return err
	}
	return redirect(w, r, v.Path("/exports/"+e.ID.String()))
}

// messageIn is what a fault tells people.
func messageIn(err error) string {
	if e, ok := asFault(err); ok {
		return e.Message
	}
	return ""
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
