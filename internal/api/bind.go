package api

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/reqbody"
	"github.com/opencapi/capi/internal/text"
)

// bodyTimeout is the default of Deps.BodyTimeout.
const bodyTimeout = 30 * time.Second

// binding reads a request into an endpoint's In.
type binding struct {
	registry huma.Registry
	in       reflect.Type
	params   []param
	body     *huma.Schema // nil without a body
	bodyAt   []int        // index of the field Body, as for reflect.Value.FieldByIndex

	bodyTimeout  time.Duration
	bodyBytesMax int64
}

// param is a parameter of the path, the query or the header.
type param struct {
	name, in string // in is path, query or header
	schema   *huma.Schema
	at       []int // index of its field
}

func newBinding(registry huma.Registry, in reflect.Type, operation string) *binding {
	b := &binding{registry: registry, in: in, bodyTimeout: bodyTimeout, bodyBytesMax: reqbody.SizeBytesMax}
	for _, f := range reflect.VisibleFields(in) {
		for _, where := range []string{"path", "query", "header"} {
			if name, ok := f.Tag.Lookup(where); ok {
				b.params = append(b.params, param{name, where, huma.SchemaFromField(registry, f, operation+f.Name), f.Index})
			}
		}
		if f.Name == "Body" {
			b.body = registry.Schema(f.Type, true, operation+"Body")
			b.bodyAt = f.Index
		}
	}
	return b
}

// read returns a pointer to an In with what the request holds, or a Validation fault that lists every error, the given
// ones first.
func (b *binding) read(w http.ResponseWriter, r *http.Request, errs ...fault.FieldError) (any, error) {
	in := reflect.New(b.in)
	errs = append(errs, b.readParams(r, in.Elem())...)
	if b.body != nil {
		p, err := reqbody.Read(w, r, b.bodyBytesMax, b.bodyTimeout)
		if err != nil {
			return nil, err
		}
		more, err := b.readBody(p, in.Elem().FieldByIndex(b.bodyAt).Addr().Interface())
		if err != nil {
			return nil, err
		}
		errs = append(errs, more...)
	}
	return in.Interface(), fault.Invalid(errs...)
}

func (b *binding) readBody(p []byte, body any) ([]fault.FieldError, error) {
	v := &reqbody.Validator{Registry: b.registry, Hints: misplaced}
	err := v.Decode(p, b.body, body)
	return v.Errors(), err
}

// misplaced are the messages for fields that clients often put inside search_filters.
var misplaced = map[string]string{
	"cursor":     "unknown field: paging belongs to POST /companies/search; here every match counts, up to the cap",
	"limit":      "unknown field: for an export it belongs beside search_filters, not inside; a list takes every match",
	"sort_by":    "unknown field: it belongs beside search_filters, not inside",
	"sort_order": "unknown field: it belongs beside search_filters, not inside",
}

func (b *binding) readParams(r *http.Request, in reflect.Value) []fault.FieldError {
	values, err := url.ParseQuery(r.URL.RawQuery)
	v := &reqbody.Validator{Registry: b.registry}
	if err != nil {
		v.Reject("query", "the query string cannot be read: %v", err)
	}
	var known []string
	for _, p := range b.params {
		target := in.FieldByIndex(p.at).Addr().Interface()
		if p.in == "path" {
			v.Param(p.schema, p.name, r.PathValue(p.name), target)
			continue
		}
		if p.in == "header" {
			if given := r.Header.Get(p.name); given != "" {
				v.Param(p.schema, p.name, given, target)
			}
			continue
		}
		known = append(known, p.name)
		switch given := values[p.name]; {
		case len(given) > 1:
			v.Reject(p.name, "is given more than once")
		case len(given) == 1 && given[0] == "" && (p.schema.Type != huma.TypeString || p.schema.Format != ""):
			v.Reject(p.name, "must not be empty; leave the parameter out instead")
		case len(given) == 1 && given[0] != "":
			v.Param(p.schema, p.name, given[0], target)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(known, name) {
			continue
		}
		message := "unknown query parameter"
		if near := text.Nearest(name, known); near != "" {
			message = fmt.Sprintf("unknown query parameter; did you mean %s?", near)
		}
		v.Reject(name, "%s", message)
	}
	return v.Errors()
}
