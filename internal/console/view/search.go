package view

import (
	"context"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// Search is the page of a search.
type Search struct {
	*SearchForm
	Page     string // the address without parameters
	Problems []Problem
	Price    Price
	Found    *search.Result // nil if the form has errors
	Facets   []Facet
	Bands    []Range
	Cursor   string // of this page; empty for the first
	Next     string // the address of the next page; empty at the end
	Lists    []list.List
	Saves    []list.Search // saved searches, newest first
	Recents  []SearchForm  // newest first
	Opened   list.Search   // the saved search that was opened; zero without one
	Columns  []Column
	Company  *Preview
	Curl     string
}

// chipsOfLong is how many filters of a long search a page shows.
const chipsOfLong = 20

// Preview is a company beside the list.
type Preview struct {
	search.Item
	Previous, Next string // addresses of the search with the neighbours; empty if there are none
	Close          string // the address of the search without the company
}

// companyParam is the parameter of an address that opens a company beside the list, and its value for the first one.
const (
	companyParam = "company"
	firstCompany = "first"
)

// OpenedIn returns the company that an address opens. A link to the next page opens its first company, which it cannot name.
func OpenedIn(param string, items []search.Item) (opened id.Company, asked bool) {
	if param == firstCompany && len(items) > 0 {
		return items[0].ID, true
	}
	opened, err := id.Parse[id.Company](param)
	return opened, err == nil
}

// PreviewOf returns the company with its neighbours in the list.
func (v *Search) PreviewOf(item search.Item) *Preview {
	p := &Preview{Item: item, Close: v.here("")}
	for i, other := range v.Found.Items {
		if other.ID != item.ID {
			continue
		}
		if i > 0 {
			p.Previous = v.here(v.Found.Items[i-1].ID.String())
		}
		switch {
		case i+1 < len(v.Found.Items):
			p.Next = v.here(v.Found.Items[i+1].ID.String())
		case v.Found.NextCursor != "":
			p.Next = v.At("", "cursor", v.Found.NextCursor, companyParam, firstCompany)
		}
	}
	return p
}

// here returns the address of this page with a company beside the list; empty opens none.
func (v *Search) here(company string) string {
	return v.At("", "cursor", v.Cursor, companyParam, company)
}

// lockedFilters returns the labels of the filters that the page does not offer, because their fields are locked.
func (w *SearchForm) lockedFilters() string {
	var labels []string
	for i := range query.Params {
		if p := &query.Params[i]; w.refuses(p) && !p.Exclude {
			labels = append(labels, p.Label)
		}
	}
	return strings.Join(labels, ", ")
}

// refuses reports whether a filter of the parameter is an error, because its field is locked.
func (w *SearchForm) refuses(p *query.Param) bool {
	return p.Kind == query.KindConnections && w.Locked.Has("connections") || p.Kind == query.KindValues && p.Field.IsIn(w.Locked)
}

// phrasesIn says where phrases are looked for, if not in names and descriptions.
func (w *SearchForm) phrasesIn() string {
	if w.Locked.Has("description") {
		return "in the name"
	}
	return ""
}

// input is a filter that is kept in a hidden field.
type input struct{ Name, Value string }

// refused returns the filters of locked fields. The page offers no field for them, but keeps them until they are removed: without
// them, the search would find more than its address says.
func (w *SearchForm) refused() (kept []input) {
	v := w.Values()
	for i := range query.Params {
		if p := &query.Params[i]; p.Kind != query.KindConnections && w.refuses(p) {
			for _, value := range v[p.Name] {
				kept = append(kept, input{p.Name, value})
			}
		}
	}
	return kept
}

// tab is one of the tabs: a part of the matches by who owns them.
type tab struct {
	name  string
	show  search.Show
	count int
}

func (v *Search) tabs() []tab {
	return []tab{
		{"All", search.ShowAll, v.Price.All.Rows}, {"New", search.ShowNew, v.Price.All.New}, {"Owned", search.ShowOwned, v.Price.All.Owned},
	}
}

// exportAt returns the address of the form that exports what the page shows.
func (v *Search) exportAt(ctx context.Context) string {
	return v.At(ViewerOf(ctx).Path("/exports/new"), "saved", "")
}

// changed reports whether the search differs from the saved one that was opened.
func (v *Search) changed() bool {
	saved := SavedForm(v.Opened)
	return saved.At("") != v.At("")
}

// rowID is the id of an element of a row.
func rowID(i int) string { return "c" + strconv.Itoa(i) }

// Address returns the shortest address of the page. While a word is typed, it has the word as it will be when it is complete.
func (v *Search) Address(typing bool) string {
	changes := []string{"cursor", v.Cursor, companyParam, ""}
	if v.Company != nil {
		changes[3] = v.Company.ID.String()
	}
	if typing {
		changes = append(changes, "prefix", "")
	}
	return v.At(v.Page, changes...)
}
