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

// Parse checks the filters and reads them as a query. A fault.Validation error lists every invalid value.
func Parse(f Filters) (Query, error) { return parse(f, 0) }

func parse(f Filters, locked company.FieldSet) (Query, error) {
	p := parser{locked: locked, sizes: &setSizes{}}
	p.all(&f)
	if err := fault.Invalid(p.errs...); err != nil {
		return Query{}, err
	}
	q := p.query()
	q.filters, q.hasText = f, f.Query != ""
	return q, nil
}

type parser struct {
	parts And
	given []Given
	notes []Notice
	errs  []fault.FieldError

	locked  company.FieldSet
	widened []fault.FieldError

	conflicts []Given
	sets      []SetUse
	sizes     *setSizes // of all sets so far, also of those around the one that is parsed
}

// query returns what was parsed without an error.
func (p *parser) query() Query {
	return Query{
		Root: Simplify(p.parts), parsed: true, widened: p.widened, given: p.given, notes: p.notes, conflicts: p.conflicts, sets: p.sets,
	}
}

// all reads every parameter.
func (p *parser) all(f *Filters) {
	for i := range Params {
		p.param(&Params[i], f)
	}
	if len(p.errs) == 0 {
		p.conflicts = conflictsOf(f)
	}
}

func (p *parser) fail(field, format string, args ...any) {
	p.errs = append(p.errs, fault.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// want adds a condition on the companies; with exclude they must not meet it.
func (p *parser) want(n Node, exclude bool) {
	if exclude {
		n = Not{n}
	}
	p.parts = append(p.parts, n)
}

func (p *parser) param(of *Param, f *Filters) {
	switch of.Kind {
	case KindWords:
		p.words(of, *of.Text(f), f.Prefix)
	case KindPhrases:
		p.phrases(of, *of.Texts(f))
	case KindValues:
		p.oneOf(of, *of.Texts(f))
	case KindCodes:
		p.codes(of, *of.Texts(f))
	case KindMin:
		p.span(of, f)
	case KindMax, KindFlag: // read together with KindMin and KindWords
	case KindConnections:
		p.connections(of, f.Connections)
	case KindSets:
		p.inSets(of, *of.Sets(f))
	case KindSince:
		p.since(of, *of.Text(f))
	}
}

func (p *parser) words(of *Param, s string, prefix bool) {
	if s == "" || !p.validText(of.Name, s) {
		return
	}
	units, begun := readText(s, prefix)
	if len(units) == 0 {
		p.fail(of.Name, "has no letter or digit to look for")
		return
	}
	var all And
	for _, u := range units {
		all = append(all, u.node())
		for _, g := range u.given(of.Name) {
			if begun != nil {
				g.Text = Or{g.Text, begun}
			}
			p.giveText(g)
		}
	}
	if begun != nil {
		all = And{Or{all, begun}}
	}
	for _, n := range all {
		p.want(p.visible(n), of.Exclude)
	}
	p.notes = append(p.notes, operators(s)...)
}

func (p *parser) oneOf(of *Param, values []string) {
	if p.refuses(of, len(values)) {
		return
	}
	var folded []string
	p.each(of.Name, values, func(field, raw string) {
		value, problem := raw, ""
		if of.Read != nil {
			value, problem = of.Read(raw)
		}
		if problem != "" {
			p.fail(field, "%s", problem)
			return
		}
		value = text.Fold(value)
		if !of.Closed {
			p.give(of.Name, of.Field, raw, value)
		}
		folded = append(folded, value)
	})
	switch {
	case len(folded) == 0:
	case of.All:
		for _, value := range folded {
			p.want(OneOf{of.Field, []string{value}}, of.Exclude)
		}
	default:
		p.want(OneOf{of.Field, folded}, of.Exclude)
	}
}

func (p *parser) phrases(of *Param, values []string) {
	var wanted Or
	p.each(of.Name, values, func(field, raw string) {
		if len(text.Tokens(raw)) == 0 {
			p.fail(field, "has no letter or digit to look for")
			return
		}
		keyword := readKeyword(raw)
		wanted = append(wanted, keyword)
		// A word that no company has matters only if the keyword does not occur in another spelling.
		p.giveText(givenWords(of.Name, text.Tokens(raw), func(w string) Node {
			return Or{Word{append([]Phrase{{Words: []string{w}}}, splits(w)...)}, keyword}
		})...)
	})
	if len(wanted) > 0 {
		p.want(p.visible(wanted), of.Exclude)
	}
}

// span reads a range of which either end may be open.
func (p *parser) span(lower *Param, f *Filters) {
	upper := findParam(func(o Param) bool { return o.Field == lower.Field && o.Kind == KindMax })
	low, high := *lower.Int(f), *upper.Int(f)
	if low == nil && high == nil {
		return
	}
	p.bound(lower.Name, low, lower.Max)
	p.bound(upper.Name, high, upper.Max)
	if low != nil && high != nil && *low > *high {
		p.fail(lower.Name, "must not be greater than %s, which is %d", upper.Name, *high)
	}
	low, high = p.banded(lower, low), p.banded(upper, high)
	p.want(Range{lower.Field, low, high}, lower.Exclude)
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

func (p *parser) connections(of *Param, filters []ConnectionFilter) {
	if p.refuses(of, len(filters)) {
		return
	}
	if len(filters) > valuesMax {
		p.fail(of.Name, "must have at most %d entries, not %d", valuesMax, len(filters))
		return
	}
	var wanted Or
	for i, f := range filters {
		wanted = append(wanted, p.connection(fmt.Sprintf("%s[%d]", of.Name, i), f))
	}
	if len(wanted) > 0 {
		p.want(wanted, of.Exclude)
	}
}

func (p *parser) connection(field string, f ConnectionFilter) Connected {
	var c Connected
	if f == (ConnectionFilter{}) {
		p.fail(field, "must have a category, a connected_company_id or a connected_domain")
	}
	if f.Category != "" && p.validText(field+".category", f.Category) {
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
	if f.ConnectedDomain != "" && p.validText(field+".connected_domain", f.ConnectedDomain) {
		domain, ok := company.CleanDomain(f.ConnectedDomain)
		if !ok {
			p.fail(field+".connected_domain", "must be a domain such as example.com")
		}
		c.Domain = p.give(field+".connected_domain", FieldConnectedDomain, f.ConnectedDomain, domain)
	}
	return c
}

// each calls fn with the field path and the text of every valid value of a list.
func (p *parser) each(param string, values []string, fn func(field, raw string)) {
	if len(values) > valuesMax {
		p.fail(param, "must have at most %d values, not %d", valuesMax, len(values))
		return
	}
	for i, raw := range values {
		if field := fmt.Sprintf("%s[%d]", param, i); p.validText(field, raw) {
			fn(field, raw)
		}
	}
}

// validText reports whether a text is neither empty nor too long and has no invalid character; otherwise it adds an error.
func (p *parser) validText(field, s string) bool {
	switch {
	case strings.TrimSpace(s) == "" || text.Fold(s) == "":
		p.fail(field, "must not be empty")
	case utf8.RuneCountInString(s) > charsMax:
		p.fail(field, "must have at most %d characters", charsMax)
	case strings.ContainsFunc(s, isInvalidRune):
		p.fail(field, "has a control character or an invalid one")
	default:
		return true
	}
	return false
}

// isInvalidRune reports whether r is a control character, or the replacement of a byte that is not valid UTF-8.
func isInvalidRune(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
}

// give records what a value was read as, for warnings, and returns it.
func (p *parser) give(param string, f Field, raw, value string) string {
	p.given = append(p.given, Given{Param: param, Field: f, Raw: raw, Value: value, Quiet: f.IsIn(p.locked)})
	return value
}
