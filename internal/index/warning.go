package index

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Warning is a filter value that no company has, or that the filters both include and exclude, or a part of a text that does not
// mean what it seems to. It keeps a mistake from silently emptying or widening a result.
type Warning struct {
	Field      string  `json:"field"`
	Value      string  `json:"value"` // the first 100 characters
	Message    string  `json:"message"`
	Suggestion *string `json:"suggestion"` // a value that was probably meant; nil if none is near
}

// Warnings returns a warning for each of the query's notices, for each value that no company in the index has, in the order of
// query.Params, and then for each value that is both included and excluded.
func Warnings(ctx context.Context, ix Index, q query.Query) ([]Warning, error) {
	var warnings []Warning
	for _, n := range q.Notices() {
		warnings = append(warnings, Warning{Field: n.Param, Value: text.Short(n.Value), Message: n.Message})
	}
	unknown, err := unknownValues(ctx, ix, q.Given())
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, unknown...)
	for _, g := range q.Conflicts() {
		message := "is both included and excluded, so no company with it matches"
		if g.Field == query.FieldKnown {
			message = "cannot be both known and missing, so no company matches"
		}
		warnings = append(warnings, warningOf(g, message, ""))
	}
	return warnings, nil
}

const togetherMax = 10 // words of a text that Together explains

// Together returns a warning if each part of the text occurs in some company, but no company has all of them, and names the part
// without which some do, such as another legal form. It is for a search that found nothing: it evaluates the text again.
func Together(ctx context.Context, ix Index, q query.Query) ([]Warning, error) {
	var parts []query.Given
	for _, g := range q.Given() {
		if g.Param == "query" && g.Text != nil {
			parts = append(parts, g)
		}
	}
	if len(parts) < 2 || len(parts) > togetherMax {
		return nil, nil
	}
	all, raws := make(query.And, len(parts)), make([]string, len(parts))
	for i, g := range parts {
		all[i], raws[i] = g.Text, g.Raw
	}
	asked := []query.Given{{Param: "query", Field: query.FieldText, Text: all}}
	for i := range parts {
		asked = append(asked, query.Given{Param: "query", Field: query.FieldText, Text: without(all, i)})
	}
	known, err := ix.Lookup(ctx, append(asked, parts...))
	if err != nil {
		return nil, fmt.Errorf("look parts of the text up: %w", err)
	}
	if known[0].Found || slices.ContainsFunc(known[len(asked):], func(k Known) bool { return !k.Found }) {
		return nil, nil
	}
	w := Warning{Field: "query", Value: text.Short(strings.Join(raws, " ")), Message: "no company has all of these words"}
	for i := len(parts) - 1; i >= 0; i-- {
		if known[1+i].Found {
			rest := strings.Join(without(raws, i), " ")
			w.Message += "; some have them without " + raws[i]
			w.Suggestion = &rest
			break
		}
	}
	return []Warning{w}, nil
}

// without returns the list without its element i.
func without[L ~[]E, E any](list L, i int) L { return slices.Concat(list[:i], list[i+1:]) }

func unknownValues(ctx context.Context, ix Index, given []query.Given) (warnings []Warning, err error) {
	if len(given) == 0 {
		return warnings, nil
	}
	known, err := ix.Lookup(ctx, given)
	if err != nil {
		return nil, fmt.Errorf("look filter values up: %w", err)
	}
	for i, g := range given {
		if known[i].Found {
			continue
		}
		suggestion := known[i].Suggestion
		if g.Quiet {
			suggestion = ""
		}
		message, near := explain(g, suggestion)
		if g.Field == query.FieldState {
			if near, err = stateOf(ctx, ix, g, near); err != nil {
				return nil, err
			}
		}
		warnings = append(warnings, warningOf(g, message, near))
	}
	return warnings, nil
}

func warningOf(g query.Given, message, near string) Warning {
	w := Warning{Field: g.Param, Value: text.Short(g.Raw), Message: message}
	if near != "" {
		w.Message += fmt.Sprintf("; did you mean %s?", near)
		w.Suggestion = &near
	}
	return w
}

// explain returns what is wrong with an unknown value, and what was probably meant.
func explain(g query.Given, near string) (message, meant string) {
	switch g.Field {
	case query.FieldCountry:
		if c, ok := company.LookupCountry(g.Raw); ok {
			return "no company is in " + c.Name, ""
		}
		if c := company.NearestCountry(g.Raw); c != "" {
			near = c
		}
		return "no such country is known", near
	case query.FieldConnectionCategory:
		return "no company has a connection of this category", near
	case query.FieldConnectedDomain:
		return "no company has a connection to this domain", near
	case query.FieldConnectedCompany:
		return "no company has a connection to this company", near
	case query.FieldDomain:
		return "no company has this domain, or mentions it", near
	case query.FieldText:
		return "no company has this in its name or description", near
	default:
		return "no company has this value", near
	}
}

// stateOf returns the name of the state with the postal code that some company is in; near if the value is not a postal
// code.
func stateOf(ctx context.Context, ix Index, g query.Given, near string) (string, error) {
	names := company.StatesOf(g.Raw)
	if len(names) == 0 {
		return near, nil
	}
	given := make([]query.Given, len(names))
	for i, name := range names {
		given[i] = query.Given{Param: g.Param, Field: g.Field, Raw: name, Value: text.Fold(name)}
	}
	known, err := ix.Lookup(ctx, given)
	if err != nil {
		return "", fmt.Errorf("look states up: %w", err)
	}
	for i, name := range names {
		if known[i].Found {
			return name, nil
		}
	}
	return "", nil
}
