package docsite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/docs"
	"github.com/opencapi/capi/internal/fault"
)

// reference returns a page that lists the operations, followed by the page of each operation.
func (e expander) reference() ([]*Page, error) {
	list := &strings.Builder{}
	list.WriteString("# API reference\n\nEvery operation of version 1, with its parameters, answers and errors. Beside each are " +
		"samples in curl, JavaScript, Python and Go, and a form that sends the request from your browser.\n\n" + downloads +
		"\n\nThe base address is `" + Host + e.spec.Servers[0].URL + "`.\n")
	pages := []*Page{{Slug: "reference"}}
	tag := ""
	for _, op := range e.spec.operations {
		if op.Tags[0] != tag {
			tag = op.Tags[0]
			fmt.Fprintf(list, "\n## %s\n\n%s\n\n| Operation | Request | Scope |\n|---|---|---|\n", tag, e.spec.tagDescription(tag))
		}
		fmt.Fprintf(list, "| [%s](/docs/%s) | `%s %s` | `%s` |\n", op.Summary, op.slug(), op.Method, op.Path, op.Scope)
		text, err := e.operationPage(op)
		if err != nil {
			return nil, fmt.Errorf("page of %s: %w", op.ID, err)
		}
		pages = append(pages, &Page{Slug: op.slug(), Group: tag, Markdown: text, Use: &use{operation: op}})
	}
	pages[0].Markdown = list.String()
	return pages, nil
}

func (e expander) operationPage(op *operation) (string, error) {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n\n`%s %s`\n\n%s\n\n", op.Summary, op.Method, op.Path, op.about())
	fmt.Fprintf(b, "## Authentication\n\nRequires a token with the `%s` scope, sent as `Authorization: Bearer cornect_…` "+
		"([how to get one](/docs/authentication)). A token may call this endpoint %d times per minute ([rate limits](/docs/rate-limits)).\n\n",
		op.Scope, op.Limit.PerMinute)
	e.request(b, op)
	if err := e.answer(b, op); err != nil {
		return "", err
	}
	more, err := op.more()
	if err != nil {
		return "", err
	}
	b.WriteString(more)
	fmt.Fprintf(b, "## Code samples\n\n%s", samples(op))
	e.failures(b, op)
	return b.String(), nil
}

// more returns the hand-written addition to the operation's page; empty if there is none.
func (op *operation) more() (string, error) {
	text, err := docs.Files.ReadFile("guide/_reference/" + op.ID + ".md")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)) + "\n\n", err
}

func (e expander) request(b *strings.Builder, op *operation) {
	b.WriteString("## Request\n\n")
	listed := false
	for _, where := range []struct{ in, title string }{{"path", "Path"}, {"query", "Query"}, {"header", "Header"}} {
		var rows []string
		for _, p := range op.Parameters {
			if p.In == where.in {
				rows = append(rows, e.row(p.Name, p.Schema, p.Description, p.Required, true))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(b, "%s parameters:\n\n%s%s\n\n", where.title, tableHead(true), strings.Join(rows, ""))
			listed = true
		}
	}
	if op.Body != nil {
		content := op.Body.Content["application/json"]
		b.WriteString("Body parameters, as JSON:\n\n")
		e.table(b, content.Schema, nil, true)
		e.nested(b, content.Schema, nil, true)
		listed = true
	}
	if !listed {
		b.WriteString("No parameters.\n\n")
	}
}

func (e expander) answer(b *strings.Builder, op *operation) error {
	status, r := op.success()
	fmt.Fprintf(b, "## Response\n\n`%d %s`", status, http.StatusText(status))
	content, ok := r.Content["application/json"]
	if stream, is := r.Content["text/event-stream"]; is {
		var lines string
		if err := json.Unmarshal(stream.Example, &lines); err != nil {
			return fmt.Errorf("example of the answer: %w", err)
		}
		b.WriteString(", server-sent events:\n\n")
		fence(b, "console", lines)
		return nil
	}
	if !ok {
		b.WriteString(", without a body.\n\n")
		return nil
	}
	b.WriteString("\n\n")
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, content.Example, "", "  "); err != nil {
		return fmt.Errorf("example of the answer: %w", err)
	}
	fence(b, "json", pretty.String())
	e.table(b, content.Schema, content.Example, false)
	e.nested(b, content.Schema, content.Example, false)
	return nil
}

func tableHead(required bool) string {
	if required {
		return "| Name | Type | Required | Description |\n|---|---|---|---|\n"
	}
	return "| Name | Type | Description |\n|---|---|---|\n"
}

// table lists the fields of an object: for a request the required ones first, for an answer in the order of the example.
func (e expander) table(b *strings.Builder, of *schema, example json.RawMessage, request bool) {
	s := e.spec.resolve(of)
	b.WriteString(tableHead(request))
	for _, name := range fields(s, example) {
		b.WriteString(e.row(name, s.Properties[name], s.Properties[name].Description, slices.Contains(s.Required, name), request))
	}
	b.WriteString("\n")
}

func fields(s *schema, example json.RawMessage) []string {
	order := keys(example)
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		if slices.Contains(s.Required, name) && len(order) == 0 {
			return -1
		}
		return len(order)
	}
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// keys returns the names in a JSON object, in document order.
func keys(object json.RawMessage) (names []string) {
	in := json.NewDecoder(bytes.NewReader(object))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return names
		}
		names = append(names, name.(string))
		var skipped json.RawMessage
		if in.Decode(&skipped) != nil {
			return names
		}
	}
	return names
}

// nested writes a table for each nested object, once each, in the order in which they appear.
func (e expander) nested(b *strings.Builder, of *schema, example json.RawMessage, request bool) {
	seen := map[*schema]bool{e.spec.resolve(of): true}
	var walk func(prefix string, s *schema, example json.RawMessage)
	walk = func(prefix string, s *schema, example json.RawMessage) {
		var inside map[string]json.RawMessage
		_ = json.Unmarshal(example, &inside) // an example may leave out what is optional
		for _, name := range fields(s, example) {
			field, at, value := e.spec.resolve(s.Properties[name]), prefix+name, inside[name]
			if field.Items != nil {
				field, at, value = e.spec.resolve(field.Items), at+"[]", first(value)
			}
			if len(field.Properties) == 0 || seen[field] {
				continue
			}
			seen[field] = true
			fmt.Fprintf(b, "Fields of `%s`:\n\n", at)
			e.table(b, field, value, request)
			walk(at+".", field, value)
		}
	}
	walk("", e.spec.resolve(of), example)
}

func first(list json.RawMessage) json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(list, &elements) != nil || len(elements) == 0 {
		return nil
	}
	return elements[0]
}

func (e expander) row(name string, s *schema, description string, required, request bool) string {
	about := strings.TrimSpace(description + bounds(s))
	about = strings.NewReplacer("|", `\|`, "\n", " ", "{}", "`{}`").Replace(about)
	if !request {
		return fmt.Sprintf("| `%s` | %s | %s |\n", name, e.typeOf(s), about)
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, e.typeOf(s), map[bool]string{true: "Yes", false: "No"}[required], about)
}

// bounds returns a description of the values that are allowed, to append to the field's description.
func bounds(s *schema) string {
	if s == nil {
		return ""
	}
	var said []string
	var allowed []string
	for _, v := range s.Enum {
		if v != nil {
			allowed = append(allowed, fmt.Sprintf("`%v`", v))
		}
	}
	if len(allowed) > 0 {
		said = append(said, "One of "+strings.Join(allowed, ", ")+".")
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		said = append(said, fmt.Sprintf("From %s to %s.", number(*s.Minimum), number(*s.Maximum)))
	case s.Minimum != nil:
		said = append(said, fmt.Sprintf("At least %s.", number(*s.Minimum)))
	case s.Maximum != nil:
		said = append(said, fmt.Sprintf("At most %s.", number(*s.Maximum)))
	}
	if s.MaxLength != nil {
		said = append(said, fmt.Sprintf("At most %d characters.", *s.MaxLength))
	}
	if s.MaxItems != nil {
		said = append(said, fmt.Sprintf("At most %d values.", *s.MaxItems))
	}
	if len(s.Default) > 0 {
		said = append(said, fmt.Sprintf("Default: `%s`.", strings.Trim(string(s.Default), `"`)))
	}
	if len(said) == 0 {
		return ""
	}
	return " " + strings.Join(said, " ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// typeOf returns the type in words, such as string[] or integer or null.
func (e expander) typeOf(s *schema) string {
	r := e.spec.resolve(s)
	var names []string
	for _, t := range r.Type {
		switch {
		case t == "array":
			names = append(names, e.typeOf(r.Items)+"[]")
		case t == "string" && r.Format == "uuid":
			names = append(names, "string (UUID)")
		case t == "string" && r.Format == "date-time":
			names = append(names, "string (time)")
		case t != "null" || len(r.Type) == 1:
			names = append(names, t)
		}
	}
	if len(names) == 0 {
		return "any"
	}
	return strings.Join(names, " or ")
}

// failures lists every error code that the operation can return.
func (e expander) failures(b *strings.Builder, op *operation) {
	b.WriteString("## Errors\n\nEvery error has the [same body](/docs/errors).\n\n| Code | Status | When |\n|---|---|---|\n")
	for _, entry := range e.codes(op) {
		fmt.Fprintf(b, "| `%s` | %d | %s |\n", entry.Code, e.status(entry.Kind), entry.When)
	}
	b.WriteString("\n")
}

// codes returns every error that the operation can return, its own before the general ones.
func (e expander) codes(op *operation) (own []fault.Entry) {
	can := map[string]bool{}
	for _, r := range op.Responses {
		for code := range e.spec.response(r).Content["application/json"].Examples {
			can[code] = true
		}
	}
	var general []fault.Entry
	for _, entry := range fault.Catalogue() {
		switch {
		case !can[string(entry.Code)]:
		case e.general(entry.Code):
			general = append(general, entry)
		default:
			own = append(own, entry)
		}
	}
	return append(own, general...)
}

// general reports whether every operation can return the code.
func (e expander) general(code fault.Code) bool {
	for _, op := range e.spec.operations {
		found := false
		for _, r := range op.Responses {
			_, has := e.spec.response(r).Content["application/json"].Examples[string(code)]
			found = found || has
		}
		if !found {
			return false
		}
	}
	return true
}
