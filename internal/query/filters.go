// Package query is the language that selects companies: parse, check, print, and Match, the truth that every index
// is tested against. It does no I/O and knows no index.
package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// Filters are the search parameters of the contract as clients write them; lists are OR inside, parameters are AND.
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
	Has                         []string           `json:"has,omitempty"`
	Missing                     []string           `json:"missing,omitempty"`
	Connections                 []ConnectionFilter `json:"connections,omitempty"`
	In                          []SetRef           `json:"in,omitempty"`
	NotIn                       []SetRef           `json:"not_in,omitempty"`
	AddedSince                  string             `json:"added_since,omitempty"`
	ChangedSince                string             `json:"changed_since,omitempty"`
}

// ConnectionFilter selects companies by one connection that meets every part given.
type ConnectionFilter struct {
	Category           string `json:"category,omitempty" doc:"What the other company is to the one searched, in any letter case." example:"vendor"`
	ConnectedCompanyID string `json:"connected_company_id,omitempty" format:"uuid" doc:"The id of the company at the other end."`
	ConnectedDomain    string `json:"connected_domain,omitempty" doc:"The domain of the company at the other end." example:"salesforce.com"`
}

// Params is the table of filter parameters, in the order of the contract. Parsing, the API's schema, the facets and the
// console's search form follow it.
var Params = []Param{
	{
		Name: "query", Kind: KindWords, Field: FieldText, Label: "Text",
		Doc:     "Free text over name and description: every word must occur, in any of its spellings (e-commerce, ecommerce); a part in double quotes is an exact phrase. A domain or URL also finds the company that has it, and puts it first.",
		Example: `"fintech"`,
		Text:    func(f *Filters) *string { return &f.Query },
	},
	{
		Name: "prefix", Kind: KindFlag, Field: FieldText, Label: "While typing",
		Doc:  "Treats the last word of query as the beginning of a word or of a domain, unless a space or a quote follows it.",
		Flag: func(f *Filters) *bool { return &f.Prefix },
	},
	{
		Name: "countries", Kind: KindValues, Field: FieldCountry, Facet: "countries", Label: "Country", Hint: "Add a country",
		Doc:     "English names or ISO 3166 codes (alpha-2 or alpha-3), in any letter case.",
		Example: `["US"]`, Read: countryName,
		Texts: func(f *Filters) *[]string { return &f.Countries },
	},
	{
		Name: "exclude_countries", Kind: KindValues, Field: FieldCountry, Exclude: true, Label: "Not country",
		Doc: "Leaves out companies in any of these countries.", Read: countryName,
		Texts: func(f *Filters) *[]string { return &f.ExcludeCountries },
	},
	{
		Name: "states", Kind: KindValues, Field: FieldState, Facet: "states", Label: "State or region", Hint: "Add a state",
		Doc:   "Exact names.",
		Texts: func(f *Filters) *[]string { return &f.States },
	},
	{
		Name: "exclude_states", Kind: KindValues, Field: FieldState, Exclude: true, Label: "Not state or region",
		Doc:   "Leaves out companies in any of these states.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeStates },
	},
	{
		Name: "cities", Kind: KindValues, Field: FieldCity, Facet: "cities", Label: "City", Hint: "Add a city",
		Doc:   "Exact names.",
		Texts: func(f *Filters) *[]string { return &f.Cities },
	},
	{
		Name: "exclude_cities", Kind: KindValues, Field: FieldCity, Exclude: true, Label: "Not city",
		Doc:   "Leaves out companies in any of these cities.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeCities },
	},
	{
		Name: "industries", Kind: KindValues, Field: FieldIndustry, Facet: "industries", Label: "Industry", Hint: "Add an industry",
		Doc:   "Exact names.",
		Texts: func(f *Filters) *[]string { return &f.Industries },
	},
	{
		Name: "exclude_industries", Kind: KindValues, Field: FieldIndustry, Exclude: true, Label: "Not industry",
		Doc:   "Leaves out companies of any of these industries.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeIndustries },
	},
	{
		Name: "naics_codes", Kind: KindCodes, Field: FieldNAICS, Facet: "naics_codes", Label: "NAICS code",
		Hint:  "Add a code, such as 52 or 522320",
		Doc:   "A shorter code matches all codes below it: 52 matches 522320.",
		Texts: func(f *Filters) *[]string { return &f.NAICSCodes },
	},
	{
		Name: "exclude_naics_codes", Kind: KindCodes, Field: FieldNAICS, Exclude: true, Label: "Not NAICS code",
		Doc:   "Leaves out companies with any of these codes, or with a code below one.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeNAICSCodes },
	},
	{
		Name: "technologies", Kind: KindValues, Field: FieldTechnology, Facet: "technologies", Label: "Technology",
		Hint:  "Add a technology",
		Doc:   "Detected technologies.",
		Texts: func(f *Filters) *[]string { return &f.Technologies },
	},
	{
		Name: "exclude_technologies", Kind: KindValues, Field: FieldTechnology, Exclude: true, Label: "Not technology",
		Doc:   "Leaves out companies that use any of these technologies.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeTechnologies },
	},
	{
		Name: "technology_categories", Kind: KindValues, Field: FieldTechnologyCategory, Facet: "technology_categories",
		Label: "Technology category", Hint: "Add a category",
		Doc:   "Categories of detected technologies.",
		Texts: func(f *Filters) *[]string { return &f.TechnologyCategories },
	},
	{
		Name: "exclude_technology_categories", Kind: KindValues, Field: FieldTechnologyCategory, Exclude: true, Label: "Not technology category",
		Doc:   "Leaves out companies that use a technology of any of these categories.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeTechnologyCategories },
	},
	{
		Name: "employee_count_min", Kind: KindMin, Field: FieldEmployeeCount, Facet: "employee_count", Label: "Employees from",
		Doc: "Inclusive; a company of unknown size never matches.",
		Int: func(f *Filters) **int64 { return &f.EmployeeCountMin },
	},
	{
		Name: "employee_count_max", Kind: KindMax, Field: FieldEmployeeCount, Label: "Employees to",
		Doc: "Inclusive.",
		Int: func(f *Filters) **int64 { return &f.EmployeeCountMax },
	},
	{
		Name: "founded_year_min", Kind: KindMin, Field: FieldFoundedYear, Facet: "founded_year", Label: "Founded from",
		Doc: "Inclusive; a company of unknown age never matches.", Max: yearMax,
		Int: func(f *Filters) **int64 { return &f.FoundedYearMin },
	},
	{
		Name: "founded_year_max", Kind: KindMax, Field: FieldFoundedYear, Label: "Founded to",
		Doc: "Inclusive.", Max: yearMax,
		Int: func(f *Filters) **int64 { return &f.FoundedYearMax },
	},
	{
		Name: "keywords", Kind: KindPhrases, Field: FieldText, Label: "Keyword",
		Doc:   "Phrases in name or description, any of them, in any spelling; exact if in double quotes.",
		Texts: func(f *Filters) *[]string { return &f.Keywords },
	},
	{
		Name: "exclude_keywords", Kind: KindPhrases, Field: FieldText, Exclude: true, Label: "Without",
		Doc:   "Leaves out companies with any of these phrases in name or description.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeKeywords },
	},
	{
		Name: "has", Kind: KindValues, Field: FieldKnown, All: true, Facet: "known", Label: "Has", Hint: "Add a field",
		Doc:     "Names of fields: companies with a known value of each, such as domain, or connections.",
		Example: `["domain","employee_count"]`, Closed: true, Read: fieldName, ValueLabel: fieldLabel,
		Texts: func(f *Filters) *[]string { return &f.Has },
	},
	{
		Name: "missing", Kind: KindValues, Field: FieldKnown, Exclude: true, Label: "Missing",
		Doc:     "Names of fields: companies without a known value of any of them.",
		Example: `["linkedin_url"]`, Closed: true, Read: fieldName, ValueLabel: fieldLabel,
		Texts: func(f *Filters) *[]string { return &f.Missing },
	},
	{
		Name: "connections", Kind: KindConnections, Field: FieldConnection, Label: "Connection",
		Doc: "Companies with any of these connections.",
	},
	{
		Name: "in", Kind: KindSets, Field: FieldSet, Label: "In",
		Doc:     "Companies in any of these sets.",
		Example: `[{"owned":true}]`,
		Sets:    func(f *Filters) *[]SetRef { return &f.In },
	},
	{
		Name: "not_in", Kind: KindSets, Field: FieldSet, Exclude: true, Label: "Not in",
		Doc:     "Leaves out companies in any of these sets.",
		Example: `[{"owned":true}]`,
		Sets:    func(f *Filters) *[]SetRef { return &f.NotIn },
	},
	{
		Name: "added_since", Kind: KindSince, Field: FieldSet, Label: "Added since",
		Doc:     "Companies that came into the catalog at this time or later, or after the export of this id was created.",
		Example: `"2026-11-30T08:00:00Z"`,
		Text:    func(f *Filters) *string { return &f.AddedSince },
	},
	{
		Name: "changed_since", Kind: KindSince, Field: FieldSet, Label: "Changed since",
		Doc:     "Companies that were added, or whose data or connections changed, at this time or later, or after the export of this id was created.",
		Example: `"2026-11-30T08:00:00Z"`,
		Text:    func(f *Filters) *string { return &f.ChangedSince },
	},
}

// fieldName returns the name of a company's field as the table writes it, in whatever letter case it is given.
func fieldName(raw string) (name, problem string) {
	name = text.Fold(raw)
	if slices.Contains(company.Knowable, name) {
		return name, ""
	}
	if near := text.Nearest(name, company.Knowable); near != "" {
		return "", fmt.Sprintf("is not a field of a company; did you mean %s?", near)
	}
	return "", "is not a field of a company; the fields are " + strings.Join(company.Knowable, ", ")
}

// fieldLabel returns the label of a company's field.
func fieldLabel(name string) string {
	if f := company.FieldNamed(text.Fold(name)); f != nil {
		return f.Label
	}
	return name
}

// countryName returns a country's everyday name; an unknown country keeps its own.
func countryName(raw string) (name, problem string) {
	if c, ok := company.LookupCountry(raw); ok {
		return c.Name, ""
	}
	return raw, ""
}

// String returns the filters as canonical JSON.
func (f Filters) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		panic(err) // texts and numbers do not fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}
