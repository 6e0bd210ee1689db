package reconcile

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/text"
)

const (
	suggestionsUsual = 10
	prefixRunesMax   = 1_000
)

// suggestion is a company that somebody may be typing.
type suggestion struct {
	named
	Notable []named  `json:"notable"`
	Locked  []string `json:"locked_fields,omitempty"`
}

type suggestions[T any] struct {
	Result []T `json:"result"`
}

// typing is what a suggest service is asked for.
type typing struct {
	prefix string
	skip   int
}

func readTyping(q url.Values) (t typing, err error) {
	if !q.Has("prefix") {
		return t, invalid("prefix", "is missing: send what was typed so far")
	}
	if t.prefix = strings.TrimSpace(q.Get("prefix")); utf8.RuneCountInString(t.prefix) > prefixRunesMax {
		return t, invalid("prefix", "is longer than 1,000 characters")
	}
	if given := q.Get("cursor"); given != "" {
		if t.skip, err = strconv.Atoi(given); err != nil || t.skip < 0 {
			return t, invalid("cursor", "must be a whole number: how many suggestions to skip")
		}
	}
	return t, nil
}

func (s *server) suggestCompanies(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	asked, err := readTyping(r.URL.Query())
	if err != nil {
		return err
	}
	items, err := s.Search.Suggest(r.Context(), caller, asked.prefix, asked.skip, suggestionsUsual)
	if err != nil {
		return fmt.Errorf("suggest companies: %w", err)
	}
	out := suggestions[suggestion]{Result: make([]suggestion, len(items))}
	for i, c := range items {
		out.Result[i] = suggestion{named{c.ID.String(), c.Name, describe(c)}, []named{entityType}, c.Locked.Names()}
	}
	if err := s.tellDaily(w, r, caller); err != nil {
		return err
	}
	httpx.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (s *server) suggestTypes(w http.ResponseWriter, r *http.Request, _ auth.Caller) error {
	return suggestNamed(w, r, []named{entityType})
}

// suggestProperties suggests fields of companies. Their descriptions say which of them are compared, and which are locked.
func (s *server) suggestProperties(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	all, err := s.described(r, caller)
	if err != nil {
		return err
	}
	return suggestNamed(w, r, all)
}

// suggestNamed responds with those whose name or id begins with the prefix, then those that contain it.
func suggestNamed(w http.ResponseWriter, r *http.Request, all []named) error {
	asked, err := readTyping(r.URL.Query())
	if err != nil {
		return err
	}
	prefix := text.Fold(asked.prefix)
	begins := func(n named) bool {
		return strings.HasPrefix(text.Fold(n.Name), prefix) || strings.HasPrefix(n.ID, prefix)
	}
	out := suggestions[named]{Result: []named{}}
	for _, first := range []bool{true, false} {
		for _, n := range all {
			if begins(n) == first && (first || strings.Contains(text.Fold(n.Name), prefix) || strings.Contains(n.ID, prefix)) {
				out.Result = append(out.Result, n)
			}
		}
	}
	out.Result = out.Result[min(asked.skip, len(out.Result)):]
	httpx.WriteJSON(w, http.StatusOK, out)
	return nil
}

// described returns the properties with what the caller should know of each.
func (s *server) described(r *http.Request, caller auth.Caller) ([]named, error) {
	locked, err := s.Search.Wall.Locked(r.Context(), caller)
	if err != nil {
		return nil, err
	}
	all := make([]named, len(properties))
	for i, f := range properties {
		about := f.Doc
		if slices.Contains(comparedNames, f.Name) {
			about += " Compared when rows are matched."
		}
		if locked.Has(f.Name) {
			about += " Locked: it is shown only for companies that the workspace owns."
		}
		all[i] = named{f.Name, f.Label, about}
	}
	return all, nil
}

// proposal is the answer to a request for the properties of a type.
type proposal struct {
	Type       string  `json:"type"`
	Limit      int     `json:"limit,omitempty"`
	Properties []named `json:"properties"`
}

func (s *server) proposeProperties(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	q := r.URL.Query()
	out := proposal{Type: q.Get("type"), Properties: []named{}}
	if given := q.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 {
			return invalid("limit", "must be a whole number of at least 1")
		}
		out.Limit = n
	}
	if out.Type != "" && out.Type != entityType.ID {
		return invalid("type", "is not known: the only type is "+entityType.ID)
	}
	out.Type = entityType.ID
	all, err := s.described(r, caller)
	if err != nil {
		return err
	}
	for i, p := range all {
		if properties[i].Kind != company.KindID && (out.Limit == 0 || len(out.Properties) < out.Limit) {
			out.Properties = append(out.Properties, p)
		}
	}
	httpx.WriteJSON(w, http.StatusOK, out)
	return nil
}
