package query

import (
	"slices"
	"strings"
)

// ranges are the sectors that NAICS writes as a range, each with the codes that it spans.
var ranges = map[string][]string{"31-33": {"31", "32", "33"}, "44-45": {"44", "45"}, "48-49": {"48", "49"}}

// codes reads codes of 2 to 6 digits, each for all codes below it, and the sector ranges. A range is not given for
// warnings: it exists, and a data set may well lack one of its codes.
func (p *parser) codes(of *Param, values []string) {
	var wanted Or
	p.each(of.Name, values, func(field, raw string) {
		prefixes := p.sectors(of, raw, prefixesOf(raw))
		switch {
		case len(prefixes) > 1:
			for _, prefix := range prefixes {
				wanted = append(wanted, Prefix{of.Field, prefix})
			}
		case isCode(prefixes[0]):
			wanted = append(wanted, Prefix{of.Field, p.give(of.Name, of.Field, raw, prefixes[0])})
		default:
			p.fail(field, "must be a NAICS code of 2 to 6 digits, or a sector: 31-33, 44-45 or 48-49")
		}
	})
	if len(wanted) > 0 {
		p.want(wanted, of.Exclude)
	}
}

// prefixesOf returns the codes that a sector range spans, otherwise the code itself.
func prefixesOf(raw string) []string {
	code := strings.TrimSpace(raw)
	if span, isRange := ranges[strings.ReplaceAll(code, "–", "-")]; isRange {
		return slices.Clone(span)
	}
	return []string{code}
}

func isCode(s string) bool {
	return len(s) >= 2 && len(s) <= 6 && strings.Trim(s, "0123456789") == ""
}
