package company

import (
	"slices"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// Bounds of a record.
const (
	NameCharsMax        = 1_000
	DescriptionCharsMax = 50_000
	TextCharsMax        = 2_000 // any other text
	ListLenMax          = 1_000 // values of one list
	EmployeeCountMax    = 100_000_000
	YearMax             = 9_999
	AttributesMax       = 500 // names
)

// Clean normalises the values for the catalog: trimmed, one space for a run of white space, no control or
// invalid characters, lists without blanks and duplicates, the domain as CleanDomain returns it, the country by its
// everyday name with its code. If the domain is invalid, missing or not on the public internet, the website's domain is used if it is
// the company's own.
func (c *Company) Clean() {
	for _, f := range textFields {
		s := f.Text(c)
		*s = text.Clean(*s)
	}
	for _, f := range listFields {
		list := f.List(c)
		*list = cleanList(*list)
	}
	c.cleanDomain()
	c.cleanCountry()
}

func (c *Company) cleanDomain() {
	domain, ok := CleanDomain(c.Domain)
	if !ok || !KnownSuffix(domain) {
		domain, _ = SiteDomain(c.Website)
	}
	c.Domain = domain
}

// cleanCountry leaves an unknown country unchanged.
func (c *Company) cleanCountry() {
	country, ok := LookupCountry(c.Country)
	if !ok && c.Country == "" {
		country, ok = LookupCountry(c.CountryCode)
	}
	if !ok {
		c.CountryCode = ""
		return
	}
	c.Country, c.CountryCode = country.Name, country.Alpha2
}

// cleanList drops blanks and values that repeat in another spelling.
func cleanList(list []string) []string {
	out := make([]string, 0, len(list))
	keys := make([]string, 0, len(list))
	for _, s := range list {
		s = text.Clean(s)
		if key := text.Fold(s); key != "" && !slices.Contains(keys, key) {
			out, keys = append(out, s), append(keys, key)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Validate checks a cleaned record. A fault.Validation error lists every problem by field.
func (c *Company) Validate() error {
	var errs []fault.FieldError
	fail := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	if c.Name == "" {
		fail("name", "is missing")
	}
	for _, f := range textFields {
		if f.tooLong(*f.Text(c)) {
			fail(f.Name, "is too long")
		}
	}
	for _, f := range listFields {
		if list := *f.List(c); len(list) > ListLenMax || slices.ContainsFunc(list, f.tooLong) {
			fail(f.Name, "has too many values, or too long ones")
		}
	}
	for _, f := range intFields {
		if n := *f.Int(c); n != nil && (*n < 0 || *n > f.Max) {
			fail(f.Name, "is out of range")
		}
	}
	if len(c.Attributes) > AttributesMax {
		fail("attributes", "has too many names")
	}
	return fault.Invalid(errs...)
}

func (f *Field) tooLong(s string) bool { return utf8.RuneCountInString(s) > f.CharsMax }
