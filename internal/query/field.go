package query

import "github.com/opencapi/capi/internal/company"

// Field is a field of a company that a query can name.
type Field uint8

// The fields; their order is part of no format.
const (
	FieldCountry Field = iota
	FieldState
	FieldCity
	FieldIndustry
	FieldNAICS
	FieldTechnology
	FieldTechnologyCategory
	FieldEmployeeCount
	FieldFoundedYear
	FieldKnown // the names of the fields that have a known value

	// What parameters read that no OneOf, Prefix or Range names.
	FieldText // name and description
	FieldConnection
	FieldSet // the sets that have the company

	// What a word of a text may be; only Given has it.
	FieldDomain

	// What the parts of a Connected name; only Given has these.
	FieldConnectionCategory
	FieldConnectedDomain
	FieldConnectedCompany
)

// fields is the table of fields: the name of each, and the company's field that it is, if it is one.
var fields = [...]struct {
	name    string
	company *company.Field
}{
	FieldCountry:            {"country", company.FieldNamed("country")},
	FieldState:              {"state", company.FieldNamed("state")},
	FieldCity:               {"city", company.FieldNamed("city")},
	FieldIndustry:           {"industries", company.FieldNamed("industries")},
	FieldNAICS:              {"naics_codes", company.FieldNamed("naics_codes")},
	FieldTechnology:         {"technologies", company.FieldNamed("technologies")},
	FieldTechnologyCategory: {"technology_categories", company.FieldNamed("technology_categories")},
	FieldEmployeeCount:      {"employee_count", company.FieldNamed("employee_count")},
	FieldFoundedYear:        {"founded_year", company.FieldNamed("founded_year")},
	FieldKnown:              {"known", nil},
	FieldText:               {"name and description", nil},
	FieldConnection:         {"connections", nil},
	FieldSet:                {"sets", nil},
	FieldDomain:             {"domain", nil},
	FieldConnectionCategory: {"category", nil},
	FieldConnectedDomain:    {"connected_domain", nil},
	FieldConnectedCompany:   {"connected_company_id", nil},
}

// Fields lists the fields of the company itself.
var Fields = func() (all []Field) {
	for f := range fields {
		if fields[f].company != nil || Field(f) == FieldKnown {
			all = append(all, Field(f))
		}
	}
	return all
}()

func (f Field) String() string {
	if int(f) < len(fields) {
		return fields[f].name
	}
	return "unknown field"
}

// IsIn reports whether the set has the company's field that this field is.
func (f Field) IsIn(set company.FieldSet) bool {
	return fields[f].company != nil && set.Has(fields[f].name)
}

// Values returns the company's known values of a text field, as it spells them; nil for a number field.
func (f Field) Values(c *company.Company) []string {
	if f == FieldKnown {
		return c.KnownFields()
	}
	if of := fields[f].company; of != nil {
		return of.Texts(c)
	}
	return nil
}

// Int returns the company's value of a number field, nil if it is unknown or the field holds texts.
func (f Field) Int(c *company.Company) *int64 {
	if of := fields[f].company; of != nil && of.Kind == company.KindInteger {
		return *of.Int(c)
	}
	return nil
}
