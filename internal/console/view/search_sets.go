package view

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/opencapi/capi/internal/query"
)

// readSets reads sets as setText writes them.
func (w *SearchForm) readSets(param string, texts []string, to *[]query.SetRef) {
	for _, text := range texts {
		ref, ok := parseSetText(text)
		if !ok {
			w.reject(param, texts, "is not a set, such as list_id: and the ID of a list, or owned")
			return
		}
		*to = append(*to, ref)
	}
}

// setText returns how a set is written in an address: owned, the kind and the id of a stored set, such as list_id:ID, or JSON.
func setText(ref query.SetRef) string {
	for kind, of := range setIDs(&ref) {
		if text := string(kind) + ":" + *of; *of != "" && isAlone(ref, text) {
			return text
		}
	}
	if isAlone(ref, string(query.SetOwned)) {
		return string(query.SetOwned)
	}
	p, err := json.Marshal(ref)
	if err != nil {
		panic(err) // texts and numbers do not fail
	}
	return string(p)
}

func setIDs(ref *query.SetRef) map[query.SetKind]*string {
	return map[query.SetKind]*string{
		query.SetOfList: &ref.ListID, query.SetOfSavedSearch: &ref.SavedSearchID, query.SetOfExport: &ref.ExportID,
		query.SetOfMatch: &ref.MatchID,
	}
}

// isAlone reports whether the text says all of the set.
func isAlone(ref query.SetRef, text string) bool {
	read, ok := parseSetText(text)
	a, _ := json.Marshal(ref)
	b, _ := json.Marshal(read)
	return ok && bytes.Equal(a, b)
}

func parseSetText(text string) (ref query.SetRef, ok bool) {
	if text == string(query.SetOwned) {
		return query.SetRef{Owned: true}, true
	}
	if strings.HasPrefix(text, "{") {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		return ref, d.Decode(&ref) == nil && !d.More()
	}
	kind, value, _ := strings.Cut(text, ":")
	of := setIDs(&ref)[query.SetKind(kind)]
	if of == nil || value == "" {
		return query.SetRef{}, false
	}
	*of = value
	return ref, true
}

// setName returns what a chip calls the set.
func (w *SearchForm) setName(ref query.SetRef) string {
	text := setText(ref)
	if name := w.SetNames[text]; name != "" {
		return name
	}
	kind, _, _ := strings.Cut(text, ":")
	switch query.SetKind(kind) {
	case query.SetOfList:
		return "a list"
	case query.SetOfSavedSearch:
		return "a saved search"
	case query.SetOfExport:
		return "an export"
	case query.SetOfMatch:
		return "matched companies"
	case query.SetOwned:
		return "owned"
	default:
		return "a combined set"
	}
}
