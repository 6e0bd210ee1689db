package docsite

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/opencapi/capi/docs"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/fault"
)

// expander inserts the generated parts into the pages. A directive is a comment on a line of its own, so that the Markdown
// file is readable without it:
//
//	<!-- errors -->          the catalogue of errors
//	<!-- events -->          the types of events
//	<!-- limits -->          the rate limit of every operation
//	<!-- sample NAME -->     docs/guide/_samples/NAME.*, one code block per language
//	<!-- call OPERATION -->  the samples of the operation's reference page
//	<!-- downloads -->       the install line of the client, the Postman collection and the OpenAPI document
type expander struct {
	spec   *spec
	status func(fault.Kind) int
}

var directive = regexp.MustCompile(`(?m)^<!-- ([a-z]+)(?: (\S+))? -->$`)

func (e expander) expand(text string) (string, error) {
	var broken error
	expanded := directive.ReplaceAllStringFunc(text, func(line string) string {
		words := directive.FindStringSubmatch(line)
		part, err := e.part(words[1], words[2])
		if err != nil && broken == nil {
			broken = err
		}
		return part
	})
	return expanded, broken
}

func (e expander) part(name, argument string) (string, error) {
	switch name {
	case "errors":
		return e.errors(), nil
	case "downloads":
		return downloads, nil
	case "events":
		return events(), nil
	case "limits":
		return e.limits(), nil
	case "sample":
		return written(argument)
	case "call":
		op := e.spec.operation(argument)
		if op == nil {
			return "", fmt.Errorf("no operation is called %q", argument)
		}
		return samples(op), nil
	}
	return "", fmt.Errorf("no directive is called %q", name)
}

func (e expander) errors() string {
	var b strings.Builder
	b.WriteString("| Code | Status | When |\n|---|---|---|\n")
	for _, entry := range fault.Catalogue() {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", entry.Code, e.status(entry.Kind), entry.When)
	}
	return b.String()
}

func events() string {
	var b strings.Builder
	b.WriteString("| Type | When | For owners only |\n|---|---|---|\n")
	for _, entry := range event.Catalogue() {
		owners := ""
		if entry.Owners {
			owners = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", entry.Type, entry.When, owners)
	}
	return b.String()
}

func (e expander) limits() string {
	var b strings.Builder
	b.WriteString("| Endpoint | Requests per minute | Name in the settings |\n|---|---|---|\n")
	for _, op := range e.spec.operations {
		fmt.Fprintf(&b, "| [`%s %s`](/docs/%s) | %d | `%s` |\n", op.Method, op.Path, op.slug(), op.Limit.PerMinute, op.Limit.Name)
	}
	return b.String()
}

// languages are the languages of the samples, in tab order.
var languages = []struct{ fence, extension, title string }{
	{"sh", "sh", "curl"},
	{"javascript", "js", "JavaScript"},
	{"python", "py", "Python"},
	{"go", "go", "Go"},
}

// written returns a hand-written sample in every language.
func written(name string) (string, error) {
	var b strings.Builder
	for _, l := range languages {
		code, err := docs.Files.ReadFile("guide/_samples/" + name + "." + l.extension)
		if err != nil {
			return "", fmt.Errorf("sample %s: %w", name, err)
		}
		fence(&b, l.fence, string(code))
	}
	return b.String(), nil
}

func fence(b *strings.Builder, language, code string) {
	fmt.Fprintf(b, "```%s\n%s\n```\n\n", language, strings.TrimRight(code, "\n"))
}
