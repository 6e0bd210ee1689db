package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
)

// Bounded returns the query as somebody may ask it who does not see the locked fields: ranges of locked numbers cover whole bands,
// NAICS codes whole sectors, words are found in the name alone if the description is locked, and domains only as a whole. Notices
// say what was changed. Validation for a filter on any other locked field, other than for has and missing.
func (q Query) Bounded(locked company.FieldSet) (Query, error) {
	switch {
	case locked.IsEmpty():
		return q, nil
	case !q.parsed && q.Root != nil:
		return Query{}, errors.New("query: only a parsed query can be bounded")
	}
	if q.setField != "" {
		return parseSet(q.setField, q.filters.In[0], locked)
	}
	return parse(q.filters, locked)
}

// With returns the query with a further notice, if it is not nil.
func (q Query) With(n *Notice) Query {
	if n != nil {
		q.notes = append(slices.Clip(q.notes), *n)
	}
	return q
}

// Widened returns an error for each filter that Bounded has widened, so that more companies match than were asked for.
func (q Query) Widened() []fault.FieldError { return q.widened }

// Bounded returns the sort for somebody who does not see the locked fields, and a notice if it is not the one that was asked for. An order by a locked
// number would show it, and so would relevance, which counts descriptions and the number of employees.
func (s Sort) Bounded(locked company.FieldSet) (Sort, *Notice) {
	byName := false
	switch s.By {
	case ByRelevance:
		byName = locked.Has("description") || locked.Has("employee_count")
	case ByEmployeeCount, ByFoundedYear:
		byName = locked.Has(s.By.String())
	case ByName, ByUpdatedAt:
	}
	switch {
	case !byName:
		return s, nil
	case s.Default:
		return Sort{By: ByName}, nil
	}
	return Sort{By: ByName}, &Notice{"sort_by", s.By.String(), "would show values of locked fields; sorted by name instead"}
}

const lockedMessage = "is locked: the workspace sees it only for companies that it owns, so companies cannot be found by it"

// refuses reports whether a filter with some values is refused, and adds its error.
func (p *parser) refuses(of *Param, values int) bool {
	locked := of.Field.IsIn(p.locked) || of.Field == FieldConnection && p.locked.Has("connections")
	if !locked || values == 0 {
		return false
	}
	p.fail(of.Name, lockedMessage)
	return true
}

// banded returns the bound of a range: if the number is locked, that of the band that it is in.
func (p *parser) banded(of *Param, v *int64) *int64 {
	if v == nil || *v < 0 || !of.Field.IsIn(p.locked) {
		return v
	}
	low, high := company.BandOf(of.Field.String(), *v)
	bound := &low
	if of.Kind == KindMax {
		bound = high
	}
	switch {
	case bound == nil:
		p.widen(of.Name, strconv.FormatInt(*v, 10), "is read as no bound, because the number is locked and counts by bands", "leave it out")
	case *bound != *v:
		p.widen(of.Name, strconv.FormatInt(*v, 10), fmt.Sprintf("is read as %d, because the number is locked and counts by bands", *bound), fmt.Sprintf("use %d", *bound))
	}
	return bound
}

// sectors returns the NAICS codes to look for: if they are locked, their sectors.
func (p *parser) sectors(of *Param, raw string, codes []string) []string {
	if len(codes) != 1 || !isCode(codes[0]) || len(codes[0]) == 2 || !of.Field.IsIn(p.locked) {
		return codes
	}
	sector := codes[0][:2]
	p.widen(of.Name, raw, "is read as "+sector+", because the codes are locked and count by sectors", "use "+sector)
	return []string{sector}
}

// widen notes that a filter finds more than was asked for. Instead says what asks for exactly that.
func (p *parser) widen(param, value, message, instead string) {
	p.notes = append(p.notes, Notice{param, value, message})
	p.widened = append(p.widened, fault.FieldError{Field: param, Message: value + " " + message + "; " + instead + " to accept that"})
}

// giveText records the words of a text, for warnings.
func (p *parser) giveText(given ...Given) {
	for _, g := range given {
		g.Text = p.visible(g.Text)
		g.Quiet = p.locked.Has("description") || p.locked.Has("domain")
		p.given = append(p.given, g)
	}
}

// visible returns the condition on texts and domains that reads no locked one, except for whole domains.
func (p *parser) visible(n Node) Node {
	if p.locked.IsEmpty() {
		return n
	}
	switch n := n.(type) {
	case And:
		parts := make(And, len(n))
		for i, part := range n {
			parts[i] = p.visible(part)
		}
		return parts
	case Or:
		parts := make(Or, len(n))
		for i, part := range n {
			parts[i] = p.visible(part)
		}
		return parts
	case Word:
		forms := make([]Phrase, len(n.Forms))
		for i, f := range n.Forms {
			forms[i] = Phrase{f.Words, f.Prefix, p.locked.Has("description")}
		}
		return Word{forms}
	case Phrase:
		return Phrase{n.Words, n.Prefix, p.locked.Has("description")}
	case Term:
		return Term{n.Word, n.Prefix, p.locked.Has("description")}
	case Domain:
		if n.Prefix && p.locked.Has("domain") {
			return Or{}
		}
	}
	return n
}
