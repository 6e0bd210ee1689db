package api

import (
	"encoding/json"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

// Filters select companies: lists are OR inside, parameters are AND; without any, every company matches.
type Filters struct {
	Query                string             `json:"query,omitempty" doc:"Free text over name and description: every word must occur; a part in double quotes is a phrase." example:"fintech"`
	Countries            []string           `json:"countries,omitempty" doc:"English names or ISO 3166 codes (alpha-2 or alpha-3), in any letter case." example:"[\"US\"]"`
	States               []string           `json:"states,omitempty" doc:"Exact names."`
	Cities               []string           `json:"cities,omitempty" doc:"Exact names."`
	Industries           []string           `json:"industries,omitempty" doc:"Exact names."`
	ExcludeIndustries    []string           `json:"exclude_industries,omitempty" doc:"Leaves out companies of any of these industries."`
	NAICSCodes           []string           `json:"naics_codes,omitempty" doc:"A shorter code matches all codes below it: 52 matches 522320."`
	Technologies         []string           `json:"technologies,omitempty" doc:"Detected technologies."`
	TechnologyCategories []string           `json:"technology_categories,omitempty" doc:"Categories of detected technologies."`
	EmployeeCountMin     *int64             `json:"employee_count_min,omitempty" doc:"Inclusive; a company of unknown size never matches."`
	EmployeeCountMax     *int64             `json:"employee_count_max,omitempty" doc:"Inclusive."`
	FoundedYearMin       *int64             `json:"founded_year_min,omitempty" doc:"Inclusive; a company of unknown age never matches."`
	FoundedYearMax       *int64             `json:"founded_year_max,omitempty" doc:"Inclusive."`
	Keywords             []string           `json:"keywords,omitempty" doc:"Phrases in name or description, any of them."`
	ExcludeKeywords      []string           `json:"exclude_keywords,omitempty" doc:"Leaves out companies with any of these phrases in name or description."`
	Connections          []ConnectionFilter `json:"connections,omitempty" doc:"Companies with any of these connections."`
}

// ConnectionFilter selects companies by one connection that meets every part given.
type ConnectionFilter struct {
	Category           string `json:"category,omitempty" doc:"What the other company is to the one searched, in any letter case." example:"vendor"`
	ConnectedCompanyID string `json:"connected_company_id,omitempty" format:"uuid"`
	ConnectedDomain    string `json:"connected_domain,omitempty" example:"salesforce.com"`
}

func (f Filters) words() query.Filters {
	w := query.Filters{
		Query: f.Query, Countries: f.Countries, States: f.States, Cities: f.Cities,
		Industries: f.Industries, ExcludeIndustries: f.ExcludeIndustries, NAICSCodes: f.NAICSCodes,
		Technologies: f.Technologies, TechnologyCategories: f.TechnologyCategories,
		EmployeeCountMin: f.EmployeeCountMin, EmployeeCountMax: f.EmployeeCountMax,
		FoundedYearMin: f.FoundedYearMin, FoundedYearMax: f.FoundedYearMax,
		Keywords: f.Keywords, ExcludeKeywords: f.ExcludeKeywords,
	}
	for _, c := range f.Connections {
		w.Connections = append(w.Connections, query.ConnectionFilter(c))
	}
	return w
}

// parse returns the query of the filters, or the errors with prefix in front of their fields.
func (f Filters) parse(prefix string) (query.Query, []fault.FieldError) {
	q, err := query.Parse(f.words())
	return q, under(prefix, fault.Fields(err))
}

// canonical returns the filters as they are stored with an export.
func (f Filters) canonical() json.RawMessage {
	p, err := json.Marshal(f.words())
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return p
}

// parseSort returns the requested sort, or its errors.
func parseSort(by, order string, hasText bool) (query.Sort, []fault.FieldError) {
	sort, err := query.ParseSort(by, order, hasText)
	return sort, fault.Fields(err)
}

func under(prefix string, list []fault.FieldError) []fault.FieldError {
	if prefix == "" {
		return list
	}
	moved := make([]fault.FieldError, len(list))
	for i, f := range list {
		moved[i] = fault.FieldError{Field: prefix + "." + f.Field, Message: f.Message}
	}
	return moved
}
