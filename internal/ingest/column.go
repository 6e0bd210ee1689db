package ingest

import (
	"slices"
	"strings"
	"sync"
)

// column is what a source's field is read as.
type column uint8

const (
	colAttribute column = iota // whatever has no place of its own
	colIgnored                 // what only the catalog says
	colID
	colName
	colDomain
	colWebsite
	colLinkedIn
	colDescription
	colCountry
	colCountryCode
	colState
	colCity
	colIndustries
	colNAICS
	colTechnologies
	colTechnologyCategories
	colEmployees
	colFounded
	colConnections
	colAttributes

	// Of a record that is a connection.
	colTargetID
	colTargetName
	colTargetDomain
	colCategory
)

// aliases are the names that a column goes by: the first is our own, and wins over the others if a record has several.
var aliases = map[column][]string{
	colIgnored:     {"created_at", "updated_at", "unlocked"},
	colID:          {"id", "company_id", "uuid", "company_uuid", "external_id"},
	colName:        {"name", "company_name", "company", "organization", "organization_name", "organisation", "organisation_name", "business_name", "legal_name"},
	colDomain:      {"domain", "company_domain", "domain_name", "website_domain", "primary_domain"},
	colWebsite:     {"website", "website_url", "url", "homepage", "homepage_url", "company_website", "web", "site"},
	colLinkedIn:    {"linkedin_url", "linkedin", "linkedin_profile", "company_linkedin_url"},
	colDescription: {"description", "short_description", "about", "summary", "overview", "company_description"},
	colCountry:     {"country", "country_name", "hq_country", "headquarters_country"},
	colCountryCode: {"country_code", "country_iso", "country_iso_code"},
	colState:       {"state", "region", "province", "state_name", "hq_state"},
	colCity:        {"city", "town", "locality", "hq_city"},
	colIndustries:  {"industries", "industry", "sectors", "sector"},
	colNAICS:       {"naics_codes", "naics_code", "naics"},
	colTechnologies: {
		"technologies", "technology", "tech_stack", "techstack",
	},
	colTechnologyCategories: {"technology_categories", "technology_category"},
	colEmployees: {
		"employee_count", "employees", "number_of_employees", "num_employees", "employees_count", "headcount", "team_size", "staff",
	},
	colFounded:     {"founded_year", "founded", "year_founded", "founding_year", "foundation_year"},
	colConnections: {"connections"},
	colAttributes:  {"attributes"},
}

// connectionAliases are the names in a record that is a connection.
var connectionAliases = map[column][]string{
	colID:           {"company_id", "id"},
	colName:         {"company_name", "name", "company"},
	colDomain:       {"company_domain", "domain"},
	colCategory:     {"category", "relation", "relationship", "type"},
	colTargetID:     {"connected_company_id", "connected_id"},
	colTargetName:   {"connected_name", "connected_company_name", "connected_company"},
	colTargetDomain: {"connected_domain", "connected_company_domain"},
}

// connectionPrefix begins the names that only a connection has.
const connectionPrefix = "connected_"

// place is where a name stands in the aliases: rank 0 is our own name.
type place struct {
	column column
	rank   int
}

func byName(aliases map[column][]string) map[string]place {
	out := map[string]place{}
	for c, names := range aliases {
		for rank, name := range names {
			out[name] = place{c, rank}
		}
	}
	return out
}

var (
	companyPlaces    = sync.OnceValue(func() map[string]place { return byName(aliases) })
	connectionPlaces = sync.OnceValue(func() map[string]place { return byName(connectionAliases) })
)

// normalName is a name as the aliases spell it.
func normalName(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '/':
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(name))), "_")
}

// namesCompany holds if a header tells which company a row is about.
func namesCompany(header []string) bool {
	return slices.ContainsFunc(header, func(name string) bool {
		name = normalName(name)
		if strings.HasPrefix(name, connectionPrefix) {
			return true
		}
		switch companyPlaces()[name].column {
		case colID, colName, colDomain, colWebsite:
			return true
		default:
			return false
		}
	})
}
