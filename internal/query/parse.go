package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// Bounds of the filters.
const (
	valuesMax = 500   // values of one list
	charsMax  = 1_000 // characters of one value
	yearMax   = 9_999
)

// Parse checks the filters and reads them as a query. A fault.Validation error lists every fault at once.
func Parse(f Filters) (Query, error) {
	p := parser{}
	p.query(f.Query)
	p.countries(f.Countries)
	p.oneOf("states", FieldState, f.States, false)
	p.oneOf("cities", FieldCity, f.Cities, false)
	p.oneOf("industries", FieldIndustry, f.Industries, false)
	p.oneOf("exclude_industries", FieldIndustry, f.ExcludeIndustries, true)
	p.naics(f.NAICSCodes)
	p.oneOf("technologies", FieldTechnology, f.Technologies, false)
	p.oneOf("technology_categories", FieldTechnologyCategory, f.TechnologyCategories, false)
	p.span("employee_count", FieldEmployeeCount, f.EmployeeCountMin, f.EmployeeCountMax, 0)
	p.span("founded_year", FieldFoundedYear, f.FoundedYearMin, f.FoundedYearMax, yearMax)
	p.keywords("keywords", f.Keywords, false)
	p.keywords("exclude_keywords", f.ExcludeKeywords, true)
	p.connections(f.Connections)
	if err := fault.Invalid(p.errs...); err != nil {
		return Query{}, err
	}
	return Query{Root: Simplify(p.parts), given: p.given, hasText: f.Query != ""}, nil
}

type parser struct {
	parts And
	given []Given
	errs  []fault.FieldError
}

func (p *parser) fail(field, format string, args ...any) {
	p.errs = append(p.errs, fault.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// want adds a condition on the companies, turned round if they must not meet it.
func (p *parser) want(n Node, exclude bool) {
	if exclude {
		n = Not{n}
	}
	p.parts = append(p.parts, n)
}

func (p *parser) query(s string) {
	if s == "" {
		return
	}
	if !p.sound("query", s) {
		return
	}
	words := parseText(s)
	if len(words) == 0 {
		p.fail("query", "has no letter or digit to look for")
		return
	}
	p.want(words, false)
}

func (p *parser) countries(values []string) {
	var folded []string
	p.each("countries", values, func(_, raw string) {
		value := raw
		if c, ok := company.LookupCountry(raw); ok {
			value = c.Name
		}
		folded = append(folded, p.give("countries", FieldCountry, raw, text.Fold(value)))
	})
	if len(folded) > 0 {
		p.want(OneOf{FieldCountry, folded}, false)
	}
}

func (p *parser) oneOf(param string, f Field, values []string, exclude bool) {
	var folded []string
	p.each(param, values, func(_, raw string) {
		folded = append(folded, p.give(param, f, raw, text.Fold(raw)))
	})
	if len(folded) > 0 {
		p.want(OneOf{f, folded}, exclude)
	}
}

func (p *parser) keywords(param string, values []string, exclude bool) {
	var wanted Or
	p.each(param, values, func(field, raw string) {
		words := text.Tokens(raw)
		if len(words) == 0 {
			p.fail(field, "has no letter or digit to look for")
			return
		}
		wanted = append(wanted, Phrase{words})
	})
	if len(wanted) > 0 {
		p.want(wanted, exclude)
	}
}

// span is a range of which either end may be open; most is the highest bound that makes sense, 0 for any.
func (p *parser) span(param string, f Field, low, high *int64, most int64) {
	if low == nil && high == nil {
		return
	}
	p.bound(param+"_min", low, most)
	p.bound(param+"_max", high, most)
	if low != nil && high != nil && *low > *high {
		p.fail(param+"_min", "must not be greater than %s_max (%d > %d)", param, *low, *high)
	}
	p.want(Range{f, low, high}, false)
}

func (p *parser) bound(field string, v *int64, most int64) {
	switch {
	case v == nil:
	case *v < 0:
		p.fail(field, "must not be negative")
	case most > 0 && *v > most:
		p.fail(field, "must be at most %d", most)
	}
}

func (p *parser) connections(filters []ConnectionFilter) {
	if len(filters) > valuesMax {
		p.fail("connections", "must have at most %d entries, not %d", valuesMax, len(filters))
		return
	}
	var wanted Or
	for i, f := range filters {
		wanted = append(wanted, p.connection(fmt.Sprintf("connections[%d]", i), f))
	}
	if len(wanted) > 0 {
		p.want(wanted, false)
	}
}

func (p *parser) connection(field string, f ConnectionFilter) Connected {
	var c Connected
	if f == (ConnectionFilter{}) {
		p.fail(field, "must have category, connected_company_id or connected_domain")
	}
	if f.Category != "" && p.sound(field+".category", f.Category) {
		c.Category = p.give(field+".category", FieldConnectionCategory, f.Category, text.Fold(f.Category))
	}
	if f.ConnectedCompanyID != "" {
		connected, err := id.Parse[id.Company](f.ConnectedCompanyID)
		if err != nil || connected.IsZero() {
			p.fail(field+".connected_company_id", "must be a company's id, a UUID")
		} else {
			p.give(field+".connected_company_id", FieldConnectedCompany, f.ConnectedCompanyID, connected.String())
		}
		c.Company = connected
	}
	if f.ConnectedDomain != "" && p.sound(field+".connected_domain", f.ConnectedDomain) {
		domain, ok := company.CleanDomain(f.ConnectedDomain)
		if !ok {
			p.fail(field+".connected_domain", "must be a domain such as example.com")
		}
		c.Domain = p.give(field+".connected_domain", FieldConnectedDomain, f.ConnectedDomain, domain)
	}
	return c
}

// each calls fn with the name and text of every sound value of a list.
func (p *parser) each(param string, values []string, fn func(field, raw string)) {
	if len(values) > valuesMax {
		p.fail(param, "must have at most %d values, not %d", valuesMax, len(values))
		return
	}
	for i, raw := range values {
		if field := fmt.Sprintf("%s[%d]", param, i); p.sound(field, raw) {
			fn(field, raw)
		}
	}
}

// sound checks what every text must be: neither empty, nor too long, nor with characters that no text has.
func (p *parser) sound(field, s string) bool {
	switch {
	case strings.TrimSpace(s) == "" || text.Fold(s) == "":
		p.fail(field, "must not be empty")
	case utf8.RuneCountInString(s) > charsMax:
		p.fail(field, "must have at most %d characters", charsMax)
	case strings.ContainsFunc(s, isUnsound):
		p.fail(field, "has a control character or an invalid one")
	default:
		return true
	}
	return false
}

// isUnsound holds for control characters, and for what stands where a decoder met broken text.
func isUnsound(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
}

// give notes what a value was read as, for warnings.
func (p *parser) give(param string, f Field, raw, value string) string {
	p.given = append(p.given, Given{Param: param, Field: f, Raw: raw, Value: value})
	return value
}
