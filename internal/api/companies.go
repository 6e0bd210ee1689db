package api

import (
	"context"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// SearchRequest is a search: its filters, its order, its page.
type SearchRequest struct {
	Filters
	SortBy    string `json:"sort_by,omitempty" enum:"relevance,employee_count,name,founded_year,updated_at" doc:"Defaults to relevance with a query, else employee_count. Unknown values come last in both orders."`
	SortOrder string `json:"sort_order,omitempty" enum:"asc,desc" doc:"Defaults to desc, for name to asc."`
	Cursor    string `json:"cursor,omitempty" doc:"next_cursor of the page before, with the same filters and sort; null for the first page."`
	Limit     *int   `json:"limit,omitempty" minimum:"1" maximum:"100" default:"25" doc:"Companies on the page."`

	query query.Query
	sort  query.Sort
}

func (b *SearchRequest) resolve() []fault.FieldError {
	var faults, more []fault.FieldError
	b.query, faults = b.parse("")
	b.sort, more = parseSort(b.SortBy, b.SortOrder, b.Query != "")
	return append(faults, more...)
}

// SearchResponse is one page of a search, and what holds for all matches.
type SearchResponse struct {
	Items        []Company    `json:"items"`
	Total        int          `json:"total" doc:"Matches in all, exact."`
	Aggregations Aggregations `json:"aggregations"`
	NextCursor   *string      `json:"next_cursor" doc:"Continues behind the page; null at the end."`
	Warnings     []Warning    `json:"warnings" doc:"Values of filters that no company has."`
	Credits      Price        `json:"credits"`
}

// Price is what exporting all matches would cost.
type Price struct {
	AlreadyUnlocked int `json:"already_unlocked" doc:"Matches that the workspace has already: free."`
	NewCount        int `json:"new_count" doc:"Matches that would cost one credit each."`
}

// Warning is a value of a filter that no company has.
type Warning struct {
	Field      string  `json:"field" example:"countries"`
	Value      string  `json:"value" doc:"As it was sent, its first 100 characters." example:"Germny"`
	Message    string  `json:"message"`
	Suggestion *string `json:"suggestion" doc:"What may have been meant; null if nothing is near." example:"Germany"`
}

// Aggregations are exact counts over all matches, highest first; bands are in their own order.
type Aggregations struct {
	Countries            []Count `json:"countries"`
	States               []Count `json:"states"`
	Cities               []Count `json:"cities"`
	Industries           []Count `json:"industries"`
	NAICSCodes           []Count `json:"naics_codes" doc:"By sector, the first two digits."`
	Technologies         []Count `json:"technologies"`
	TechnologyCategories []Count `json:"technology_categories"`
	EmployeeCount        []Band  `json:"employee_count"`
	FoundedYear          []Band  `json:"founded_year"`
}

// Count is one value of a facet.
type Count struct {
	Value string `json:"value" example:"Germany"`
	Count int    `json:"count" example:"812"`
}

// Band is a span of numbers, both ends included; null is open.
type Band struct {
	Min   *int64 `json:"min"`
	Max   *int64 `json:"max"`
	Count int    `json:"count"`
}

type searchInput struct{ Body SearchRequest }

func (s *server) searchCompanies(ctx context.Context, caller auth.Caller, in *searchInput) (*SearchResponse, error) {
	found, err := s.Search.Search(ctx, caller.Workspace, search.Request{
		Query: in.Body.query, Sort: in.Body.sort, Limit: orPageSize(in.Body.Limit), Cursor: in.Body.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &SearchResponse{
		Items: companiesOf(found.Items), Total: found.Total, Aggregations: aggregationsOf(found.Facets),
		NextCursor: orNull(found.NextCursor), Warnings: warningsOf(found.Warnings), Credits: Price(found.Credits),
	}, nil
}

func warningsOf(found []search.Warning) []Warning {
	warnings := make([]Warning, len(found))
	for i, w := range found {
		warnings[i] = Warning(w)
	}
	return warnings
}

func aggregationsOf(f search.Facets) Aggregations {
	return Aggregations{
		Countries: countsOf(f.Countries), States: countsOf(f.States), Cities: countsOf(f.Cities),
		Industries: countsOf(f.Industries), NAICSCodes: countsOf(f.NAICSCodes),
		Technologies: countsOf(f.Technologies), TechnologyCategories: countsOf(f.TechnologyCategories),
		EmployeeCount: bandsOf(f.EmployeeCount), FoundedYear: bandsOf(f.FoundedYear),
	}
}

func countsOf(found []search.Count) []Count {
	counts := make([]Count, len(found))
	for i, c := range found {
		counts[i] = Count(c)
	}
	return counts
}

func bandsOf(found []search.Band) []Band {
	bands := make([]Band, len(found))
	for i, b := range found {
		bands[i] = Band(b)
	}
	return bands
}

type companyInput struct {
	Company id.Company `path:"company_id" format:"uuid"`
}

func (s *server) getCompany(ctx context.Context, caller auth.Caller, in *companyInput) (*CompanyDetail, error) {
	found, err := s.Search.Company(ctx, caller.Workspace, in.Company)
	if err != nil {
		return nil, err
	}
	return detailOf(found), nil
}
