package view

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// Problem is an error of a form in the words of its page.
type Problem struct {
	Field   string // as in the error
	Label   string // what the page calls the field
	Message string // with the invalid value in front
}

// Problems returns the errors in a Validation error of the form.
func (w *SearchForm) Problems(err error) (problems []Problem) {
	for _, f := range fault.Fields(err) {
		problems = append(problems, problemOf(f, w.invalidValues(f.Field)...))
	}
	return problems
}

func problemOf(f fault.FieldError, values ...string) Problem {
	p := Problem{Field: f.Field, Label: fieldLabel(f.Field), Message: inPageWords(f.Message)}
	if p.Label == "" { // a parameter that no page submits; what the message suggests is for the address
		p.Label, p.Message, values = "Address", f.Message, []string{f.Field}
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = "“" + text.Short(value) + "”"
	}
	if len(quoted) > 0 {
		p.Message = strings.Join(quoted, ", ") + " " + p.Message
	}
	return p
}

// invalidValues returns the values of a field in an error, such as countries[0] or connections[1].category. It is empty if the
// error is about a parameter as a whole.
func (w *SearchForm) invalidValues(field string) []string {
	name, i, part := splitField(field)
	p := query.ParamNamed(name)
	switch {
	case len(w.unread[name]) > 0:
		return w.unread[name]
	case name == "sort_by":
		return []string{w.SortBy}
	case name == "sort_order":
		return []string{w.SortOrder}
	case p == nil:
		return nil
	case p.Text != nil:
		return []string{*p.Text(&w.Filters)}
	case p.Int != nil:
		return []string{bound(*p.Int(&w.Filters))}
	case p.Texts != nil && i >= 0:
		return (*p.Texts(&w.Filters))[i : i+1]
	case p.Kind == query.KindConnections && i >= 0:
		c := w.Connections[i]
		switch part {
		case "category":
			return []string{c.Category}
		case "connected_domain":
			return []string{c.ConnectedDomain}
		case "connected_company_id":
			return []string{c.ConnectedCompanyID}
		}
		return []string{connectionText(c)}
	}
	return nil
}

// splitField splits connections[1].category into connections, 1 and category. The index is -1 if there is none.
func splitField(field string) (name string, index int, part string) {
	name, rest, _ := strings.Cut(field, "[")
	digits, part, _ := strings.Cut(rest, "]")
	index, err := strconv.Atoi(digits)
	if err != nil {
		index = -1
	}
	return name, index, strings.TrimPrefix(part, ".")
}

// fieldLabels are the labels of form fields other than filters.
var fieldLabels = map[string]string{
	"sort_by": "Sort by", "sort_order": "Order", "show": "Tab", "not_on": "Not on list", "saved": "Saved search", ExcludeButton: "Exclude", "list": "List", "name": "Name",
	"rows": "Rows", "set": "Sets", "format": "Format", "export_format": "Format", "columns": "Columns", "limit": "Maximum companies",
	"daily": "The limit", "overlap_hours": "The hours", "low_balance": "It", "current": "The password that you entered", "code": "The code",
}

// fieldLabel returns what a page calls the field of an error or of a warning; empty if no page has it.
func fieldLabel(field string) string {
	name, _, _ := splitField(field)
	if p := query.ParamNamed(name); p != nil {
		return p.Label
	}
	return fieldLabels[name]
}

// Sentences returns the errors in a Validation error as sentences; empty for any other error.
func Sentences(err error) string {
	var all []string
	for _, f := range fault.Fields(err) {
		switch f.Field {
		case "": // the message is a sentence
			all = append(all, f.Message)
		case "destination_id":
			all = append(all, deletedDestination)
		default:
			all = append(all, cmp.Or(fieldLabel(f.Field), f.Field)+" "+inPageWords(f.Message)+".")
		}
	}
	return strings.Join(all, " ")
}

var snakeCase = regexp.MustCompile(`[a-z]+(_[a-z]+)+`)

// connectionParts are what a page calls the parts of a connection.
var connectionParts = map[string]string{"connected_company_id": "company ID", "connected_domain": "company domain"}

// inPageWords returns a message with the bounds of numbers and the parts of connections as a page calls them. Other names are
// values that people can type, such as the names of a company's fields.
func inPageWords(message string) string {
	return snakeCase.ReplaceAllStringFunc(message, func(name string) string {
		if part := connectionParts[name]; part != "" {
			return part
		}
		if p := query.ParamNamed(name); p != nil && p.Int != nil {
			return p.Label
		}
		return name
	})
}

var usedFilter = regexp.MustCompile(`\buse ([a-z_]+)\b`)

// adviceOf returns the message of a warning with the filter that it advises as the search page calls it.
func adviceOf(message string) string {
	return usedFilter.ReplaceAllStringFunc(message, func(advice string) string {
		switch name := strings.TrimPrefix(advice, "use "); {
		case name == "keywords":
			return "use “Any of these phrases” under Keywords"
		case name == "exclude_keywords":
			return "use “None of these phrases” under Keywords"
		case query.ParamNamed(name) != nil:
			return "use the filter " + query.ParamNamed(name).Label
		}
		return advice
	})
}

// saidOnce returns the warnings as sentences, those that read the same once.
func saidOnce(warnings []search.Warning) (said []string) {
	for _, w := range warnings {
		sentence := fieldLabel(w.Field) + " “" + w.Value + "”: " + adviceOf(w.Message)
		if !slices.Contains(said, sentence) {
			said = append(said, sentence)
		}
	}
	return said
}

// problemAt returns the message about a field, empty if there is none.
func problemAt(problems []Problem, field string) string {
	i := slices.IndexFunc(problems, func(p Problem) bool { return p.Field == field })
	if i < 0 {
		return ""
	}
	return problems[i].Message
}
