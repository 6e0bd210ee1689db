package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"

	"github.com/opencapi/capi/bench/workload"
)

// Ask answers op: a selection and its split with a quote, anything else with a search.
func (s *server) Ask(ctx context.Context, op workload.Op) (workload.Answer, error) {
	filters, sort := filtersOf(op.Filters), sortName(op.Sort)
	if op.Kind == workload.Select || op.Kind == workload.Split {
		quote, err := s.client.Quote(ctx, client.ExportRequest{SearchFilters: &filters, SortBy: sort, SortOrder: "desc"})
		if err != nil {
			return workload.Answer{}, err
		}
		answer := workload.Answer{Total: quote.RequestedCount}
		if op.Kind == workload.Split {
			answer.Owned = quote.AlreadyUnlocked
		}
		return answer, nil
	}
	request := searchOf(op)
	if op.Kind == workload.Price {
		request.Limit, request.Facets = 1, []string{}
	}
	found, err := s.client.Search(ctx, request)
	if err != nil {
		return workload.Answer{}, err
	}
	answer := workload.Answer{Total: found.Total}
	if op.Kind == workload.Price {
		answer.Owned = found.Credits.AlreadyUnlocked
		return answer, nil
	}
	answer.Facets = facetsOf(found.Aggregations)
	answer.Rows, err = numbersOf(found.Items)
	return answer, err
}

// searchOf returns the request for a search, with all facets.
func searchOf(op workload.Op) client.SearchRequest {
	return client.SearchRequest{
		Filters: filtersOf(op.Filters), SortBy: sortName(op.Sort), SortOrder: "desc", Limit: workload.Page, Facets: facetNames(),
	}
}

func filtersOf(f query.Filters) client.Filters {
	out := client.Filters{
		Query: f.Query, Countries: f.Countries, Industries: f.Industries, ExcludeIndustries: f.ExcludeIndustries,
		Technologies: f.Technologies, TechnologyCategories: f.TechnologyCategories, Keywords: f.Keywords,
		EmployeeCountMin: f.EmployeeCountMin, EmployeeCountMax: f.EmployeeCountMax,
		FoundedYearMin: f.FoundedYearMin, FoundedYearMax: f.FoundedYearMax,
	}
	for _, c := range f.Connections {
		out.Connections = append(out.Connections, client.ConnectionFilter(c))
	}
	return out
}

func sortName(s query.Sort) string {
	if s.By == query.ByRelevance {
		return "relevance"
	}
	return "employee_count"
}

func facetNames() []string {
	names := make([]string, len(workload.Facets))
	for i, f := range workload.Facets {
		names[i] = string(f)
	}
	return names
}

func facetsOf(a client.Aggregations) [][]index.Count {
	facets := make([][]index.Count, 0, len(workload.Facets))
	for _, counts := range [][]client.Count{a.Countries, a.Industries, a.Technologies, a.TechnologyCategories} {
		values := make([]index.Count, len(counts))
		for i, c := range counts {
			values[i] = index.Count{Value: c.Value, Count: c.Count}
		}
		facets = append(facets, workload.SortFacet(values))
	}
	var sizes []index.Count
	for _, b := range a.EmployeeCount {
		first := int64(0)
		if b.Min != nil {
			first = *b.Min
		}
		sizes = append(sizes, index.Count{Value: strconv.FormatInt(first, 10), Count: b.Count})
	}
	return append(facets, workload.SortFacet(sizes))
}

// numbersOf extracts the company numbers from the domains.
func numbersOf(items []client.Company) ([]company.Number, error) {
	numbers := make([]company.Number, len(items))
	for i, c := range items {
		if c.Domain == nil {
			return nil, fmt.Errorf("company %s has no domain", c.ID)
		}
		digits, _, _ := strings.Cut(strings.TrimPrefix(*c.Domain, "c"), ".")
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("domain %s: %w", *c.Domain, err)
		}
		numbers[i] = company.Number(n)
	}
	return numbers, nil
}
