package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// SearchRequest is a search: filters, sort, page and facets.
type SearchRequest struct {
	Filters
	SortBy    string `json:"sort_by,omitempty" enum:"relevance,employee_count,name,founded_year,updated_at" doc:"Defaults to relevance with a query, else to employee_count. Companies without a value come last in both orders."`
	SortOrder string `json:"sort_order,omitempty" enum:"asc,desc" doc:"Defaults to desc, and to asc for name."`
	Cursor    string `json:"cursor,omitempty" doc:"next_cursor of the previous page, sent with the same filters and sort; null for the first page."`
	Limit     *int   `json:"limit,omitempty" minimum:"1" maximum:"100" default:"25" doc:"Companies on a page."`

	Facets      *[]string    `json:"facets,omitempty" doc:"The aggregations to compute; the others are left out of the response. Defaults to all. An empty list computes none, which is fastest." example:"[\"industries\"]"`
	FacetPrefix *FacetPrefix `json:"facet_prefix,omitempty" doc:"Restricts one aggregation to values with a prefix, for autocompletion of a filter."`

	FacetPrices bool `json:"facet_prices,omitempty" default:"false" doc:"Adds new_count to every value and band: how many of its matches would cost a credit."`

	query  query.Query
	sort   query.Sort
	facets []search.Facet
	prefix search.FacetPrefix
}

// FacetPrefix restricts one aggregation to values with a prefix.
type FacetPrefix struct {
	Facet  string `json:"facet" doc:"The aggregation to restrict."`
	Prefix string `json:"prefix" minLength:"1" maxLength:"1000" doc:"The prefix, compared without letter case and accents." example:"soft"`
}

// TransformSchema lists the facets that have values to complete.
func (*FacetPrefix) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, f := range search.AllFacets() {
		if !f.HasBands() {
			s.Properties["facet"].Enum = append(s.Properties["facet"].Enum, string(f))
		}
	}
	return s
}

// Resolve parses filters, sort and facets.
func (b *SearchRequest) Resolve() []fault.FieldError {
	var errs, more []fault.FieldError
	b.query, errs = b.parse("")
	b.sort, more = parseSort(b.SortBy, b.SortOrder, b.Query != "")
	return slices.Concat(errs, more, b.resolveFacets())
}

func (b *SearchRequest) resolveFacets() (errs []fault.FieldError) {
	if b.Facets != nil {
		b.facets = []search.Facet{}
		for i, name := range *b.Facets {
			f, ok := search.ParseFacet(name)
			if !ok {
				errs = append(errs, unknownFacet(fmt.Sprintf("facets[%d]", i), name))
			}
			b.facets = append(b.facets, f)
		}
	}
	if p := b.FacetPrefix; p != nil {
		f, ok := search.ParseFacet(p.Facet)
		switch {
		case !ok:
			errs = append(errs, unknownFacet("facet_prefix.facet", p.Facet))
		case b.Facets != nil && !slices.Contains(b.facets, f):
			errs = append(errs, fault.FieldError{
				Field: "facet_prefix.facet", Message: p.Facet + " is not in facets; add it there",
			})
		}
		b.prefix = search.FacetPrefix{Facet: f, Text: p.Prefix}
	}
	return errs
}

// unknownFacet returns the error for a name that is not a facet. The parameter of a filter, such as has, means its facet.
func unknownFacet(field, name string) fault.FieldError {
	var names []string
	for _, f := range search.AllFacets() {
		names = append(names, string(f))
	}
	message := fmt.Sprintf("%q is not an aggregation; the aggregations are %s", name, strings.Join(names, ", "))
	near := search.NearestFacet(name)
	if f, ok := search.FacetOf(name); ok {
		near = string(f)
	}
	if near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return fault.FieldError{Field: field, Message: message}
}

// SearchResponse is one page of a search, with the total, aggregations and price of all matches.
type SearchResponse struct {
	Items         []Company    `json:"items" doc:"The companies of this page, in the requested order."`
	Total         int          `json:"total" doc:"All matches, exact."`
	ExcludedCount int          `json:"excluded_count" doc:"Further matches that are left out of everything because they are on an excluded list."`
	Aggregations  Aggregations `json:"aggregations" doc:"Exact counts over all matches, not only those of this page."`
	NextCursor    *string      `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
	Warnings      []Warning    `json:"warnings" doc:"Filter values and words that no company has, values that are both included and excluded, and operators that mean nothing in query."`
	Credits       Price        `json:"credits" doc:"What exporting all matches would cost."`

	indexTook, catalogTook time.Duration
}

func (r *SearchResponse) serverTiming() string { return timing(r.indexTook, r.catalogTook) }

// Price is the cost of exporting all matches.
type Price struct {
	AlreadyUnlocked int `json:"already_unlocked" doc:"Matches that the workspace has unlocked already; they are free."`
	NewCount        int `json:"new_count" doc:"Matches that would cost one credit each."`
}

// Warning is a filter value that no company has, or that is both included and excluded.
type Warning struct {
	Field      string  `json:"field" doc:"The parameter that the warning is about." example:"countries"`
	Value      string  `json:"value" doc:"The value as sent, cut to 100 characters." example:"Germny"`
	Message    string  `json:"message" doc:"What is odd about the value, for people."`
	Suggestion *string `json:"suggestion" doc:"The nearest known value, or null." example:"Germany"`
}

// Aggregations are exact counts over all matches, highest first; bands are in ascending order. Aggregations that were not
// requested are missing, and so are those of locked fields.
type Aggregations struct {
	asked  []search.Facet // nil for all but the hidden ones
	hidden []search.Facet
	counts search.Facets
	priced bool
}

// MarshalJSON writes what was asked for in the order of the facets.
func (a Aggregations) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, f := range search.AllFacets() {
		if a.asked != nil && !slices.Contains(a.asked, f) || slices.Contains(a.hidden, f) {
			continue
		}
		var counts any = countsOf(a.counts.Values[f], a.priced)
		if f.HasBands() {
			counts = bandsOf(a.counts.Bands[f], a.priced)
		}
		p, err := json.Marshal(counts)
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", f, p)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// TransformSchema gives every facet its property.
func (*Aggregations) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties = map[string]*huma.Schema{}
	for _, f := range search.AllFacets() {
		of := reflect.TypeFor[[]Count]()
		if f.HasBands() {
			of = reflect.TypeFor[[]Band]()
		}
		property := r.Schema(of, true, string(f))
		property.Description = describeFacet(f)
		s.Properties[string(f)] = property
	}
	return s
}

func describeFacet(f search.Facet) string {
	switch {
	case f.HasBands():
		return fmt.Sprintf("How many matches have a %s in each band.", f)
	case f.Field() == query.FieldNAICS:
		return "How many matches are in each NAICS sector, which is the first two digits of the code."
	case f.Field() == query.FieldKnown:
		return "How many matches have a known value of each field."
	}
	return fmt.Sprintf("How many matches have each of the %s.", strings.ReplaceAll(string(f), "_", " "))
}

// Count is one value of a facet.
type Count struct {
	Value string `json:"value" doc:"A value of the field." example:"Germany"`
	Count int    `json:"count" doc:"Matches that have the value." example:"812"`

	NewCount *int `json:"new_count,omitempty" doc:"Of these, the ones that would cost one credit each; only with facet_prices."`
}

// Band is a range of numbers with both ends included; a null end is open.
type Band struct {
	Min   *int64 `json:"min" doc:"The smallest number of the band; null if it has no lower end."`
	Max   *int64 `json:"max" doc:"The largest number of the band; null if it has no upper end."`
	Count int    `json:"count" doc:"Matches in the band."`

	NewCount *int `json:"new_count,omitempty" doc:"Of these, the ones that would cost one credit each; only with facet_prices."`
}

type searchInput struct{ Body SearchRequest }

func (s *server) searchCompanies(ctx context.Context, caller auth.Caller, in *searchInput) (*SearchResponse, error) {
	found, err := s.Search.Search(ctx, caller, search.Request{
		Query: in.Body.query, Sort: in.Body.sort, Limit: orPageSize(in.Body.Limit), Cursor: in.Body.Cursor,
		Facets: in.Body.facets, FacetPrefix: in.Body.prefix, FacetOwned: in.Body.FacetPrices,
	})
	if err != nil {
		return nil, err
	}
	return &SearchResponse{
		Items: companiesOf(found.Items), Total: found.Total, ExcludedCount: found.Excluded, Aggregations: Aggregations{in.Body.facets, found.Hidden, found.Facets, in.Body.FacetPrices},
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

func countsOf(found []search.Count, priced bool) []Count {
	counts := make([]Count, len(found))
	for i, c := range found {
		counts[i] = Count{Value: c.Value, Count: c.Count, NewCount: newCount(c.Count, c.Owned, priced)}
	}
	return counts
}

func bandsOf(found []search.Band, priced bool) []Band {
	bands := make([]Band, len(found))
	for i, b := range found {
		bands[i] = Band{Min: b.Min, Max: b.Max, Count: b.Count, NewCount: newCount(b.Count, b.Owned, priced)}
	}
	return bands
}

// newCount returns how many of the companies are not owned; nil if the request did not ask for prices.
func newCount(all, owned int, priced bool) *int {
	if !priced {
		return nil
	}
	return new(all - owned)
}

type companyInput struct {
	Company id.Company `path:"company_id" format:"uuid" doc:"The id of the company, from a search or a file."`
}

func (s *server) getCompany(ctx context.Context, caller auth.Caller, in *companyInput) (*CompanyDetail, error) {
	found, err := s.Search.Company(ctx, caller, in.Company)
	if err != nil {
		return nil, err
	}
	return detailOf(found), nil
}
