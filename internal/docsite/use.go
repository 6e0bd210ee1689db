package docsite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
)

// use is how to use an operation: the data of its reference page, with its samples and the form that sends it.
type use struct {
	operation *operation

	Method, Path, About string
	ExamplePath         string // the path in the samples
	Scope               string
	PerMinute           int
	Inputs              []input
	Parameters          []paramGroup
	Body, Answer        []*field
	Example             string    // the body of the example request; empty if there is none
	Controls, Rare      []control // for the fields of the body: required ones and those of the example, and the others
	Starters            []starter
	Status              string // of a successful call, such as "200 OK"
	AnswerExample       string
	Errors              []refusal
	More, Samples       template.HTML
	Buys                bool
	Keeps               string
}

// paramGroup is the parameters in one place of the request.
type paramGroup struct {
	Title  string
	Fields []*field
}

// field is a parameter or a field of a body.
type field struct {
	ID, Name, Type, Doc string
	Required            bool
	Fields              []*field // of an object, or of the objects in a list
	SameAs              *field   // the field whose Fields are the same; they are shown there
}

// input is a field of the form.
type input struct {
	Name, In, Label, Type, Hint string
	Required                    bool
	Options                     []string // what may be chosen; empty for a text
	Min, Max                    string
}

// control is the part of the form that shows a field of the body and sets it.
type control struct {
	*field
	Kind    string   // how its text is read: text, number, choice, boolean, list or json
	Options []string // of a choice
	Hint    string
}

// starter is a field of an object in the body, which the form can add.
type starter struct {
	Path  string // such as search_filters.countries
	Value string // a value of its type to begin with, as JSON
}

// refusal is an error that an operation can return.
type refusal struct {
	Code   string
	Status int
	When   string
}

// kept lists which ids in an answer fill the forms of other operations in the same tab: parameter=path, by operation.
var kept = map[string]string{
	"searchCompanies": "company_id=items.0.id",
	"createExport":    "export_id=export_job.id",
	"listExports":     "export_id=items.0.id",
	"createList":      "list_id=id",
	"listLists":       "list_id=items.0.id",
}

// render fills in what the page shows.
func (u *use) render(e expander, md markdown) error {
	op := u.operation
	u.Method, u.Path, u.About, u.Scope, u.PerMinute = op.Method, op.Path, op.about(), op.Scope, op.Limit.PerMinute
	u.ExamplePath = op.examplePath()
	u.Buys, u.Keeps = op.ID == "createExport", kept[op.ID]
	u.parameters(e)
	if op.Body != nil {
		content := op.Body.Content["application/json"]
		u.Body = e.tree("request", content.Schema, nil)
		u.controls(e, content)
		var err error
		if u.Example, err = pretty(content.Example, ""); err != nil {
			return fmt.Errorf("example of the request: %w", err)
		}
	}
	status, r := op.success()
	u.Status = fmt.Sprintf("%d %s", status, http.StatusText(status))
	if content, ok := r.Content["application/json"]; ok {
		u.Answer = e.tree("response", content.Schema, content.Example)
		var err error
		if u.AnswerExample, err = pretty(content.Example, ""); err != nil {
			return fmt.Errorf("example of the answer: %w", err)
		}
	}
	for _, entry := range e.codes(op) {
		u.Errors = append(u.Errors, refusal{string(entry.Code), e.status(entry.Kind), entry.When})
	}
	more, err := op.more()
	if err != nil {
		return err
	}
	if u.More, err = md.html(more); err != nil {
		return err
	}
	u.Samples, err = md.html(samples(op))
	return err
}

func (u *use) parameters(e expander) {
	for _, where := range []struct{ in, title string }{{"path", "Path parameters"}, {"query", "Query parameters"}, {"header", "Headers"}} {
		group := paramGroup{Title: where.title}
		for _, p := range u.operation.Parameters {
			if p.In != where.in {
				continue
			}
			group.Fields = append(group.Fields, &field{
				ID: "request." + p.Name, Name: p.Name, Type: e.typeOf(p.Schema), Required: p.Required,
				Doc: strings.TrimSpace(p.Description + bounds(p.Schema)),
			})
			u.Inputs = append(u.Inputs, e.input(p))
		}
		if len(group.Fields) > 0 {
			u.Parameters = append(u.Parameters, group)
		}
	}
}

// input returns the field of the form for a parameter.
func (e expander) input(p parameter) input {
	s := e.spec.resolve(p.Schema)
	in := input{Name: p.Name, In: p.In, Label: p.Name, Required: p.Required, Type: "text"}
	switch {
	case len(s.Enum) > 0:
		for _, v := range s.Enum {
			if v != nil {
				in.Options = append(in.Options, fmt.Sprint(v))
			}
		}
	case slices.Contains(s.Type, "boolean"):
		in.Options = []string{"true", "false"}
	case slices.Contains(s.Type, "integer"):
		in.Type = "number"
		if s.Minimum != nil {
			in.Min = number(*s.Minimum)
		}
		if s.Maximum != nil {
			in.Max = number(*s.Maximum)
		}
	case s.Format == "date-time":
		in.Hint = "2026-01-31T00:00:00Z"
	case p.In == "path":
		in.Hint = exampleID
	case p.Name == "Idempotency-Key":
		in.Hint = "A random key, unless you set one"
	}
	if in.Hint == "" && len(s.Default) > 0 {
		in.Hint = strings.Trim(string(s.Default), `"`)
	}
	return in
}

// controls fills in the form of the body. Objects are edited as JSON, so their fields can be added by name.
func (u *use) controls(e expander, body media) {
	of := e.spec.resolve(body.Schema)
	example := keys(body.Example)
	for _, f := range u.Body {
		s := e.spec.resolve(of.Properties[f.Name])
		c := e.control(f, s)
		if f.Required || slices.Contains(example, f.Name) {
			u.Controls = append(u.Controls, c)
		} else {
			u.Rare = append(u.Rare, c)
		}
		for _, name := range fields(s, nil) {
			u.Starters = append(u.Starters, starter{f.Name + "." + name, e.starterValue(e.spec.resolve(s.Properties[name]))})
		}
	}
}

func (e expander) control(f *field, s *schema) control {
	c := control{field: f, Kind: "text"}
	switch {
	case len(s.Enum) > 0:
		c.Kind = "choice"
		for _, v := range s.Enum {
			if v != nil {
				c.Options = append(c.Options, fmt.Sprint(v))
			}
		}
	case slices.Contains(s.Type, "boolean"):
		c.Kind, c.Options = "boolean", []string{"true", "false"}
	case slices.Contains(s.Type, "integer"), slices.Contains(s.Type, "number"):
		c.Kind = "number"
	case slices.Contains(s.Type, "array") && slices.Contains(e.spec.resolve(s.Items).Type, "string"):
		c.Kind = "list"
	case slices.Contains(s.Type, "array"), slices.Contains(s.Type, "object"):
		c.Kind = "json"
	}
	switch {
	case len(s.Examples) > 0 && c.Kind == "list":
		var values []string
		_ = json.Unmarshal(s.Examples[0], &values) // the tests of the API check the examples against their schemas
		c.Hint = strings.Join(values, ", ")
	case len(s.Examples) > 0:
		c.Hint = strings.Trim(string(s.Examples[0]), `"`)
	case len(s.Default) > 0:
		c.Hint = strings.Trim(string(s.Default), `"`)
	}
	return c
}

// starterValue returns a value to begin with: the first example, else one of the type.
func (e expander) starterValue(s *schema) string {
	switch {
	case len(s.Examples) > 0:
		return string(s.Examples[0])
	case len(s.Enum) > 0:
		return fmt.Sprintf("%q", s.Enum[0])
	case slices.Contains(s.Type, "array") && len(e.spec.resolve(s.Items).Properties) > 0:
		return "[{}]"
	case slices.Contains(s.Type, "array"):
		return `[""]`
	case slices.Contains(s.Type, "object"):
		return "{}"
	case slices.Contains(s.Type, "boolean"):
		return "true"
	case slices.Contains(s.Type, "integer") && s.Minimum != nil:
		return number(*s.Minimum)
	case slices.Contains(s.Type, "integer"):
		return "0"
	}
	return `""`
}

// tree returns the fields of a schema, each with the fields inside it. The fields of a type are shown once.
func (e expander) tree(prefix string, of *schema, example json.RawMessage) []*field {
	root := e.spec.resolve(of)
	seen := map[*schema]*field{root: nil}
	var walk func(prefix string, s *schema, example json.RawMessage) []*field
	walk = func(prefix string, s *schema, example json.RawMessage) (all []*field) {
		var inside map[string]json.RawMessage
		_ = json.Unmarshal(example, &inside) // an example may leave out what is optional
		for _, name := range fields(s, example) {
			of := s.Properties[name]
			f := &field{
				ID: prefix + "." + name, Name: name, Type: e.typeOf(of), Required: slices.Contains(s.Required, name),
				Doc: strings.TrimSpace(of.Description + bounds(of)),
			}
			all = append(all, f)
			inner, value := e.spec.resolve(of), inside[name]
			if inner.Items != nil {
				inner, value = e.spec.resolve(inner.Items), first(value)
			}
			if len(inner.Properties) == 0 {
				continue
			}
			if before, shown := seen[inner]; shown {
				f.SameAs = before
				continue
			}
			seen[inner] = f
			f.Fields = walk(f.ID, inner, value)
		}
		return all
	}
	return walk(prefix, root, example)
}

// describe calls visit for each parameter, and each field of the bodies, with its path in the request or response.
func (u *use) describe(visit func(path string, f *field)) {
	var walk func(path string, fields []*field)
	walk = func(path string, fields []*field) {
		for _, f := range fields {
			at := strings.TrimPrefix(path+"."+f.Name, ".")
			visit(at, f)
			walk(at, f.Fields)
		}
	}
	for _, g := range u.Parameters {
		walk("", g.Fields)
	}
	walk("", u.Body)
	walk("", u.Answer)
}

// inline returns the text as HTML, with the parts between backticks as code.
func inline(text string) template.HTML {
	var b bytes.Buffer
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString("<code>")
		}
		template.HTMLEscape(&b, []byte(part))
		if i%2 == 1 {
			b.WriteString("</code>")
		}
	}
	return template.HTML(b.String()) //nolint:gosec // every part is escaped
}

// phrases are what readers call an error, by code: what they search for.
var phrases = map[fault.Code]string{
	fault.MissingAuthHeader:      "unauthorized, no token, authorization header",
	fault.InvalidTokenFormat:     "bearer token, malformed token",
	fault.InvalidToken:           "wrong token, revoked token, invalid api key, unauthorized",
	fault.TokenExpired:           "expired token, token is too old",
	fault.TokenNotWorkspaceBound: "legacy token",
	fault.NotWorkspaceMember:     "left the workspace, no longer a member",
	fault.InsufficientScope:      "read only token, missing permission, missing scope, forbidden",
	fault.SignInNeeded:           "signed out, session ended",
	fault.Forbidden:              "no permission, not allowed, access denied",
	fault.InsufficientBalance:    "not enough credits, no credits, out of credits, insufficient credits, balance too low, payment required",
	fault.TokenBudgetExceeded:    "token budget, spending limit, payment required",
	fault.MaxCreditsExceeded:     "too expensive, max credits, payment required",
	fault.QuoteExpired:           "quote too old, old quote",
	fault.QuoteOutdated:          "quote changed, price changed",
	fault.NoCandidates:           "no matches, no companies, empty export",
	fault.NotFound:               "missing resource, unknown id",
	fault.ExportNotCompleted:     "export not ready, file not ready",
	fault.ExportNotCancellable:   "cannot cancel",
	fault.Validation:             "invalid request, unknown field, bad request, unprocessable",
	fault.InvalidCursor:          "bad cursor, pagination error",
	fault.InvalidLink:            "download link expired, link expired",
	fault.RateLimited:            "rate limit, rate limited, too many requests, throttled, slow down",
	fault.IdempotencyKeyReused:   "idempotency key, another body",
	fault.RequestInFlight:        "still running, concurrent request, duplicate request",
	fault.MethodNotAllowed:       "wrong method",
	fault.RequestTimeout:         "timeout, slow upload",
	fault.RangeNotSatisfiable:    "range header, resume download",
	fault.PayloadTooLarge:        "body too large, request too big",
	fault.UnsupportedMediaType:   "content type, not json",
	fault.IndexUnavailable:       "index rebuilding, search unavailable",
	fault.ServiceUnavailable:     "server down, disk full, database down, unavailable",
	fault.Internal:               "server error, crash, bug",
}

// errorID returns the anchor of an error on the page of errors.
func errorID(code string) string { return "error-" + code }

// anchors gives the rows of the table of errors an id each.
func anchors(page string) string {
	const row = "<tr>\n<td><code>"
	var b strings.Builder
	for {
		before, after, found := strings.Cut(page, row)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		code, _, _ := strings.Cut(after, "<")
		fmt.Fprintf(&b, "<tr id=%q>\n<td><code>", errorID(code))
		page = after
	}
}
