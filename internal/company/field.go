package company

// Type is what a field's values are.
type Type uint8

// The types of fields.
const (
	TypeText        Type = iota
	TypeTexts            // a list of texts, never null outside
	TypeInteger          // a whole number
	TypeTime             // RFC 3339, UTC
	TypeConnections      // connected companies, each with its category
	TypeObject           // names and values of any kind
)

func (t Type) String() string {
	switch t {
	case TypeText:
		return "text"
	case TypeTexts:
		return "list"
	case TypeInteger:
		return "integer"
	case TypeTime:
		return "time"
	case TypeConnections:
		return "connections"
	case TypeObject:
		return "object"
	}
	return "unknown type"
}

// Field is one field of a company as the API and the files name it.
type Field struct {
	Name   string
	Type   Type
	Unit   string // empty where the value counts nothing
	Doc    string
	Param  string // the filter that selects by it, the stem of both for a range; empty where there is none
	Detail bool   // only in a company's detail and in files, not in search results
}

// Fields lists the fields in the order in which they are shown.
func Fields() []Field {
	return []Field{
		{Name: "id", Doc: "The company's permanent id, a UUID."},
		{Name: "name", Doc: "The name as the source spells it.", Param: "query"},
		{Name: "domain", Doc: "The host of the website, lower case, without www."},
		{Name: "website", Doc: "The address of the website."},
		{Name: "linkedin_url", Doc: "The address of the LinkedIn page."},
		{Name: "description", Doc: "What the company does, in a few sentences.", Param: "query"},
		{Name: "country", Doc: "The country of the head office by its everyday English name.", Param: "countries"},
		{Name: "country_code", Doc: "The ISO 3166-1 alpha-2 code of the country.", Param: "countries"},
		{Name: "state", Doc: "The state, province or region.", Param: "states"},
		{Name: "city", Doc: "The city.", Param: "cities"},
		{Name: "industries", Type: TypeTexts, Doc: "The source's industry labels.", Param: "industries"},
		{Name: "naics_codes", Type: TypeTexts, Doc: "NAICS codes of 2 to 6 digits.", Param: "naics_codes"},
		{Name: "technologies", Type: TypeTexts, Doc: "Technologies detected.", Param: "technologies"},
		{
			Name: "technology_categories", Type: TypeTexts, Doc: "The categories of the technologies.",
			Param: "technology_categories",
		},
		{Name: "employee_count", Type: TypeInteger, Unit: "people", Doc: "The number of employees.", Param: "employee_count"},
		{
			Name: "founded_year", Type: TypeInteger, Unit: "year", Doc: "The year in which the company was founded.",
			Param: "founded_year",
		},
		{
			Name: "connections", Type: TypeConnections, Doc: "Connected companies and what each is to this one.",
			Param: "connections", Detail: true,
		},
		{Name: "attributes", Type: TypeObject, Doc: "The values of the source that fit no other field.", Detail: true},
		{Name: "created_at", Type: TypeTime, Doc: "When the company was first loaded."},
		{Name: "updated_at", Type: TypeTime, Doc: "When a value last changed."},
	}
}
