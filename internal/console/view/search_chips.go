package view

import (
	"cmp"

	"github.com/opencapi/capi/internal/query"
)

// chip is one filter of a search, with the address of the search without it.
type chip struct {
	Name, Value string
	Out         bool
	Without     string
}

// chipNames are what a chip calls its filter.
var chipNames = map[string]string{
	"countries": "Country", "states": "State", "cities": "City", "industries": "Industry", "exclude_industries": "Not",
	"naics_codes": "NAICS", "technologies": "Technology", "technology_categories": "Category", "keywords": "Keyword",
	"exclude_keywords": "Without", "employee_count_min": "Employees from", "employee_count_max": "Employees to",
	"founded_year_min": "Founded from", "founded_year_max": "Founded to",
}

// chips are the filters of the wish in the order of the contract.
func (w *SearchForm) Chips(page string) (chips []chip) {
	if w.Query != "" {
		chips = append(chips, chip{Name: "Text", Value: w.Query, Without: w.At(page, "query", "")})
	}
	for _, param := range query.Params {
		out := param == "exclude_industries" || param == "exclude_keywords"
		if texts := w.texts(param); texts != nil {
			for _, t := range *texts {
				chips = append(chips, chip{chipNames[param], LabelOf(param, t), out, w.without(page, param, t)})
			}
		} else if n := w.numbers(param); n != nil && *n != nil {
			chips = append(chips, chip{chipNames[param], bound(*n), false, w.At(page, param, "")})
		}
	}
	for _, c := range w.Connections {
		chips = append(chips, chip{
			cmp.Or(c.Category, "Connection"), cmp.Or(c.ConnectedDomain, c.ConnectedCompanyID, "any"), false,
			w.without(page, "connections", connectionText(c)),
		})
	}
	return chips
}
