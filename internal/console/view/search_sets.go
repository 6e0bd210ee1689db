package view

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/reqbody"
)

// readSets reads sets as SetText writes them.
func (w *SearchForm) readSets(param string, texts []string, to *[]query.SetRef) {
	for _, text := range texts {
		ref, ok := ParseSetText(text)
		if !ok {
			w.reject(param, texts, "is not a set, such as list_id: and the ID of a list, or owned")
			return
		}
		*to = append(*to, ref)
	}
}

// SetText returns how a set is written in an address: owned, the kind and the id of a stored set, such as list_id:ID, or JSON.
func SetText(ref query.SetRef) string {
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
	read, ok := ParseSetText(text)
	a, _ := json.Marshal(ref)
	b, _ := json.Marshal(read)
	return ok && bytes.Equal(a, b)
}

// ParseSetText reads a set as SetText writes it.
func ParseSetText(text string) (ref query.SetRef, ok bool) {
	if text == string(query.SetOwned) {
		return query.SetRef{Owned: true}, true
	}
	if strings.HasPrefix(text, "{") {
		return parseSetJSON([]byte(text))
	}
	kind, value, _ := strings.Cut(text, ":")
	of := setIDs(&ref)[query.SetKind(kind)]
	if of == nil || value == "" {
		return query.SetRef{}, false
	}
	*of = value
	return ref, true
}

// parseSetJSON reads a set from JSON. What the set does not keep makes it no set: an unknown member, one in other letter case, one that is
// given twice, null or an empty list. Without it, an address would find other companies than it says.
func parseSetJSON(p []byte) (ref query.SetRef, ok bool) {
	var given, kept any
	if json.Unmarshal(p, &given) != nil || json.Unmarshal(p, &ref) != nil || reqbody.Repeated(p) != "" {
		return query.SetRef{}, false
	}
	written, err := json.Marshal(ref)
	if err != nil || json.Unmarshal(written, &kept) != nil || !reflect.DeepEqual(given, kept) {
		return query.SetRef{}, false
	}
	return ref, true
}

// SetName returns what a page calls the set; names are those of stored sets, by their text in an address.
func SetName(ref query.SetRef, names map[string]string) string {
	join := func(refs []query.SetRef, word string) string {
		all := make([]string, len(refs))
		for i, r := range refs {
			all[i] = SetName(r, names)
			if len(r.AnyOf) > 1 || len(r.AllOf) > 1 {
				all[i] = "(" + all[i] + ")"
			}
		}
		return strings.Join(all, word)
	}
	text := SetText(ref)
	if name := names[text]; name != "" {
		return name
	}
	switch {
	case ref.ListID != "":
		return "a list"
	case ref.SavedSearchID != "":
		return "a saved search"
	case ref.ExportID != "":
		return "an export"
	case ref.MatchID != "":
		return "matched companies"
	case ref.Owned:
		return "owned"
	case ref.Search != nil:
		return cmp.Or((&SearchForm{Filters: *ref.Search, SetNames: names}).summary(), "all companies")
	case len(ref.Companies) == 1:
		return "1 chosen company"
	case len(ref.Companies) > 1:
		return strconv.Itoa(len(ref.Companies)) + " chosen companies"
	case len(ref.AnyOf) > 0:
		return join(ref.AnyOf, " or ")
	case len(ref.AllOf) > 0:
		return join(ref.AllOf, " and ")
	case ref.Not != nil:
		return "not " + join([]query.SetRef{*ref.Not}, "")
	default:
		return "a combined set"
	}
}

// DeletedName returns what a page calls a stored set that does not exist.
func DeletedName(ref query.SetRef) string {
	switch {
	case ref.ListID != "":
		return "deleted list"
	case ref.SavedSearchID != "":
		return "deleted saved search"
	}
	return "deleted export"
}

// StoredSets returns the lists, saved searches and exports that the form names, also within other sets.
func (w *SearchForm) StoredSets() (stored []query.SetRef) {
	for _, refs := range [][]query.SetRef{w.In, w.NotIn} {
		for _, ref := range refs {
			stored = append(stored, storedIn(ref)...)
		}
	}
	return stored
}

func storedIn(ref query.SetRef) (stored []query.SetRef) {
	if ref.ListID != "" || ref.SavedSearchID != "" || ref.ExportID != "" {
		stored = append(stored, ref)
	}
	parts := slices.Concat(ref.AnyOf, ref.AllOf)
	if ref.Not != nil {
		parts = append(parts, *ref.Not)
	}
	if ref.Search != nil {
		parts = slices.Concat(parts, ref.Search.In, ref.Search.NotIn)
	}
	for _, part := range parts {
		stored = append(stored, storedIn(part)...)
	}
	return stored
}

// AsSet returns what the form finds as a set.
func (w *SearchForm) AsSet() query.SetRef {
	f := w.ToSave("").AsFilters()
	return query.SetRef{Search: &f}
}
