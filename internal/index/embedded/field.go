package embedded

import "github.com/opencapi/capi/internal/query"

// field is one of the segment's sets of values.
type field uint8

const (
	fieldCountry field = iota
	fieldState
	fieldIndustry
	fieldTechnology
	fieldCategory // of technologies
	fieldSector   // the first two digits of a NAICS code
	fieldBand     // of employee counts
	fieldDecade   // of founding years
	fieldCity     // too many values for the rows: a column
	fieldNAICS
	fieldRelation // the category of a connection
	fieldCount

	rowFields   = fieldCity     // the fields before it stand in rows
	facetFields = fieldCity + 1 // the fields before it are counted
)

// fieldOf is the set of values that a query's field asks for.
func fieldOf(f query.Field) (field, bool) {
	switch f {
	case query.FieldCountry:
		return fieldCountry, true
	case query.FieldState:
		return fieldState, true
	case query.FieldCity:
		return fieldCity, true
	case query.FieldIndustry:
		return fieldIndustry, true
	case query.FieldNAICS:
		return fieldNAICS, true
	case query.FieldTechnology:
		return fieldTechnology, true
	case query.FieldTechnologyCategory:
		return fieldCategory, true
	case query.FieldConnectionCategory:
		return fieldRelation, true
	case query.FieldEmployeeCount, query.FieldFoundedYear, query.FieldConnectedDomain, query.FieldConnectedCompany:
	}
	return 0, false
}

// intField is one of the segment's columns of numbers.
type intField uint8

const (
	intEmployees intField = iota
	intFounded
	intUpdated
	intCount
)

func intFieldOf(f query.Field) (intField, bool) {
	switch f {
	case query.FieldEmployeeCount:
		return intEmployees, true
	case query.FieldFoundedYear:
		return intFounded, true
	default:
		return 0, false
	}
}

var fieldNames = [fieldCount]string{
	"country", "state", "industry", "technology", "technology category", "sector", "size band", "decade", "city",
	"NAICS code", "relation",
}

func (f field) String() string { return fieldNames[f] }

var intNames = [intCount]string{"employee count", "founded year", "updated"}

func (f intField) String() string { return intNames[f] }
