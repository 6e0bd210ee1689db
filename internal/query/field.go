package query

import "github.com/opencapi/capi/internal/company"

// Params lists the filters' names in the order of the contract.
var Params = []string{
	"query", "countries", "states", "cities", "industries", "exclude_industries", "naics_codes", "technologies",
	"technology_categories", "employee_count_min", "employee_count_max", "founded_year_min", "founded_year_max",
	"keywords", "exclude_keywords", "connections",
}

// Fields lists every field of the company itself.
func Fields() []Field {
	return []Field{
		FieldCountry, FieldState, FieldCity, FieldIndustry, FieldNAICS, FieldTechnology, FieldTechnologyCategory,
		FieldEmployeeCount, FieldFoundedYear,
	}
}

func (f Field) String() string {
	switch f {
	case FieldCountry:
		return "country"
	case FieldState:
		return "state"
	case FieldCity:
		return "city"
	case FieldIndustry:
		return "industries"
	case FieldNAICS:
		return "naics_codes"
	case FieldTechnology:
		return "technologies"
	case FieldTechnologyCategory:
		return "technology_categories"
	case FieldEmployeeCount:
		return "employee_count"
	case FieldFoundedYear:
		return "founded_year"
	case FieldConnectionCategory:
		return "category"
	case FieldConnectedDomain:
		return "connected_domain"
	case FieldConnectedCompany:
		return "connected_company_id"
	}
	return "unknown field"
}

// Values are the company's known values of a text field, as it spells them; a number field has none.
func (f Field) Values(c *company.Company) []string {
	switch f {
	case FieldCountry:
		return one(c.Country)
	case FieldState:
		return one(c.State)
	case FieldCity:
		return one(c.City)
	case FieldIndustry:
		return c.Industries
	case FieldNAICS:
		return c.NAICSCodes
	case FieldTechnology:
		return c.Technologies
	case FieldTechnologyCategory:
		return c.TechnologyCategories
	case FieldEmployeeCount, FieldFoundedYear, FieldConnectionCategory, FieldConnectedDomain, FieldConnectedCompany:
	}
	return nil
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Int is the company's value of a number field, nil if unknown or if the field holds texts.
func (f Field) Int(c *company.Company) *int64 {
	if f == FieldEmployeeCount {
		return c.EmployeeCount
	}
	if f == FieldFoundedYear {
		return c.FoundedYear
	}
	return nil
}
