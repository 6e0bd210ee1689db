package view

import (
	"github.com/opencapi/capi/internal/query"
)

// sortOption is an order that a search offers: its label in the menu, and its name within a sentence.
type sortOption struct {
	query.Sort
	label, phrase string
}

var sortOptions = []sortOption{
	{query.Sort{By: query.ByRelevance, Desc: true}, "Best match", "best matches first"},
	{query.Sort{By: query.ByEmployeeCount, Desc: true}, "Most employees", "most employees first"},
	{query.Sort{By: query.ByEmployeeCount}, "Fewest employees", "fewest employees first"},
	{query.Sort{By: query.ByName}, "Name, A to Z", "by name from A to Z"},
	{query.Sort{By: query.ByName, Desc: true}, "Name, Z to A", "by name from Z to A"},
	{query.Sort{By: query.ByFoundedYear, Desc: true}, "Youngest", "youngest first"},
	{query.Sort{By: query.ByFoundedYear}, "Oldest", "oldest first"},
	{query.Sort{By: query.ByUpdatedAt, Desc: true}, "Recently updated", "recently updated first"},
	{query.Sort{By: query.ByUpdatedAt}, "Longest unchanged", "longest unchanged first"},
	{query.Sort{By: query.ByRelevance}, "Worst match", "worst matches first"},
}

// sortMenu returns the options for the search, without orders by locked fields. Relevance is among them only for a search with text, or
// if it was chosen.
func (w *SearchForm) sortMenu() (options []sortOption) {
	for _, o := range sortOptions {
		if !w.sorts(o.By) {
			continue
		}
		if o.Sort == w.sort() || o.By != query.ByRelevance || o.Desc && w.Query != "" {
			options = append(options, o)
		}
	}
	return options
}

// sortValue is what the form sends for an order: nothing for the default, so that it follows the text that is typed.
func (w *SearchForm) sortValue(s query.Sort) string {
	if s == w.defaultSort() {
		return ""
	}
	return s.String()
}

// sorts reports whether the search can be sorted by the key, although some fields are locked.
func (w *SearchForm) sorts(by query.SortKey) bool {
	bounded, _ := query.Sort{By: by}.Bounded(w.Locked)
	return bounded.By == by
}

func (w *SearchForm) defaultSort() query.Sort {
	s, _ := query.ParseSort("", "", w.Query != "") // the defaults are valid
	return w.bounded(s)
}

// bounded returns the order in which a search that asks for s is sorted.
func (w *SearchForm) bounded(s query.Sort) query.Sort {
	s, _ = s.Bounded(w.Locked)
	s.Default = false
	return s
}

// sort returns the order in which the search is sorted. It is the default if the form's is not valid.
func (w *SearchForm) sort() query.Sort {
	s, err := query.ParseSort(w.SortBy, w.SortOrder, w.Query != "")
	if err != nil {
		return w.defaultSort()
	}
	return w.bounded(s)
}

// orderPhrase names the order of the search within a sentence.
func (w *SearchForm) orderPhrase() string {
	for _, o := range sortOptions {
		if o.Sort == w.sort() {
			return o.phrase
		}
	}
	return "in the chosen order"
}
