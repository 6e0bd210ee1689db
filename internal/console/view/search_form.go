package view

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// SearchForm is a search as its address states it: filters and sort order, as they were given.
type SearchForm struct {
	query.Filters
	SortBy, SortOrder string

	faults []fault.FieldError // values that Filters cannot hold
}

// ReadSearchForm reads the parameters of an address. It ignores unknown parameters, empty values and repeated texts. A
// connection is written category:domain, where either part may be empty and a company id may replace the domain. The form
// fields connection_category and connection_domain are one more connection.
func ReadSearchForm(v url.Values) SearchForm {
	w := SearchForm{SortBy: v.Get("sort_by"), SortOrder: v.Get("sort_order")}
	for i := range query.Params {
		switch p := &query.Params[i]; {
		case p.Text != nil:
			*p.Text(&w.Filters) = strings.TrimSpace(v.Get(p.Name))
		case p.Texts != nil:
			*p.Texts(&w.Filters) = Distinct(v[p.Name])
		case p.Int != nil:
			w.readNumber(p.Name, v.Get(p.Name), p.Int(&w.Filters))
		}
	}
	w.dropExcluded()
	for _, text := range Distinct(append(v["connections"], v.Get("connection_category")+":"+v.Get("connection_domain"))) {
		if c := parseConnection(text); c != (query.ConnectionFilter{}) {
			w.Connections = append(w.Connections, c)
		}
	}
	return w
}

// dropExcluded removes excluded values from the included ones: a click on the Exclude button of a ticked value submits both.
func (w *SearchForm) dropExcluded() {
	for i := range query.Params {
		p := &query.Params[i]
		if !p.Exclude || p.Kind == query.KindPhrases {
			continue
		}
		asked := p.Opposite().Texts(&w.Filters)
		*asked = slices.DeleteFunc(*asked, func(value string) bool {
			return slices.ContainsFunc(*p.Texts(&w.Filters), func(out string) bool { return sameValue(p, value, out) })
		})
	}
}

func (w *SearchForm) readNumber(param, text string, to **int64) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		w.faults = append(w.faults, fault.FieldError{Field: param, Message: "must be a whole number, such as 250"})
		return
	}
	*to = &n
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
	set := func(param, value string) {
		if value != "" {
			v.Set(param, value)
		}
	}
	set("sort_by", w.SortBy)
	set("sort_order", w.SortOrder)
	for i := range query.Params {
		switch p := &query.Params[i]; {
		case !p.IsSet(&w.Filters):
		case p.Text != nil:
			set(p.Name, *p.Text(&w.Filters))
		case p.Texts != nil:
			v[p.Name] = slices.Clone(*p.Texts(&w.Filters))
		case p.Int != nil:
			set(p.Name, bound(*p.Int(&w.Filters)))
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

// Parse returns the query and the sort order. Validation lists every error.
func (w *SearchForm) Parse() (query.Query, query.Sort, error) {
	q, err := query.Parse(w.Filters)
	faults := append(slices.Clone(w.faults), fault.Fields(err)...)
	sort, err := query.ParseSort(w.SortBy, w.SortOrder, q.HasText())
	faults = append(faults, fault.Fields(err)...)
	return q, sort, fault.Invalid(faults...)
}

// isEmpty reports whether the form has no filter.
func (w *SearchForm) isEmpty() bool {
	v := w.Values()
	v.Del("sort_by")
	v.Del("sort_order")
	return len(v) == 0 && len(w.faults) == 0
}
