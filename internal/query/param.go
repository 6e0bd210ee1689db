package query

import "slices"

// Param is a row of the table of filter parameters. Of the access functions, the one for its Kind is set.
type Param struct {
	Name    string
	Kind    Kind
	Field   Field  // what it reads of a company
	Exclude bool   // leaves out the companies that match
	Facet   string // what matches are counted by to choose values for it; empty if it is not chosen so
	Label   string // for people
	Hint    string // for people: what to type
	Doc     string
	Example string // a value, as JSON
	Max     int64  // the largest bound that makes sense, 0 for any

	Text  func(*Filters) *string
	Texts func(*Filters) *[]string
	Int   func(*Filters) **int64
}

// Kind says how a parameter's values are read.
type Kind uint8

// The kinds of parameters.
const (
	KindWords       Kind = iota // a text: every word and every quoted phrase must occur
	KindPhrases                 // texts: any of them, as a phrase
	KindValues                  // texts: any of the field's values
	KindCodes                   // NAICS codes: any of the field's values that begins with one
	KindMin                     // the lower bound of a number
	KindMax                     // the upper bound of the number
	KindConnections             // ConnectionFilters
)

// Params is the table of filter parameters, in the order of the contract. Parsing, the API's schema, the facets and the
// console's search form follow it.
var Params = []Param{
	{
		Name: "query", Kind: KindWords, Field: FieldText, Label: "Text",
		Doc:     "Free text over name and description: every word must occur; a part in double quotes is a phrase.",
		Example: `"fintech"`,
		Text:    func(f *Filters) *string { return &f.Query },
	},
	{
		Name: "countries", Kind: KindValues, Field: FieldCountry, Facet: "countries", Label: "Country", Hint: "Add a country",
		Doc:     "English names or ISO 3166 codes (alpha-2 or alpha-3), in any letter case.",
		Example: `["US"]`,
		Texts:   func(f *Filters) *[]string { return &f.Countries },
	},
	{
		Name: "states", Kind: KindValues, Field: FieldState, Facet: "states", Label: "State or region", Hint: "Add a state",
		Doc:   "Exact names.",
		Texts: func(f *Filters) *[]string { return &f.States },
	},
	{
		Name: "cities", Kind: KindValues, Field: FieldCity, Facet: "cities", Label: "City", Hint: "Add a city",
		Doc:   "Exact names.",
		Texts: func(f *Filters) *[]string { return &f.Cities },
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
		Name: "technologies", Kind: KindValues, Field: FieldTechnology, Facet: "technologies", Label: "Technology",
		Hint:  "Add a technology",
		Doc:   "Detected technologies.",
		Texts: func(f *Filters) *[]string { return &f.Technologies },
	},
	{
		Name: "technology_categories", Kind: KindValues, Field: FieldTechnologyCategory, Facet: "technology_categories",
		Label: "Technology category", Hint: "Add a category",
		Doc:   "Categories of detected technologies.",
		Texts: func(f *Filters) *[]string { return &f.TechnologyCategories },
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
		Doc:   "Phrases in name or description, any of them.",
		Texts: func(f *Filters) *[]string { return &f.Keywords },
	},
	{
		Name: "exclude_keywords", Kind: KindPhrases, Field: FieldText, Exclude: true, Label: "Without",
		Doc:   "Leaves out companies with any of these phrases in name or description.",
		Texts: func(f *Filters) *[]string { return &f.ExcludeKeywords },
	},
	{
		Name: "connections", Kind: KindConnections, Field: FieldConnection, Label: "Connection",
		Doc: "Companies with any of these connections.",
	},
}

// ParamNamed returns the parameter of a name, nil if there is none.
func ParamNamed(name string) *Param {
	return findParam(func(p Param) bool { return p.Name == name })
}

// Opposite returns the parameter that leaves out what p takes, or takes what p leaves out; nil if there is none.
func (p *Param) Opposite() *Param {
	return findParam(func(o Param) bool { return o.Field == p.Field && o.Kind == p.Kind && o.Exclude != p.Exclude })
}

// ParamsOf returns the parameters that read the field, in the table's order.
func ParamsOf(f Field) (params []*Param) {
	for i := range Params {
		if Params[i].Field == f {
			params = append(params, &Params[i])
		}
	}
	return params
}

// IsSet reports whether the filters have a value of the parameter.
func (p *Param) IsSet(f *Filters) bool {
	switch {
	case p.Text != nil:
		return *p.Text(f) != ""
	case p.Texts != nil:
		return len(*p.Texts(f)) > 0
	case p.Int != nil:
		return *p.Int(f) != nil
	}
	return len(f.Connections) > 0
}

// Clear takes the parameter out of the filters.
func (p *Param) Clear(f *Filters) {
	switch {
	case p.Text != nil:
		*p.Text(f) = ""
	case p.Texts != nil:
		*p.Texts(f) = nil
	case p.Int != nil:
		*p.Int(f) = nil
	default:
		f.Connections = nil
	}
}

func findParam(is func(Param) bool) *Param {
	i := slices.IndexFunc(Params, is)
	if i < 0 {
		return nil
	}
	return &Params[i]
}
