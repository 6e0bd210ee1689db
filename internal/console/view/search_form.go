package view

import (
	"cmp"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// SearchForm is a search as its address states it: filters and sort order, as they were given, and what a page adds to them.
type SearchForm struct {
	query.Filters
	SortBy, SortOrder string
	Show              search.Show
	NotOn             id.List           // leaves out the companies on this list
	NotOnName         string            // the list's name; no part of an address
	SetNames          map[string]string // the names of sets, by their text in an address; no part of it
	Saved             id.Search         // the saved search that was opened
	Locked            company.FieldSet  // what the workspace does not see of companies that it does not own; no part of an address

	unread url.Values         // parameters that the form cannot hold, as they were given
	faults []fault.FieldError // what is wrong with them
}

// ExcludeButton is the parameter of the button that excludes a value: the filter and the value, such as countries:Germany. It
// differs from the exclusion itself because the button of a ticked value submits that value, too.
const ExcludeButton = "exclude"

// searchParams are the parameters that people write into an address, formParams all that a search form submits.
var (
	searchParams = append(paramNames(), "sort_by", "sort_order", "show", "not_on", "saved")
	formParams   = append(slices.Clone(searchParams), "connection_category", "connection_domain", "order", ExcludeButton)
)

func paramNames() (names []string) {
	for _, p := range query.Params {
		names = append(names, p.Name)
	}
	return names
}

// ReadSearchForm reads the parameters of an address; others are those of the page besides the search. Empty values and repeated
// texts are left out. Everything else that cannot be read is an error of the form, because a search without it would find more
// companies than its address says. A connection is written category:domain, where either part may be empty and a company id may
// replace the domain. The form fields connection_category and connection_domain are one more connection, and order is sort_by and
// sort_order in one.
func ReadSearchForm(v url.Values, others ...string) SearchForm {
	var w SearchForm
	w.SortBy, w.SortOrder = w.readSingle(v, "sort_by"), w.readSingle(v, "sort_order")
	if sort := w.readSingle(v, "order"); sort != "" {
		w.SortBy, w.SortOrder, _ = strings.Cut(sort, " ")
	}
	w.readShow(w.readSingle(v, "show"))
	readID(&w, v, "not_on", "list", &w.NotOn)
	readID(&w, v, "saved", "saved search", &w.Saved)
	for i := range query.Params {
		switch p := &query.Params[i]; {
		case p.Text != nil:
			*p.Text(&w.Filters) = w.readSingle(v, p.Name)
		case p.Texts != nil:
			*p.Texts(&w.Filters) = Distinct(v[p.Name])
		case p.Int != nil:
			w.readNumber(p.Name, w.readSingle(v, p.Name), p.Int(&w.Filters))
		case p.Flag != nil:
			w.readFlag(p.Name, w.readSingle(v, p.Name), p.Flag(&w.Filters))
		case p.Sets != nil:
			w.readSets(p.Name, Distinct(v[p.Name]), p.Sets(&w.Filters))
		}
	}
	connections := v["connections"]
	if added := v.Get("connection_category") + ":" + v.Get("connection_domain"); added != ":" {
		connections = append(slices.Clone(connections), added)
	}
	for _, text := range Distinct(connections) {
		w.Connections = append(w.Connections, parseConnection(text))
	}
	for _, pressed := range Distinct(v[ExcludeButton]) {
		w.exclude(pressed)
	}
	w.rejectUnknown(v, others)
	return w
}

// showNames are the values of show in an address.
var showNames = map[search.Show]string{search.ShowNew: "new", search.ShowOwned: "owned"}

func showNamed(name string) search.Show {
	for show, known := range showNames {
		if name == known {
			return show
		}
	}
	return search.ShowAll
}

func (w *SearchForm) readShow(name string) {
	if w.Show = showNamed(name); w.Show == search.ShowAll && name != "" {
		w.reject("show", []string{name}, "must be new or owned")
	}
}

// readID reads a parameter that is the id of a thing.
func readID[K any](w *SearchForm, v url.Values, param, thing string, to *id.ID[K]) {
	given := w.readSingle(v, param)
	if given == "" {
		return
	}
	read, err := id.Parse[id.ID[K]](given)
	if err != nil {
		w.reject(param, []string{given}, "is not the ID of a "+thing)
		return
	}
	*to = read
}

// reject records that the form cannot hold the values of a parameter.
func (w *SearchForm) reject(param string, values []string, message string) {
	if w.unread == nil {
		w.unread = url.Values{}
	}
	w.unread[param] = values
	w.faults = append(w.faults, fault.FieldError{Field: param, Message: message})
}

func (w *SearchForm) rejectUnknown(v url.Values, others []string) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if slices.Contains(formParams, name) || slices.Contains(others, name) {
			continue
		}
		message := "is not a filter"
		if near := text.Nearest(name, searchParams); near != "" {
			message += "; did you mean " + near + "?"
		}
		w.reject(name, v[name], message)
	}
}

// exclude excludes the value of a button that was pressed, and no longer includes it.
func (w *SearchForm) exclude(pressed string) {
	name, value, _ := strings.Cut(pressed, ":")
	p := query.ParamNamed(name)
	if p == nil || p.Exclude || p.Opposite() == nil || strings.TrimSpace(value) == "" {
		w.reject(ExcludeButton, []string{pressed}, "must be a filter and a value, such as countries:Germany")
		return
	}
	included, excluded := p.Texts(&w.Filters), p.Opposite().Texts(&w.Filters)
	*included = slices.DeleteFunc(*included, func(have string) bool { return sameValue(p, have, value) })
	*excluded = Distinct(append(*excluded, value))
}

// readSingle returns the value of a parameter that has one.
func (w *SearchForm) readSingle(v url.Values, param string) string {
	switch values := Distinct(v[param]); len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		w.reject(param, values, "must be a single value")
		return ""
	}
}

func (w *SearchForm) readFlag(param, text string, to *bool) {
	if *to = text == "true"; !*to && text != "" {
		w.faults = append(w.faults, fault.FieldError{Field: param, Message: "must be true"})
	}
}

func (w *SearchForm) readNumber(param, text string, to **int64) {
	if text == "" {
		return
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		w.reject(param, []string{text}, "is out of range")
	case err != nil:
		w.reject(param, []string{text}, "must be a whole number, such as 250")
	default:
		*to = &n
	}
}

// Distinct returns the trimmed texts without blanks and without repetitions in another letter case or spelling.
func Distinct(given []string) (texts []string) {
	for _, t := range given {
		if t = strings.TrimSpace(t); t != "" && !hasFold(texts, t) {
			texts = append(texts, t)
		}
	}
	return texts
}

func hasFold(texts []string, t string) bool {
	return slices.ContainsFunc(texts, func(have string) bool { return strings.EqualFold(have, t) })
}

func parseConnection(text string) query.ConnectionFilter {
	at := strings.LastIndex(text, ":")
	if at < 0 {
		return query.ConnectionFilter{Category: text}
	}
	c := query.ConnectionFilter{Category: strings.TrimSpace(text[:at])}
	with := strings.TrimSpace(text[at+1:])
	if _, err := id.Parse[id.Company](with); err == nil {
		c.ConnectedCompanyID = with
	} else {
		c.ConnectedDomain = with
	}
	return c
}

func connectionText(c query.ConnectionFilter) string {
	return c.Category + ":" + cmp.Or(c.ConnectedDomain, c.ConnectedCompanyID)
}

// Values returns the parameters that ReadSearchForm reads back as the same form.
func (w *SearchForm) Values() url.Values {
	v := url.Values{}
	maps.Copy(v, w.unread)
	set := func(param, value string) {
		if value != "" {
			v.Set(param, value)
		}
	}
	set("sort_by", w.SortBy)
	set("sort_order", w.SortOrder)
	set("show", showNames[w.Show])
	if !w.NotOn.IsZero() {
		set("not_on", w.NotOn.String())
	}
	if !w.Saved.IsZero() {
		set("saved", w.Saved.String())
	}
	for i := range query.Params {
		switch p := &query.Params[i]; {
		case !p.IsSet(&w.Filters):
		case p.Text != nil:
			set(p.Name, *p.Text(&w.Filters))
		case p.Texts != nil:
			v[p.Name] = slices.Clone(*p.Texts(&w.Filters))
		case p.Int != nil:
			set(p.Name, bound(*p.Int(&w.Filters)))
		case p.Flag != nil:
			set(p.Name, "true")
		case p.Sets != nil:
			for _, ref := range *p.Sets(&w.Filters) {
				v.Add(p.Name, SetText(ref))
			}
		}
	}
	for _, c := range w.Connections {
		v.Add("connections", connectionText(c))
	}
	return v
}

// At returns the address of a page with the form, with parameters changed as pairs of name and value. An empty value removes
// the parameter.
func (w *SearchForm) At(page string, changes ...string) string {
	v := w.Values()
	for i := 0; i+1 < len(changes); i += 2 {
		if v.Del(changes[i]); changes[i+1] != "" {
			v.Set(changes[i], changes[i+1])
		}
	}
	return withQuery(page, v)
}

// without returns the address of a page with the form, less one value of a parameter.
func (w *SearchForm) without(page, param, value string) string {
	v := w.Values()
	if v[param] = slices.DeleteFunc(v[param], func(have string) bool { return have == value }); len(v[param]) == 0 {
		v.Del(param)
	}
	return withQuery(page, v)
}

// withQuery returns the address of a page with the parameters. An empty page is the current one.
func withQuery(page string, v url.Values) string {
	if len(v) == 0 && page != "" {
		return page
	}
	return page + "?" + v.Encode()
}

// Parse returns the query and the sort order. Validation lists every error, filters on locked fields included.
func (w *SearchForm) Parse() (query.Query, query.Sort, error) {
	q, err := query.Parse(w.Filters)
	if err == nil {
		_, err = q.Bounded(w.Locked)
	}
	faults := append(slices.Clone(w.faults), fault.Fields(err)...)
	sort, err := query.ParseSort(w.SortBy, w.SortOrder, q.HasText())
	faults = append(faults, fault.Fields(err)...)
	return q, sort, fault.Invalid(faults...)
}

// SavedForm returns the form of a saved search.
func SavedForm(saved list.Search) SearchForm {
	return SearchForm{
		Filters: saved.Filters, SortBy: saved.SortBy, SortOrder: saved.SortOrder, Show: showNamed(saved.Show), NotOn: saved.NotOn,
		Saved: saved.ID,
	}
}

// SavedAsSet returns the form of a search for what the saved one finds, in the same order. Its address is short.
func SavedAsSet(saved list.Search) SearchForm {
	return SearchForm{
		Filters: query.Filters{In: []query.SetRef{{SavedSearchID: saved.ID.String()}}}, SortBy: saved.SortBy, SortOrder: saved.SortOrder,
	}
}

// longAddressBytes is the length of an address above which pages do not repeat it in links. The search page has some 50 of them.
const longAddressBytes = 1_500

// IsLong reports whether the address of the search is too long for links.
func (w *SearchForm) IsLong() bool { return len(w.At("")) > longAddressBytes }

// ToSave returns the search of the form under a name.
func (w *SearchForm) ToSave(name string) list.Search {
	return list.Search{
		ID: w.Saved, Name: name, Filters: w.Filters, SortBy: w.SortBy, SortOrder: w.SortOrder, Show: showNames[w.Show], NotOn: w.NotOn,
	}
}

// HasFilters reports whether the form has a filter.
func (w *SearchForm) HasFilters() bool { return !w.isEmpty() }

// Terms returns the terms of an export of what the form shows.
func (w *SearchForm) Terms() export.Terms {
	return export.Terms{OnlyNew: w.Show == search.ShowNew, OnlyOwned: w.Show == search.ShowOwned, NotOn: w.NotOn}
}

// isEmpty reports whether the form has no filter.
func (w *SearchForm) isEmpty() bool {
	v := w.Values()
	for _, param := range []string{"sort_by", "sort_order", "show", "saved"} {
		v.Del(param)
	}
	return len(v) == 0
}
