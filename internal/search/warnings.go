package search

import (
	"cmp"
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// Warning is a value of a filter that no company has, so that a misspelt one is never a silent zero.
type Warning struct{ Field, Value, Message, Suggestion string }

func (s *Searcher) warnings(ctx context.Context, q query.Query) ([]Warning, error) {
	given := q.Given()
	if len(given) == 0 {
		return nil, nil
	}
	known, err := s.Index.Lookup(ctx, given)
	if err != nil {
		return nil, fmt.Errorf("look filter values up: %w", err)
	}
	var warnings []Warning
	for i, g := range given {
		if !known[i].Found {
			warnings = append(warnings, warningOf(g, known[i].Suggestion))
		}
	}
	return warnings, nil
}

func warningOf(g query.Given, suggestion string) Warning {
	w := Warning{Field: g.Param, Value: g.Raw, Message: "no company has this value", Suggestion: suggestion}
	if g.Field == query.FieldCountry {
		if c, ok := company.LookupCountry(g.Raw); ok {
			w.Message, w.Suggestion = "no company is in "+c.Name, ""
			return w
		}
		w.Message = "no such country is known"
		w.Suggestion = cmp.Or(company.NearestCountry(g.Raw), suggestion)
	}
	if w.Suggestion != "" {
		w.Message += fmt.Sprintf("; did you mean %s?", w.Suggestion)
	}
	return w
}
