// Package company defines a company: its record, its connections, the table of its fields, and sets of companies.
// It does not store or search companies.
package company

import (
	"time"

	"github.com/opencapi/capi/internal/id"
)

// Number is a company's dense internal number: assigned once by the catalog, starting at 1, never reused.
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
	Country     string // the everyday English name if the country is known, else as given
	CountryCode string // ISO 3166-1 alpha-2; empty if the country is unknown
	State       string
	City        string

	Industries           []string
	NAICSCodes           []string
	Technologies         []string
	TechnologyCategories []string

	EmployeeCount *int64
	FoundedYear   *int64

	// Attributes are the values of the source that fit no field, by the source's names.
	Attributes map[string]any

	CreatedAt time.Time // UTC, microseconds
	UpdatedAt time.Time

	// Connections are the outgoing connections, sorted by category, then name.
	Connections []Connection
}

// Connection is an outgoing connection: the connected company is the company's vendor, investor, or whatever Category says.
type Connection struct {
	Category string // a free word such as vendor or investor; compared without regard to case

	// The connected company. ID and Number are zero while it is not in the catalog; Name and Domain are then as
	// in the source.
	ID     id.Company
	Number Number
	Name   string
	Domain string
}
