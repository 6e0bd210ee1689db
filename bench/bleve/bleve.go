// Package bleve is Bleve (scorch) as a contender: its own facets, sorts, phrases and scores.
package bleve

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// Kind is Bleve.
var Kind = contender.Kind{Name: "Bleve", About: "scorch, default settings, no stored fields", Store: "bleve", Load: load, Open: open}

// fields are the facet fields in the order of workload.Facets.
var fields = []string{"country", "industries", "technologies", "categories", "employees"}

// library is an open index.
type library struct {
	index    bleve.Index
	searches map[string]*bleve.SearchRequest // by operation
	owned    company.Set
	numbers  []company.Number // by Bleve's own document number
}

func open(_ context.Context, w *workload.Workload, dir string) (contender.Contender, error) {
	ix, err := bleve.OpenUsing(filepath.Join(dir, "index"), map[string]any{"read_only": true})
	if err != nil {
		return nil, err
	}
	x := &library{ix, map[string]*bleve.SearchRequest{}, w.Owned(), nil}
	for _, op := range w.Ops {
		x.searches[op.Name] = request(op)
	}
	x.numbers, err = numbersOf(ix)
	return x, err
}

func (x *library) Close() error { return x.index.Close() }

// numbersOf reads the company number of every document, so that pricing needs no document look-up per match.
func numbersOf(ix bleve.Index) ([]company.Number, error) {
	advanced, err := ix.Advanced()
	if err != nil {
		return nil, err
	}
	reader, err := advanced.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	all, err := reader.DocIDReaderAll()
	if err != nil {
		return nil, err
	}
	defer all.Close()
	var numbers []company.Number
	for {
		inner, err := all.Next()
		if err != nil || inner == nil {
			return numbers, err
		}
		outer, err := reader.ExternalID(inner)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(outer, 10, 32)
		if err != nil {
			return nil, err
		}
		at := int(binary.BigEndian.Uint64(inner))
		for len(numbers) <= at {
			numbers = append(numbers, 0)
		}
		numbers[at] = company.Number(n)
	}
}

func request(op workload.Op) *bleve.SearchRequest {
	r := bleve.NewSearchRequestOptions(matching(op), workload.Page, 0, false)
	if op.ByRelevance() {
		r.SortByCustom(search.SortOrder{&search.SortScore{Desc: true}, &search.SortDocID{}})
	} else {
		r.SortByCustom(search.SortOrder{
			&search.SortField{Field: "employees", Type: search.SortFieldAsNumber, Desc: true, Missing: search.SortFieldMissingLast},
			&search.SortDocID{},
		})
		r.Score = "none"
	}
	switch op.Kind {
	case workload.Select, workload.Split:
		r.Size = workload.Selection
	case workload.Price:
		r.Size = 0
	default:
		addFacets(r)
	}
	return r
}

func addFacets(r *bleve.SearchRequest) {
	for _, field := range fields {
		facet := bleve.NewFacetRequest(field, workload.FacetValues)
		if field == "employees" {
			for i, first := range workload.Bands {
				low, high := float64(first), (*float64)(nil)
				if i+1 < len(workload.Bands) {
					next := float64(workload.Bands[i+1])
					high = &next
				}
				facet.AddNumericRange(strconv.FormatInt(first, 10), &low, high)
			}
		}
		r.AddFacet(field, facet)
	}
}

// matching returns the operation's filters as a query.
func matching(op workload.Op) query.Query {
	f := op.Filters
	var parts []query.Query
	for field, values := range map[string][]string{
		"country": f.Countries, "industries": f.Industries, "technologies": f.Technologies, "categories": f.TechnologyCategories,
	} {
		if len(values) > 0 {
			parts = append(parts, anyOf(field, values))
		}
	}
	parts = append(parts, between("employees", f.EmployeeCountMin, f.EmployeeCountMax)...)
	parts = append(parts, between("founded", f.FoundedYearMin, f.FoundedYearMax)...)
	for _, c := range f.Connections {
		parts = append(parts, term("connections", c.Category+" "+c.ConnectedDomain))
	}
	for _, word := range strings.Fields(f.Query) {
		parts = append(parts, inText([]string{word}))
	}
	if len(f.Keywords) > 0 {
		var phrases []query.Query
		for _, phrase := range f.Keywords {
			phrases = append(phrases, inText(strings.Fields(phrase)))
		}
		parts = append(parts, bleve.NewDisjunctionQuery(phrases...))
	}
	if len(f.ExcludeIndustries) > 0 {
		not := bleve.NewBooleanQuery()
		not.AddMust(parts...)
		not.AddMustNot(anyOf("industries", f.ExcludeIndustries))
		return not
	}
	switch len(parts) {
	case 0:
		return bleve.NewMatchAllQuery()
	case 1:
		return parts[0]
	}
	return bleve.NewConjunctionQuery(parts...)
}

func anyOf(field string, values []string) query.Query {
	terms := make([]query.Query, len(values))
	for i, v := range values {
		terms[i] = term(field, v)
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return bleve.NewDisjunctionQuery(terms...)
}

func term(field, value string) query.Query {
	q := bleve.NewTermQuery(value)
	q.SetField(field)
	return q
}

func between(field string, low, high *int64) []query.Query {
	if low == nil && high == nil {
		return nil
	}
	inclusive := true
	q := bleve.NewNumericRangeInclusiveQuery(float(low), float(high), &inclusive, &inclusive)
	q.SetField(field)
	return []query.Query{q}
}

func float(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// inText finds a word or a phrase in the name, which weighs three times as much, or in the description.
func inText(words []string) query.Query {
	in := func(field string, boost float64) query.Query {
		if len(words) == 1 {
			q := bleve.NewTermQuery(words[0])
			q.SetField(field)
			q.SetBoost(boost)
			return q
		}
		q := bleve.NewPhraseQuery(words, field)
		q.SetBoost(boost)
		return q
	}
	return bleve.NewDisjunctionQuery(in("name", 3), in("description", 1))
}

func (x *library) Ask(ctx context.Context, op workload.Op) (workload.Answer, error) {
	if op.Kind == workload.Price {
		return x.price(ctx, op)
	}
	r := *x.searches[op.Name]
	found, err := x.index.SearchInContext(ctx, &r)
	if err != nil {
		return workload.Answer{}, err
	}
	answer := workload.Answer{Total: int(found.Total), Rows: make([]company.Number, len(found.Hits))}
	for i, hit := range found.Hits {
		n, err := strconv.ParseUint(hit.ID, 10, 32)
		if err != nil {
			return answer, fmt.Errorf("document %s: %w", hit.ID, err)
		}
		answer.Rows[i] = company.Number(n)
	}
	if op.Kind == workload.Search {
		answer.Facets = facetsOf(found.Facets)
	}
	if op.Kind == workload.Split {
		answer.Owned = company.SetOf(answer.Rows...).AndLen(x.owned)
	}
	return answer, nil
}

// price counts each match as it is found, without ranking.
func (x *library) price(ctx context.Context, op workload.Op) (answer workload.Answer, err error) {
	count := func(*search.SearchContext) (search.DocumentMatchHandler, bool, error) {
		return func(hit *search.DocumentMatch) error {
			if hit == nil {
				return nil // the end
			}
			answer.Total++
			if x.owned.Has(x.numbers[binary.BigEndian.Uint64(hit.IndexInternalID)]) {
				answer.Owned++
			}
			return nil
		}, false, nil
	}
	ctx = context.WithValue(ctx, search.MakeDocumentMatchHandlerKey, search.MakeDocumentMatchHandler(count))
	r := *x.searches[op.Name]
	_, err = x.index.SearchInContext(ctx, &r)
	return answer, err
}

func facetsOf(found search.FacetResults) [][]index.Count {
	facets := make([][]index.Count, len(fields))
	for i, field := range fields {
		result := found[field]
		if result == nil {
			continue
		}
		for _, t := range result.Terms.Terms() {
			facets[i] = append(facets[i], index.Count{Value: t.Term, Count: t.Count})
		}
		for _, r := range result.NumericRanges {
			if r.Count > 0 {
				facets[i] = append(facets[i], index.Count{Value: r.Name, Count: r.Count})
			}
		}
		facets[i] = workload.SortFacet(facets[i])
	}
	return facets
}
