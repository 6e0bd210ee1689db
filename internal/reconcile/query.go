package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/reqbody"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

const (
	queriesMax      = 50 // of a batch
	candidatesMax   = 25 // of a query
	candidatesUsual = 5  // of a query without a limit
	formBytesMax    = 2 << 20
)

// answer answers a batch of queries, a request for values, or without either with the manifest.
func (s *server) answer(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	switch {
	case r.Form.Has("queries") && r.Form.Has("extend"):
		return invalid("queries", "cannot be sent together with extend; send two requests")
	case r.Form.Has("queries"):
		return s.reconcile(w, r, caller)
	case r.Form.Has("extend"):
		return s.extend(w, r, caller)
	case r.Form.Has("query"):
		return invalid("query", "belongs to version 0.1 of the protocol; send a batch in queries, such as queries={\"q0\":{\"query\":\"Acme\"}}")
	case r.Method == http.MethodPost:
		return invalid("queries", "is missing: send a form with queries, a JSON object of queries, or with extend")
	}
	s.manifest(w, r, caller)
	return nil
}

// readForm reads the parameters of the address and of the form in the body.
func readForm(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost {
		const form = "application/x-www-form-urlencoded"
		if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != form {
			return fault.New(fault.UnsupportedMediaType, "Send a form with the header Content-Type: %s.", form)
		}
		r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
	}
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.PayloadTooLarge, "The form is over %d MiB. Send fewer queries at a time.", formBytesMax>>20).
			With("size_bytes_max", formBytesMax)
	case err != nil:
		return fault.New(fault.Validation, "The form cannot be read: parameters must be encoded as in an address.").Because(err).
			With("errors", []fault.FieldError{{Message: "is not a form"}})
	}
	return nil
}

// result is the answer to one query. A query with errors has no candidates.
type result struct {
	Result []candidate  `json:"result"`
	Error  *queryErrors `json:"error,omitempty"`
}

type queryErrors struct {
	Code    fault.Code         `json:"code"`
	Message string             `json:"message"`
	Errors  []fault.FieldError `json:"errors"`
}

type candidate struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Type        []named   `json:"type"`
	Score       float64   `json:"score"`
	Features    []feature `json:"features"`
	Match       bool      `json:"match"`
	Locked      []string  `json:"locked_fields,omitempty"`
}

type feature struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// reconcile answers a batch. A query with errors gets them and no candidates; only if every query has errors is the batch refused.
func (s *server) reconcile(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	batch, err := object("queries", r.Form.Get("queries"))
	if err != nil {
		return err
	}
	if len(batch) > queriesMax {
		return fault.New(fault.PayloadTooLarge, "The batch has %d queries; send at most %d at a time, which is the batchSize of the manifest.", len(batch), queriesMax).
			With("queries_max", queriesMax)
	}
	results := make(map[string]result, len(batch))
	var keys []string // of the queries without errors
	var rows []search.Asked
	var all []fault.FieldError
	for _, key := range slices.Sorted(maps.Keys(batch)) {
		row, errs := readQuery(batch[key])
		if len(errs) == 0 {
			keys, rows = append(keys, key), append(rows, row)
			continue
		}
		results[key] = result{Result: []candidate{}, Error: &queryErrors{fault.Validation, fault.Invalid(errs...).Error(), errs}}
		for _, e := range errs {
			all = append(all, fault.FieldError{Field: strings.TrimSuffix("queries."+text.Short(key)+"."+e.Field, "."), Message: e.Message})
		}
	}
	if len(rows) == 0 && len(all) > 0 {
		return fault.Invalid(all...)
	}
	found, err := s.Search.Candidates(r.Context(), caller, rows)
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	for i, key := range keys {
		results[key] = result{Result: candidatesOf(found[i])}
	}
	if err := s.tellDaily(w, r, caller); err != nil {
		return err
	}
	httpx.WriteJSON(w, http.StatusOK, results)
	return nil
}

func candidatesOf(found []search.Candidate) []candidate {
	all := make([]candidate, len(found))
	for i := range found {
		c := &found[i]
		all[i] = candidate{
			ID: c.ID.String(), Name: c.Name, Description: describe(c.Item), Type: []named{entityType}, Score: c.Score, Match: c.Match,
			Features: make([]feature, len(c.Features)), Locked: c.Locked.Names(),
		}
		for n, f := range c.Features {
			all[i].Features[n] = feature(f)
		}
	}
	return all
}

// describe tells namesakes apart, by what is visible.
func describe(c search.Item) string {
	var parts []string
	place := slices.DeleteFunc([]string{c.City, c.Country}, func(s string) bool { return s == "" })
	if len(place) > 0 {
		parts = append(parts, strings.Join(place, ", "))
	}
	if c.Domain != "" {
		parts = append(parts, c.Domain)
	}
	if len(c.Industries) > 0 {
		parts = append(parts, c.Industries[0])
	}
	return strings.Join(parts, " · ")
}

// object parses a JSON object in a parameter.
func object(param, given string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(given))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, invalid(param, "is not valid JSON: "+strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid(param, "has something after its JSON object")
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, invalid(param, "must be a JSON object")
	}
	if name := reqbody.Repeated([]byte(given)); name != "" {
		return nil, invalid(param+"."+text.Short(name), "is given more than once; send each name of an object once")
	}
	return o, nil
}

// queryParts are the members of a query.
var queryParts = []string{"query", "type", "limit", "properties", "type_strict"}

// readQuery reads a query of a batch as a row to match.
func readQuery(given any) (row search.Asked, errs []fault.FieldError) {
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	q, ok := given.(map[string]any)
	if !ok {
		bad("", "must be an object, such as {\"query\": \"Acme\"}")
		return row, errs
	}
	row.Limit = candidatesUsual
	for _, part := range slices.Sorted(maps.Keys(q)) {
		v := q[part]
		if v == nil {
			continue
		}
		switch part {
		case "query":
			if row.Name, ok = v.(string); !ok {
				bad(part, "must be a string")
			}
		case "type":
			if message := checkType(v); message != "" {
				bad(part, message)
			}
		case "limit":
			n, whole := wholeNumber(v)
			if !whole || n < 1 {
				bad(part, "must be a whole number of at least 1")
			}
			row.Limit = int(min(n, candidatesMax))
		case "properties":
			errs = append(errs, readProperties(&row.MatchRow, v)...)
		case "type_strict":
			if strict, _ := v.(string); !slices.Contains([]string{"any", "should", "all"}, strict) {
				bad(part, "must be any, should or all")
			}
		default:
			bad(text.Short(part), "is not part of a query; a query has "+strings.Join(queryParts, ", "))
		}
	}
	if len(errs) > 0 {
		return row, errs
	}
	if strings.TrimSpace(row.Name+row.ID+row.Domain+row.Website+row.LinkedIn) == "" {
		bad("", "has nothing to match by; give query, or one of the properties id, domain, website and linkedin_url")
		return row, errs
	}
	errs = row.Errors()
	for i := range errs {
		if errs[i].Field == "name" {
			errs[i].Field = "query"
		}
	}
	return row, errs
}

func wholeNumber(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if f, err := n.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), true
	}
	return 0, false
}

// checkType returns what is wrong with the type or types of a query; empty for nothing. Without a type, every company may match.
func checkType(v any) string {
	types, isList := v.([]any)
	if !isList {
		types = []any{v}
	}
	for _, t := range types {
		if o, ok := t.(map[string]any); ok {
			t = o["id"]
		}
		name, ok := t.(string)
		switch {
		case !ok:
			return "must be the id of a type, or a list of them"
		case name == entityType.ID || name == "":
			return ""
		}
	}
	if len(types) == 0 {
		return ""
	}
	return "is not known: the only type is " + entityType.ID
}

// readProperties reads the properties of a query into the row.
func readProperties(row *search.MatchRow, v any) (errs []fault.FieldError) {
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	list, ok := v.([]any)
	if !ok {
		bad("properties", "must be a list, such as [{\"pid\": \"country\", \"v\": \"Germany\"}]")
		return errs
	}
	for i, p := range list {
		at := "properties[" + strconv.Itoa(i) + "]"
		property, ok := p.(map[string]any)
		if !ok {
			bad(at, "must be an object with pid and v")
			continue
		}
		pid, ok := property["pid"].(string)
		if !ok {
			bad(at+".pid", "is missing, or not a text")
			continue
		}
		to := compared(row, pid)
		if to == nil {
			bad(at+".pid", text.Short(pid)+" is not compared; use "+strings.Join(comparedNames, ", "))
			continue
		}
		value, message := readValue(property["v"], pid)
		switch {
		case message != "":
			bad(at+".v", message)
		case value == "":
		case *to != "" && *to != value:
			bad(at+".v", "is a second value of "+pid+"; give one")
		default:
			*to = value
		}
	}
	return errs
}

// comparedNames are the properties by which companies are matched, beside their names.
var comparedNames = []string{"id", "domain", "website", "linkedin_url", "country", "city"}

// compared returns the value of the row that a property sets; nil for a property that is not compared.
func compared(row *search.MatchRow, pid string) *string {
	switch pid {
	case "id":
		return &row.ID
	case "domain":
		return &row.Domain
	case "website":
		return &row.Website
	case "linkedin_url", "linkedin":
		return &row.LinkedIn
	case "country", "country_code":
		return &row.Country
	case "city":
		return &row.City
	}
	return nil
}

// readValue returns a property's value as text, or what is wrong with it. An entity that was reconciled before counts by its id where an id
// is asked for, else by its name.
func readValue(v any, pid string) (value, message string) {
	switch v := v.(type) {
	case nil:
		return "", ""
	case string:
		return strings.TrimSpace(v), ""
	case json.Number:
		return v.String(), ""
	case bool:
		return strconv.FormatBool(v), ""
	case map[string]any:
		of, _ := v["id"].(string)
		if name, ok := v["name"].(string); ok && pid != "id" {
			of = name
		}
		if of == "" {
			return "", "must have an id"
		}
		return of, ""
	case []any:
		var values []string
		for _, one := range v {
			if _, nested := one.([]any); nested {
				return "", "must be a value or a list of values"
			}
			given, message := readValue(one, pid)
			if message != "" {
				return "", message
			}
			if given != "" && !slices.Contains(values, given) {
				values = append(values, given)
			}
		}
		switch len(values) {
		case 0:
			return "", ""
		case 1:
			return values[0], ""
		}
		return "", "has " + strconv.Itoa(len(values)) + " values; give one"
	}
	return "", fmt.Sprintf("%T is not a value", v)
}
