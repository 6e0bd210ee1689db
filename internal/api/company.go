package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
)

// Company is a company as it appears in search results.
type Company struct {
	ID          id.Company `json:"id" format:"uuid"`
	Name        string     `json:"name" example:"Example Robotics GmbH"`
	Domain      *string    `json:"domain" example:"example-robotics.test"`
	Website     *string    `json:"website"`
	LinkedInURL *string    `json:"linkedin_url"`
	Description *string    `json:"description"`
	Country     *string    `json:"country" example:"Germany"`
	CountryCode *string    `json:"country_code" example:"DE"`
	State       *string    `json:"state"`
	City        *string    `json:"city"`

	Industries           []string `json:"industries" example:"[\"Robotics\"]"`
	NAICSCodes           []string `json:"naics_codes" example:"[\"333998\"]"`
	Technologies         []string `json:"technologies"`
	TechnologyCategories []string `json:"technology_categories"`

	EmployeeCount *int64    `json:"employee_count"`
	FoundedYear   *int64    `json:"founded_year"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
	Unlocked      bool      `json:"unlocked" doc:"Whether the workspace has exported the company before. Exporting it again is free."`
	LockedFields  []string  `json:"locked_fields,omitempty" doc:"The fields that the workspace sees only for companies that it owns. They are null here, or empty if they are lists or objects, whether they have a value or not. Missing if nothing is locked." example:"[\"domain\",\"employee_count\"]"`
}

// TransformSchema documents the fields as company's table does.
func (*Company) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, f := range company.Fields {
		if property := s.Properties[f.Name]; property != nil {
			property.Description = f.Doc
		}
	}
	return s
}

// CompanyDetail is a company with its connections and attributes.
type CompanyDetail struct {
	Company
	Connections []Connection   `json:"connections"`
	Attributes  map[string]any `json:"attributes"`
}

// Connection is a link to another company; Category is what that company is to the one with the connection.
type Connection struct {
	Category string    `json:"category" doc:"What the other company is to this one, such as vendor or investor." example:"vendor"`
	Company  Connected `json:"company" doc:"The company at the other end."`
}

// Connected is the company at the other end of a connection.
type Connected struct {
	ID     *id.Company `json:"id" format:"uuid" doc:"null if the company is not in the catalog."`
	Name   *string     `json:"name" doc:"Its name; null if it is not known."`
	Domain *string     `json:"domain" doc:"Its domain; null if it is not known."`
}

func companyOf(i search.Item) Company {
	c := i.Company
	return Company{
		ID: c.ID, Name: c.Name, Domain: orNull(c.Domain), Website: orNull(c.Website),
		LinkedInURL: orNull(c.LinkedInURL), Description: orNull(c.Description),
		Country: orNull(c.Country), CountryCode: orNull(c.CountryCode), State: orNull(c.State), City: orNull(c.City),
		Industries: orEmpty(c.Industries), NAICSCodes: orEmpty(c.NAICSCodes),
		Technologies: orEmpty(c.Technologies), TechnologyCategories: orEmpty(c.TechnologyCategories),
		EmployeeCount: c.EmployeeCount, FoundedYear: c.FoundedYear,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Unlocked: i.Unlocked,
		LockedFields: i.Locked.Names(),
	}
}

func companiesOf(items []search.Item) []Company {
	companies := make([]Company, len(items))
	for i, item := range items {
		companies[i] = companyOf(item)
	}
	return companies
}

func detailOf(i search.Item) *CompanyDetail {
	d := &CompanyDetail{Company: companyOf(i), Attributes: i.Attributes}
	if d.Attributes == nil {
		d.Attributes = map[string]any{}
	}
	d.Connections = make([]Connection, len(i.Connections))
	for n, c := range i.Connections {
		d.Connections[n] = connectionOf(c)
	}
	return d
}

func connectionOf(c company.Connection) Connection {
	return Connection{Category: c.Category, Company: Connected{
		ID: orNull(c.ID), Name: orNull(c.Name), Domain: orNull(c.Domain),
	}}
}
