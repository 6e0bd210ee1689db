// Package query is the language that selects companies: parse, check, print, and Match, the truth that every index
// is tested against. It does no I/O and knows no index.
package query

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Filters are the search parameters of the contract as clients write them; lists are OR inside, parameters are AND.
type Filters struct {
	Query                string             `json:"query,omitempty"`
	Countries            []string           `json:"countries,omitempty"`
	States               []string           `json:"states,omitempty"`
	Cities               []string           `json:"cities,omitempty"`
	Industries           []string           `json:"industries,omitempty"`
	ExcludeIndustries    []string           `json:"exclude_industries,omitempty"`
	NAICSCodes           []string           `json:"naics_codes,omitempty"`
	Technologies         []string           `json:"technologies,omitempty"`
	TechnologyCategories []string           `json:"technology_categories,omitempty"`
	EmployeeCountMin     *int64             `json:"employee_count_min,omitempty"`
	EmployeeCountMax     *int64             `json:"employee_count_max,omitempty"`
	FoundedYearMin       *int64             `json:"founded_year_min,omitempty"`
	FoundedYearMax       *int64             `json:"founded_year_max,omitempty"`
	Keywords             []string           `json:"keywords,omitempty"`
	ExcludeKeywords      []string           `json:"exclude_keywords,omitempty"`
	Connections          []ConnectionFilter `json:"connections,omitempty"`
}

// ConnectionFilter selects companies by one connection that meets every part given.
type ConnectionFilter struct {
	Category           string `json:"category,omitempty" doc:"What the other company is to the one searched, in any letter case." example:"vendor"`
	ConnectedCompanyID string `json:"connected_company_id,omitempty" format:"uuid"`
	ConnectedDomain    string `json:"connected_domain,omitempty" example:"salesforce.com"`
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
