package view

import (
	"context"
	"net/url"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// previewValuesMax is the number of values that a preview shows of each list.
const previewValuesMax = 8

// previewFacts returns the facts of a preview besides name, description and lists: each a label, a text and a field.
func previewFacts(ctx context.Context, c *company.Company) [][3]string {
	employees := ""
	if c.EmployeeCount != nil {
		employees = Count(ctx, *c.EmployeeCount)
	}
	return [][3]string{
		{"Domain", c.Domain, "domain"},
		{"Website", c.Website, "website"},
		{"LinkedIn", c.LinkedInURL, "linkedin_url"},
		{"Location", locationOf(c), "country"},
		{"Employees", employees, "employee_count"},
		{"Founded", bound(c.FoundedYear), "founded_year"},
	}
}

var previewLists = []struct {
	label, param string
	values       func(c *company.Company) []string
}{
	{"Industries", "industries", func(c *company.Company) []string { return c.Industries }},
	{"Technologies", "technologies", func(c *company.Company) []string { return c.Technologies }},
	{"NAICS codes", "naics_codes", func(c *company.Company) []string { return c.NAICSCodes }},
}

// keys are the keys of the search page. live.js acts on them.
var keys = [][2]string{
	{"/", "Type a search"},
	{"j", "Next company"},
	{"k", "Previous company"},
	{"Enter", "Open the company"},
	{"x", "Select the company"},
	{"e", "Export"},
	{"Esc", "Close the company"},
	{"?", "Show these keys"},
}

// FacetValues is the page with all values of a facet.
type FacetValues struct {
	*SearchForm
	Shown        Facet
	Search, Page string // the addresses of the search and of this page, without parameters
	Prefix       string // what the values begin with
	From         int    // the number of values on the pages before
	More         bool
}

// NextFrom returns the number of values on this page and those before.
func (v *FacetValues) NextFrom() string { return strconv.Itoa(v.From + FacetPageSize) }

// FacetPageSize is the number of values on a page of them.
const FacetPageSize = 100

// rest returns the parameters of the search that the boxes of the page do not send.
func (v *FacetValues) rest() url.Values {
	rest := v.Values()
	for _, p := range query.ParamsOf(query.ParamNamed(v.Shown.Param).Field) {
		rest.Del(p.Name)
	}
	return rest
}
