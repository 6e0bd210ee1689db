package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// ParseJSON reads filters as a JSON object, strictly: an unknown name is a fault that tells the nearest known one, and
// so are a wrong type and a name that comes twice. Null and "" are the same as left out, but not in a list. A
// fault.Validation error lists every fault at once.
func ParseJSON(data []byte) (Query, Filters, error) {
	var f Filters
	d := decoder{}
	d.object("", data, map[string]func(string, json.RawMessage){
		"query":                 d.text(&f.Query),
		"countries":             d.texts(&f.Countries),
		"states":                d.texts(&f.States),
		"cities":                d.texts(&f.Cities),
		"industries":            d.texts(&f.Industries),
		"exclude_industries":    d.texts(&f.ExcludeIndustries),
		"naics_codes":           d.texts(&f.NAICSCodes),
		"technologies":          d.texts(&f.Technologies),
		"technology_categories": d.texts(&f.TechnologyCategories),
		"employee_count_min":    d.integer(&f.EmployeeCountMin),
		"employee_count_max":    d.integer(&f.EmployeeCountMax),
		"founded_year_min":      d.integer(&f.FoundedYearMin),
		"founded_year_max":      d.integer(&f.FoundedYearMax),
		"keywords":              d.texts(&f.Keywords),
		"exclude_keywords":      d.texts(&f.ExcludeKeywords),
		"connections":           d.connections(&f.Connections),
	})
	q, err := Parse(f)
	for _, e := range faultsOf(err) {
		if !d.told(e.Field) {
			d.errs = append(d.errs, e)
		}
	}
	if err := fault.Invalid(d.errs...); err != nil {
		return Query{}, Filters{}, err
	}
	return q, f, nil
}

// String is the filters as canonical JSON, which ParseJSON reads as the same query.
func (f Filters) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		panic(err) // texts and numbers do not fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func faultsOf(err error) []fault.FieldError {
	var e *fault.Error
	if !errors.As(err, &e) {
		return nil
	}
	errs, _ := e.Details["errors"].([]fault.FieldError)
	return errs
}

// decoder reads JSON and collects faults; field names go from the outermost object: connections[0].category.
type decoder struct{ errs []fault.FieldError }

func (d *decoder) fail(field, format string, args ...any) {
	d.errs = append(d.errs, fault.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// told holds if the field, or a part of it, has a fault already; what follows from that is not worth telling.
func (d *decoder) told(field string) bool {
	return slices.ContainsFunc(d.errs, func(e fault.FieldError) bool { return strings.HasPrefix(e.Field, field) })
}

// object calls for each member the function of its name.
func (d *decoder) object(field string, data []byte, members map[string]func(field string, value json.RawMessage)) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		d.fail(field, "must be an object")
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		name, _ := t.(string)
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			d.fail(field, "is not valid JSON: %v", err)
			return
		}
		d.member(field, name, value, members, seen)
	}
	if _, err := dec.Token(); err != nil {
		d.fail(field, "is not valid JSON: %v", err)
	} else if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		d.fail(field, "must be one object, with nothing behind it")
	}
}

func (d *decoder) member(field, name string, value json.RawMessage,
	members map[string]func(string, json.RawMessage), seen map[string]bool,
) {
	path := name
	if field != "" {
		path = field + "." + name
	}
	fn, known := members[name]
	switch {
	case !known:
		d.unknown(path, name, members)
	case seen[name]:
		d.fail(path, "must not come twice")
	case string(value) != "null":
		fn(path, value)
	}
	seen[name] = true
}

func (d *decoder) unknown(path, name string, members map[string]func(string, json.RawMessage)) {
	var names []string
	for n := range members {
		names = append(names, n)
	}
	slices.Sort(names)
	if near := text.Nearest(name, names); near != "" {
		d.fail(path, "is not a filter; did you mean %s?", near)
		return
	}
	d.fail(path, "is not a filter; known are %s", strings.Join(names, ", "))
}

func (d *decoder) text(to *string) func(string, json.RawMessage) {
	return func(field string, value json.RawMessage) {
		if json.Unmarshal(value, to) != nil {
			d.fail(field, "must be a string, not %s", kindOf(value))
		}
	}
}

func (d *decoder) texts(to *[]string) func(string, json.RawMessage) {
	return func(field string, value json.RawMessage) {
		for i, v := range d.list(field, value, "strings") {
			var s string
			if string(v) == "null" || json.Unmarshal(v, &s) != nil {
				d.fail(fmt.Sprintf("%s[%d]", field, i), "must be a string, not %s", kindOf(v))
			}
			*to = append(*to, s)
		}
	}
}

func (d *decoder) integer(to **int64) func(string, json.RawMessage) {
	return func(field string, value json.RawMessage) {
		n, err := parseInteger(string(value))
		switch {
		case errors.Is(err, strconv.ErrRange):
			d.fail(field, "is out of range")
		case err != nil:
			d.fail(field, "must be an integer, not %s", kindOf(value))
		default:
			*to = &n
		}
	}
}

// parseInteger reads the whole numbers that JSON can write, 1e3 and 5.0 among them.
func parseInteger(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return n, err
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, err
	}
	if f != math.Trunc(f) {
		return 0, strconv.ErrSyntax
	}
	if math.Abs(f) > 1<<53 {
		return 0, strconv.ErrRange
	}
	return int64(f), nil
}

func (d *decoder) connections(to *[]ConnectionFilter) func(string, json.RawMessage) {
	return func(field string, value json.RawMessage) {
		for i, v := range d.list(field, value, "objects") {
			var c ConnectionFilter
			d.object(fmt.Sprintf("%s[%d]", field, i), v, map[string]func(string, json.RawMessage){
				"category":             d.text(&c.Category),
				"connected_company_id": d.text(&c.ConnectedCompanyID),
				"connected_domain":     d.text(&c.ConnectedDomain),
			})
			*to = append(*to, c)
		}
	}
}

func (d *decoder) list(field string, value json.RawMessage, of string) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		d.fail(field, "must be a list of %s, not %s", of, kindOf(value))
	}
	return list
}

// kindOf names what a JSON value is.
func kindOf(value json.RawMessage) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return "nothing"
	}
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if bytes.ContainsAny(value, ".eE") {
		return "a number with a fraction"
	}
	return "a number"
}
