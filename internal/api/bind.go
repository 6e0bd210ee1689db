package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// binding reads a request into an endpoint's In.
type binding struct {
	registry huma.Registry
	in       reflect.Type
	params   []param
	body     *huma.Schema // nil without a body
	bodyAt   []int

	bodyTimeout time.Duration
}

// param is a parameter of the path or the query: a string, or an integer.
type param struct {
	name, where string
	schema      *huma.Schema
	at          []int
}

func newBinding(registry huma.Registry, in reflect.Type, operation string) *binding {
	b := &binding{registry: registry, in: in, bodyTimeout: bodyTimeout}
	for _, f := range reflect.VisibleFields(in) {
		for _, where := range []string{"path", "query"} {
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

// read gives a pointer to In with what the request holds, or every fault of it, those told already first.
func (b *binding) read(w http.ResponseWriter, r *http.Request, told ...fault.FieldError) (any, error) {
	in := reflect.New(b.in)
	told = append(told, b.readParams(r, in.Elem())...)
	if b.body != nil {
		p, err := b.readBody(w, r)
		if err != nil {
			return nil, err
		}
		more, err := b.readJSON(p, in.Elem().FieldByIndex(b.bodyAt).Addr().Interface())
		if err != nil {
			return nil, err
		}
		told = append(told, more...)
	}
	return in.Interface(), fault.Invalid(told...)
}

func (b *binding) readParams(r *http.Request, in reflect.Value) []fault.FieldError {
	values, err := url.ParseQuery(r.URL.RawQuery)
	c := &checker{registry: b.registry}
	if err != nil {
		c.refuse(&value{}, &place{name: "query"}, "the query string cannot be read: %v", err)
	}
	var known []string
	for _, p := range b.params {
		if p.where == "path" {
			c.param(p, r.PathValue(p.name), in)
			continue
		}
		known = append(known, p.name)
		switch given := values[p.name]; {
		case len(given) > 1:
			c.refuse(&value{}, &place{name: p.name}, "is given more than once")
		case len(given) == 1 && given[0] != "":
			c.param(p, given[0], in)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			c.refuse(&value{}, &place{name: name}, "%s", unknownParam(name, known))
		}
	}
	return c.faults
}

func unknownParam(name string, known []string) string {
	if near := text.Nearest(name, known); near != "" {
		return fmt.Sprintf("unknown query parameter; did you mean %s?", near)
	}
	return "unknown query parameter"
}

func (c *checker) param(p param, given string, in reflect.Value) {
	v, at := &value{kind: kindString, text: given, raw: []byte(given)}, &place{name: p.name}
	if p.schema.Type == huma.TypeInteger {
		if v.kind = kindNumber; !json.Valid(v.raw) || strings.ContainsAny(given, `"[{tfn`) {
			c.refuse(v, at, "must be a whole number")
			return
		}
	} else if strings.ContainsRune(given, 0) || strings.ToValidUTF8(given, "") != given {
		c.refuse(v, at, "must be valid UTF-8 without NUL characters")
		return
	}
	if c.check(p.schema, v, at); v.faulty {
		return
	}
	set(in.FieldByIndex(p.at), v)
}

// set puts a checked parameter into its field: a string, an integer, or what reads itself from text.
func set(field reflect.Value, v *value) {
	switch target := field.Addr().Interface().(type) {
	case *string:
		*target = v.text
	case *int:
		_ = json.Unmarshal(v.raw, target) // checked
	case interface{ UnmarshalText([]byte) error }:
		_ = target.UnmarshalText([]byte(v.text)) // checked
	default:
		panic(fmt.Sprintf("no way to read a parameter into %T", target))
	}
}
