package api

import (
	"context"
	"fmt"
	"slices"
	"time"

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

	Facets      *[]string    `json:"facets,omitempty" doc:"The aggregations to count, by name; the others are left out of the answer. Defaults to all; an empty list counts none, which is the fastest." example:"[\"industries\"]"`
	FacetPrefix *FacetPrefix `json:"facet_prefix,omitempty" doc:"Narrows one aggregation to the values that begin so, to complete what someone types into a filter."`

	query  query.Query
	sort   query.Sort
	facets []search.Facet
	prefix search.FacetPrefix
}

// FacetPrefix narrows one aggregation to the values that begin alike.
type FacetPrefix struct {
	Facet  string `json:"facet" enum:"countries,states,cities,industries,naics_codes,technologies,technology_categories" doc:"The aggregation to narrow."`
	Prefix string `json:"prefix" minLength:"1" maxLength:"1000" doc:"What the values begin with, in any letter case, with or without accents." example:"soft"`
}

func (b *SearchRequest) Resolve() []fault.FieldError {
	var faults, more []fault.FieldError
	b.query, faults = b.parse("")
	b.sort, more = parseSort(b.SortBy, b.SortOrder, b.Query != "")
	return slices.Concat(faults, more, b.resolveFacets())
}

func (b *SearchRequest) resolveFacets() (faults []fault.FieldError) {
	if b.Facets != nil {
		b.facets = []search.Facet{}
		for i, name := range *b.Facets {
			f, ok := search.ParseFacet(name)
			if !ok {
				faults = append(faults, unknownFacet(fmt.Sprintf("facets[%d]", i), name))
			}
			b.facets = append(b.facets, f)
		}
	}
	if p := b.FacetPrefix; p != nil {
		f, ok := search.ParseFacet(p.Facet)
		switch {
		case !ok:
			faults = append(faults, unknownFacet("facet_prefix.facet", p.Facet))
		case b.Facets != nil && !slices.Contains(b.facets, f):
			faults = append(faults, fault.FieldError{
				Field: "facet_prefix.facet", Message: p.Facet + " is not among the facets asked for",
			})
		}
		b.prefix = search.FacetPrefix{Facet: f, Text: p.Prefix}
	}
	return faults
}

func unknownFacet(field, name string) fault.FieldError {
	message := fmt.Sprintf("%q is no aggregation", name)
	if near := search.NearestFacet(name); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return fault.FieldError{Field: field, Message: message}
}

// SearchResponse is one page of a search, and what holds for all matches.
type SearchResponse struct {
	Items        []Company    `json:"items"`
	Total        int          `json:"total" doc:"Matches in all, exact."`
	Aggregations Aggregations `json:"aggregations"`
	NextCursor   *string      `json:"next_cursor" doc:"Continues behind the page; null at the end."`
	Warnings     []Warning    `json:"warnings" doc:"Values of filters that no company has."`
	Credits      Price        `json:"credits"`

	indexTook, catalogTook time.Duration
}

func (r *SearchResponse) serverTiming() string { return timing(r.indexTook, r.catalogTook) }

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

// Aggregations are exact counts over all matches, highest first; bands are in their own order. Those that the search
// does not ask for are missing.
type Aggregations struct {
	Countries            []Count `json:"countries,omitzero"`
	States               []Count `json:"states,omitzero"`
	Cities               []Count `json:"cities,omitzero"`
	Industries           []Count `json:"industries,omitzero"`
	NAICSCodes           []Count `json:"naics_codes,omitzero" doc:"By sector, the first two digits."`
	Technologies         []Count `json:"technologies,omitzero"`
	TechnologyCategories []Count `json:"technology_categories,omitzero"`
	EmployeeCount        []Band  `json:"employee_count,omitzero"`
	FoundedYear          []Band  `json:"founded_year,omitzero"`
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
		Facets: in.Body.facets, FacetPrefix: in.Body.prefix,
	})
	if err != nil {
		return nil, err
	}
	return &SearchResponse{
		Items: companiesOf(found.Items), Total: found.Total, Aggregations: aggregationsOf(found.Facets, in.Body.facets),
		NextCursor: orNull(found.NextCursor), Warnings: warningsOf(found.Warnings), Credits: Price(found.Credits),
		indexTook: found.IndexTook, catalogTook: found.CatalogTook,
	}, nil
}

func warningsOf(found []search.Warning) []Warning {
	warnings := make([]Warning, len(found))
	for i, w := range found {
		warnings[i] = Warning(w)
	}
	return warnings
}

// aggregationsOf leaves out what was not asked for; nil asks for all.
func aggregationsOf(f search.Facets, asked []search.Facet) Aggregations {
	a := Aggregations{
		Countries: countsOf(f.Countries), States: countsOf(f.States), Cities: countsOf(f.Cities),
		Industries: countsOf(f.Industries), NAICSCodes: countsOf(f.NAICSCodes),
		Technologies: countsOf(f.Technologies), TechnologyCategories: countsOf(f.TechnologyCategories),
		EmployeeCount: bandsOf(f.EmployeeCount), FoundedYear: bandsOf(f.FoundedYear),
	}
	if asked == nil {
		return a
	}
	for i, counts := range []*[]Count{
		&a.Countries, &a.States, &a.Cities, &a.Industries, &a.NAICSCodes, &a.Technologies, &a.TechnologyCategories,
	} {
		if !slices.Contains(asked, search.Facet(i)) {
			*counts = nil
		}
	}
	if !slices.Contains(asked, search.FacetEmployeeCount) {
		a.EmployeeCount = nil
	}
	if !slices.Contains(asked, search.FacetFoundedYear) {
		a.FoundedYear = nil
	}
	return a
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
