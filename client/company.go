package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Filters select companies. A company must match every parameter given, and one of the values of each list.
type Filters struct {
	Query                       string             `json:"query,omitempty"`
	Prefix                      bool               `json:"prefix,omitempty"`
	Countries                   []string           `json:"countries,omitempty"`
	ExcludeCountries            []string           `json:"exclude_countries,omitempty"`
	States                      []string           `json:"states,omitempty"`
	ExcludeStates               []string           `json:"exclude_states,omitempty"`
	Cities                      []string           `json:"cities,omitempty"`
	ExcludeCities               []string           `json:"exclude_cities,omitempty"`
	Industries                  []string           `json:"industries,omitempty"`
	ExcludeIndustries           []string           `json:"exclude_industries,omitempty"`
	NAICSCodes                  []string           `json:"naics_codes,omitempty"`
	ExcludeNAICSCodes           []string           `json:"exclude_naics_codes,omitempty"`
	Technologies                []string           `json:"technologies,omitempty"`
	ExcludeTechnologies         []string           `json:"exclude_technologies,omitempty"`
	TechnologyCategories        []string           `json:"technology_categories,omitempty"`
	ExcludeTechnologyCategories []string           `json:"exclude_technology_categories,omitempty"`
	EmployeeCountMin            *int64             `json:"employee_count_min,omitempty"`
	EmployeeCountMax            *int64             `json:"employee_count_max,omitempty"`
	FoundedYearMin              *int64             `json:"founded_year_min,omitempty"`
	FoundedYearMax              *int64             `json:"founded_year_max,omitempty"`
	Keywords                    []string           `json:"keywords,omitempty"`
	ExcludeKeywords             []string           `json:"exclude_keywords,omitempty"`
	Has                         []string           `json:"has,omitempty"`     // names of fields, such as domain: a known value of each
	Missing                     []string           `json:"missing,omitempty"` // names of fields: no known value of any
	Connections                 []ConnectionFilter `json:"connections,omitempty"`
	In                          []SetRef           `json:"in,omitempty"`          // in any of these sets
	NotIn                       []SetRef           `json:"not_in,omitempty"`      // in none of these sets
	AddedSince                  string             `json:"added_since,omitempty"` // a time in RFC 3339, or the id of an export
	ChangedSince                string             `json:"changed_since,omitempty"`
}

// SetRef is a set of companies. Exactly one member is set.
type SetRef struct {
	Search        *Filters `json:"search,omitempty"`
	ListID        string   `json:"list_id,omitempty"`
	SavedSearchID string   `json:"saved_search_id,omitempty"`
	ExportID      string   `json:"export_id,omitempty"`
	MatchID       string   `json:"match_id,omitempty"`  // of a MatchResult
	Owned         bool     `json:"owned,omitempty"`     // the companies that the workspace owns
	Companies     []string `json:"companies,omitempty"` // ids
	AnyOf         []SetRef `json:"any_of,omitempty"`
	AllOf         []SetRef `json:"all_of,omitempty"`
	Not           *SetRef  `json:"not,omitempty"`
}

// ConnectionFilter selects companies that have a connection which matches every part given.
type ConnectionFilter struct {
	Category           string `json:"category,omitempty"`
	ConnectedCompanyID string `json:"connected_company_id,omitempty"`
	ConnectedDomain    string `json:"connected_domain,omitempty"`
}

// SearchRequest is a search: filters, sort order and page.
type SearchRequest struct {
	Filters
	SortBy    string `json:"sort_by,omitempty"`
	SortOrder string `json:"sort_order,omitempty"`
	Cursor    string `json:"cursor,omitempty"`
	Limit     int    `json:"limit,omitempty"`

	Facets      []string     `json:"facets,omitzero"` // the aggregations to return; nil for all
	FacetPrefix *FacetPrefix `json:"facet_prefix,omitempty"`
	FacetPrices bool         `json:"facet_prices,omitempty"` // also count what is new by value
}

// FacetPrefix limits one aggregation to the values that begin with Prefix.
type FacetPrefix struct {
	Facet  string `json:"facet"`
	Prefix string `json:"prefix"`
}

// Company is one company. An unknown value is nil. Searches leave out Connections and Attributes.
type Company struct {
	ID                   string         `json:"id"`
	Name                 string         `json:"name"`
	Domain               *string        `json:"domain"`
	Website              *string        `json:"website"`
	LinkedInURL          *string        `json:"linkedin_url"`
	Description          *string        `json:"description"`
	Country              *string        `json:"country"`
	CountryCode          *string        `json:"country_code"`
	State                *string        `json:"state"`
	City                 *string        `json:"city"`
	Industries           []string       `json:"industries"`
	NAICSCodes           []string       `json:"naics_codes"`
	Technologies         []string       `json:"technologies"`
	TechnologyCategories []string       `json:"technology_categories"`
	EmployeeCount        *int64         `json:"employee_count"`
	FoundedYear          *int64         `json:"founded_year"`
	CreatedAt            time.Time      `json:"created_at"`
	UpdatedAt            time.Time      `json:"updated_at"`
	Unlocked             bool           `json:"unlocked"`
	LockedFields         []string       `json:"locked_fields,omitempty"` // shown only for companies that the workspace owns; unknown here
	Connections          []Connection   `json:"connections"`
	Attributes           map[string]any `json:"attributes"`
}

// Connection is a relation to another company; Category says what that company is to this one, such as vendor.
type Connection struct {
	Category string `json:"category"`
	Company  struct {
		ID     *string `json:"id"`
		Name   *string `json:"name"`
		Domain *string `json:"domain"`
	} `json:"company"`
}

// Price is the cost of exporting companies: what the workspace has already, and new ones at one credit each.
type Price struct {
	AlreadyUnlocked int `json:"already_unlocked"`
	NewCount        int `json:"new_count"`
}

// SearchResult is one page of a search. Everything besides the page is about all matches.
type SearchResult struct {
	Page[Company]
	Total         int          `json:"total"`
	ExcludedCount int          `json:"excluded_count"` // matches that are left out because they are on an excluded list
	Aggregations  Aggregations `json:"aggregations"`
	Warnings      []Warning    `json:"warnings"`
	Credits       Price        `json:"credits"`
}

// Warning is a value of a filter that no company has.
type Warning struct {
	Field      string  `json:"field"`
	Value      string  `json:"value"`
	Message    string  `json:"message"`
	Suggestion *string `json:"suggestion"`
}

// Aggregations are exact counts over all matches. Those that were not asked for are nil.
type Aggregations struct {
	Countries            []Count `json:"countries"`
	States               []Count `json:"states"`
	Cities               []Count `json:"cities"`
	Industries           []Count `json:"industries"`
	NAICSCodes           []Count `json:"naics_codes"`
	Technologies         []Count `json:"technologies"`
	TechnologyCategories []Count `json:"technology_categories"`
	EmployeeCount        []Band  `json:"employee_count"`
	FoundedYear          []Band  `json:"founded_year"`
	Known                []Count `json:"known"` // by the names of fields
}

// Count is one value of a facet.
type Count struct {
	Value string `json:"value"`
	Count int    `json:"count"`

	NewCount *int `json:"new_count,omitempty"` // only with FacetPrices
}

// Band is a range of numbers, both ends included. A nil end is open.
type Band struct {
	Min   *int64 `json:"min"`
	Max   *int64 `json:"max"`
	Count int    `json:"count"`

	NewCount *int `json:"new_count,omitempty"` // only with FacetPrices
}

// Search returns one page of matches.
func (c *Client) Search(ctx context.Context, r SearchRequest) (*SearchResult, error) {
	var found SearchResult
	if err := c.call(ctx, http.MethodPost, "/companies/search", r, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// SearchAll yields every match exactly once, page by page. It waits when the server limits its rate. If there is an error,
// that is the last thing it yields.
func (c *Client) SearchAll(ctx context.Context, r SearchRequest) iter.Seq2[Company, error] {
	return func(yield func(Company, error) bool) {
		for {
			var found *SearchResult
			err := patiently(ctx, func() (err error) {
				found, err = c.Search(ctx, r)
				return err
			})
			if err != nil {
				yield(Company{}, err)
				return
			}
			for _, company := range found.Items {
				if !yield(company, nil) {
					return
				}
			}
			if r.Cursor = found.NextCursor; r.Cursor == "" {
				return
			}
		}
	}
}

// Company returns the whole company.
func (c *Client) Company(ctx context.Context, id string) (*Company, error) {
	var company Company
	if err := c.call(ctx, http.MethodGet, "/companies/"+url.PathEscape(id), nil, &company); err != nil {
		return nil, err
	}
	return &company, nil
}

// Credits is the balance of a workspace and its most recent transactions.
type Credits struct {
	WorkspaceID        string        `json:"workspace_id"`
	Balance            int64         `json:"balance"`
	RecentTransactions []Transaction `json:"recent_transactions"`
	DailyCompanies     *Daily        `json:"daily_companies"` // nil without a limit
}

// Daily is how many companies that the workspace does not own may be shown in a day.
type Daily struct {
	Limit    int       `json:"limit"`
	Shown    int       `json:"shown"`
	Left     int       `json:"left"`
	ResetsAt time.Time `json:"resets_at"`
}

// Transaction is an entry of the ledger. Charges are negative.
type Transaction struct {
	ID        string    `json:"id"`
	Amount    int64     `json:"amount"`
	Reason    string    `json:"reason"`
	Reference *string   `json:"reference"`
	CreatedAt time.Time `json:"created_at"`
}

// Credits returns the balance and the most recent transactions.
func (c *Client) Credits(ctx context.Context) (*Credits, error) {
	var credits Credits
	if err := c.call(ctx, http.MethodGet, "/credits", nil, &credits); err != nil {
		return nil, err
	}
	return &credits, nil
}
