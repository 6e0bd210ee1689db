// Package workload is what is measured: generated companies and operations on them.
// It measures nothing and knows no contender.
package workload

import (
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/indextest"
	"github.com/opencapi/capi/internal/query"
)

const (
	// Page is the number of companies on a search's page.
	Page = 25
	// FacetValues is the largest number of values in a facet.
	FacetValues = 20
	// Selection is the largest number of companies in an export.
	Selection = 10_000
	// ownedEvery is the interval of unlocked companies: one in ownedEvery is unlocked.
	ownedEvery = 7
)

// Facets are the facets of every search.
var Facets = []index.Facet{
	"countries", "industries", "technologies", "technology_categories", "employee_count",
}

// Kind is the type of an operation.
type Kind uint8

// The kinds of operations.
const (
	Search Kind = iota // how many there are, the first Page of them, and the Facets
	Select             // the first Selection numbers
	Split              // these, and how many of them are unlocked
	Price              // how many there are, and how many of all of them are unlocked
	Buy                // an export of BuyRows companies that are not unlocked; only in Mix, because it changes what is unlocked
)

// BuyRows is the number of companies that Buy buys.
const BuyRows = 20

// Op is one operation.
type Op struct {
	Name    string
	About   string // what it is, for readers of a table
	Kind    Kind
	Filters query.Filters
	Query   query.Query
	Sort    query.Sort
}

// ByRelevance reports whether the answer is sorted by the contender's own relevance.
func (o Op) ByRelevance() bool { return o.Sort.By == query.ByRelevance }

// Workload is companies numbered from 1 to Len, and the operations on them.
type Workload struct {
	Len  int
	Ops  []Op
	made *indextest.Workload
}

var about = []string{
	"everything", "one country, a quarter of all", "countries, industries, technologies, a size range", "one word",
	"two words and a country", "a category, not four industries, two ranges", "a phrase or another", "a connection",
}

// New prepares the workload of n companies.
func New(n int) (*Workload, error) {
	w := &Workload{Len: n, made: indextest.NewWorkload(n)}
	for i, s := range w.made.Searches() {
		q, err := query.Parse(s.Filters)
		if err != nil {
			return nil, fmt.Errorf("search %s: %w", s.Name, err)
		}
		w.Ops = append(w.Ops, Op{s.Name[:2], about[i], Search, s.Filters, q, s.Sort})
	}
	quarter, word := w.Ops[1], w.Ops[3]
	for _, e := range []struct {
		name, about string
		kind        Kind
		of          Op
	}{
		{"E1", "10,000 of Q2 by size", Select, quarter},
		{"E2", "10,000 of Q4 by relevance", Select, word},
		{"E1+split", "E1, and how many of them are unlocked", Split, quarter},
		{"E3", "exact price of all of Q2", Price, quarter},
	} {
		op := e.of
		op.Name, op.About, op.Kind = e.name, e.about, e.kind
		w.Ops = append(w.Ops, op)
	}
	return w, nil
}

// Searches returns the searches.
func (w *Workload) Searches() (ops []Op) {
	for _, op := range w.Ops {
		if op.Kind == Search {
			ops = append(ops, op)
		}
	}
	return ops
}

// Mix returns what a client of the API asks for: 20 operations, of which 16 are searches, 3 are quotes and one is an export.
func (w *Workload) Mix() []Op {
	ops := append(w.Searches(), w.Searches()...)
	for _, op := range w.Ops {
		if op.Kind == Split {
			ops = append(ops, op, op, op)
		}
	}
	buy := w.Ops[0]
	buy.Name, buy.About, buy.Kind = "Buy", "an export of 20 companies", Buy
	return append(ops, buy)
}

// Op returns the operation with a name.
func (w *Workload) Op(name string) (Op, bool) {
	for _, op := range w.Ops {
		if op.Name == name {
			return op, true
		}
	}
	return Op{}, false
}

// Owned returns the companies that the workspace has unlocked.
func (w *Workload) Owned() company.Set {
	numbers := make([]company.Number, 0, w.Len/ownedEvery+1)
	for n := 1; n <= w.Len; n += ownedEvery {
		numbers = append(numbers, company.Number(n))
	}
	return company.SetOf(numbers...)
}
