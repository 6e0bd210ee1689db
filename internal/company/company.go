// Package company says what a company is: its record, its connections, the table of its fields, sets of companies.
// It stores and finds nothing.
package company

import (
	"time"

	"github.com/opencapi/capi/internal/id"
)

// Number is a company's dense inner number: given once by the catalog, counted from 1, never reused.
type Number uint32

// Company is one record. An empty string or nil pointer is an unknown value.
type Company struct {
	Number Number
	ID     id.Company

	Name        string
	Domain      string // lower case, without www.
	Website     string
	LinkedInURL string
	Description string
	Country     string // the everyday English name where the country is known, else as given
	CountryCode string // ISO 3166-1 alpha-2; empty where the country is not known
	State       string
	City        string

	Industries           []string
	NAICSCodes           []string
	Technologies         []string
	TechnologyCategories []string

	EmployeeCount *int64
	FoundedYear   *int64

	// Attributes are the values of the source that fit no field, by the source's name for them.
	Attributes map[string]any

	CreatedAt time.Time // UTC, microseconds
	UpdatedAt time.Time

	// Connections are the company's own, outgoing ones, by category, then name.
	Connections []Connection
}

// Connection says that the connected company is, to the company that holds it, what the category names.
type Connection struct {
	Category string // a free word such as vendor or investor; compared without regard to case

	// The connected company. ID and Number are zero while the catalog does not know it; Name and Domain are then as
	// the source gave them.
	ID     id.Company
	Number Number
	Name   string
	Domain string
}
