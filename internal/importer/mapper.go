package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// item is a record prepared for the catalog: a company with its connections, a connection, or a rejected record.
type item struct {
	line        int
	reason      Reason // empty unless the record is rejected
	detail      string
	raw         string // of a rejected record, as the source has it
	company     *catalog.Incoming
	connections []catalog.Connection // of the company, without their Source; or the one that the record is
	rejects     []string             // why connections of the company were left out
	unparsed    []unparsed           // values that could not be read, and were kept as written
}

// unparsed is a value that its field could not be read from.
type unparsed struct{ field, value string }

// mapper turns records into items. It is not safe for concurrent use.
type mapper struct {
	plan       *plan
	learned    map[string]target // by names that the sample did not have, as the source spells them
	connection map[string]alias
	best       [columns]*source.Field // the value for each field that has one value
	bestTarget [columns]target
	lists      []listValue
	places     []listValue // the parts of addresses, if the source has several
	headcounts headcounts
}

// listValue is a value for a field that is a list.
type listValue struct {
	target
	field *source.Field
}

// namesMax bounds how many spellings of a source a mapper remembers.
const namesMax = 10_000

func newMapper(p *plan) *mapper {
	return &mapper{plan: p, learned: map[string]target{}, connection: map[string]alias{}, headcounts: headcounts{}}
}

// target returns what is done with a field. A name that the sample did not have is looked up in the aliases.
func (m *mapper) target(name string) target {
	if t, ok := m.plan.targets[name]; ok {
		return t
	}
	t, ok := m.learned[name]
	if !ok {
		if known, ok := aliasOf(name); ok && m.plan.pair == nil && !m.plan.sawColumn(name) {
			t.alias = known
		}
		if len(m.learned) < namesMax {
			m.learned[strings.Clone(name)] = t
		}
	}
	return t
}

// sawColumn reports whether the sample had the name, so that the plan decided on it.
func (p *plan) sawColumn(name string) bool {
	for i := range p.columns {
		if p.columns[i].Column == name {
			return true
		}
	}
	return false
}

// items appends the record's items: one, or two if the row has two companies.
func (m *mapper) items(out []item, r *source.Record) []item {
	it := item{line: r.Line, reason: r.Reason, detail: r.Detail}
	switch {
	case r.Reason != "":
	case m.plan.groups.is(r):
		it.reason = ReasonGroup
	case isConnection(r.Fields):
		m.mapConnection(r, &it)
	case m.plan.pair != nil:
		return m.mapPair(out, r)
	default:
		m.mapCompany(r, &it, 0)
	}
	return append(out, it.withRaw(r))
}

// withRaw adds the raw record if it is rejected.
func (it item) withRaw(r *source.Record) item {
	if it.reason != "" {
		it.raw = r.Raw()
	}
	return it
}

func (m *mapper) mapPair(out []item, r *source.Record) []item {
	first, other := item{line: r.Line}, item{line: r.Line}
	m.mapCompany(r, &first, sideFirst)
	m.mapCompany(r, &other, sideOther)
	if first.reason == ReasonEmpty && other.reason == "" {
		first, other = other, first // the row has only one of them
	}
	if other.reason == ReasonEmpty {
		return append(out, first.withRaw(r))
	}
	m.plan.pair.connect(&first, &other)
	return append(out, first.withRaw(r), other.withRaw(r))
}

func isConnection(fields []source.Field) bool {
	for i := range fields {
		n := fields[i].Name
		if strings.HasSuffix(n, endNode) {
			return true
		}
		if len(n) > len(connectionPrefix) && strings.EqualFold(n[:9], connectionPrefix[:9]) && strings.HasPrefix(normalName(n), connectionPrefix) {
			if _, known := connectionAliasIndex()[normalName(n)]; known { // "Connected On" is a date in a list of contacts
				return true
			}
		}
	}
	return false
}

// mapCompany reads a company; if the row has two, the one on the side.
func (m *mapper) mapCompany(r *source.Record, it *item, side int8) {
	b := builder{plan: m.plan, company: &company.Company{}, item: it, headcounts: m.headcounts}
	clear(m.best[:])
	m.lists, m.places = m.lists[:0], m.places[:0]
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Value.IsBlank() {
			continue
		}
		t := m.target(f.Name)
		if t.side != 0 && t.side != side || side == sideOther && t.side == 0 {
			continue
		}
		if side != 0 && t.column == colAttribute && t.name != "" {
			f = &source.Field{Name: t.name, Value: f.Value}
		}
		if t.group != 0 {
			m.places = append(m.places, listValue{t, f})
			continue
		}
		m.assign(&b, t, f)
	}
	m.assignPlaces(&b)
	m.applySettings(&b)
	for c := range m.best {
		if f := m.best[c]; f != nil {
			b.set(m.bestTarget[c], f)
		}
	}
	b.lists(m.lists)
	b.finish()
}

// assign keeps a value for its field. If several columns have one, the best wins, and the others become attributes.
func (m *mapper) assign(b *builder, t target, f *source.Field) {
	if isUnknown(&f.Value, t) {
		return
	}
	switch c := t.column; {
	case c == colIgnored:
	case c == colAttribute:
		b.attributeAs(t, f)
	case c.isList():
		m.lists = append(m.lists, listValue{t, f})
	case m.best[c] == nil:
		m.best[c], m.bestTarget[c] = f, t
	case m.isBetter(c, t, f):
		b.attribute(m.best[c])
		m.best[c], m.bestTarget[c] = f, t
	default:
		b.attribute(f)
	}
}

// isBetter reports whether a value is better than the one that its field has. A link with another text has its address in a column of
// its own.
func (m *mapper) isBetter(c column, t target, f *source.Field) bool {
	if c == colWebsite || c == colDomain || c == colLinkedIn {
		have, found := isAddress(addresses(textOf(&m.best[c].Value))[0]), isAddress(addresses(textOf(&f.Value))[0])
		if have != found {
			return found
		}
	}
	return t.rank < m.bestTarget[c].rank
}

// applySettings sets the values of Mapping.Set, which replace those of the columns.
func (m *mapper) applySettings(b *builder) {
	for i := range m.plan.set {
		s := &m.plan.set[i]
		f := &source.Field{Name: s.name, Value: source.Value{Kind: source.Cell, Text: s.value}}
		switch c := s.column; {
		case c == colAttribute:
			b.attribute(f)
		case c.isList():
			m.lists = slices.DeleteFunc(m.lists, func(l listValue) bool {
				return l.column == c && l.category == s.category
			})
			m.lists = append(m.lists, listValue{s.target, f})
		default:
			m.best[c], m.bestTarget[c] = f, s.target
			if c == colCountry {
				m.best[colCountryCode] = nil
			}
		}
	}
}

func (m *mapper) mapConnection(r *source.Record, it *item) {
	var c catalog.Connection
	var ranks [columns]int
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Value.IsBlank() {
			continue
		}
		p, ok := m.connection[f.Name]
		if !ok {
			p = connectionAliasIndex()[normalName(f.Name)]
			if len(m.connection) < namesMax {
				m.connection[strings.Clone(f.Name)] = p
			}
		}
		if have := ranks[p.column]; have != 0 && p.rank+1 > have {
			continue
		}
		ranks[p.column] = p.rank + 1
		text := text.Clean(repair(textOf(&f.Value)))
		switch p.column {
		case colCategory:
			c.Category = cmp.Or(relationshipTypes[text], text)
		case colStatus:
			if text == "INACTIVE" {
				it.reason, it.detail = ReasonEnded, c.Category
			}
		case colID, colName, colDomain:
			setEnd(&c.Source, p.column, text)
		case colTargetID:
			setEnd(&c.Target, colID, text)
		case colTargetName:
			setEnd(&c.Target, colName, text)
		case colTargetDomain:
			setEnd(&c.Target, colDomain, text)
		default:
		}
	}
	for i := range m.plan.set {
		if s := &m.plan.set[i]; s.column == colRelation || s.name == "category" {
			c.Category = s.value
		}
	}
	if it.reason != "" {
		return
	}
	if problem := check(&c, true); problem != "" {
		it.reason, it.detail = ReasonConnection, problem
		return
	}
	it.connections = []catalog.Connection{c}
}

func setEnd(e *catalog.End, c column, text string) {
	if isNull(text) && (c != colName || !isWithheld(text)) {
		return
	}
	switch c {
	case colID:
		e.ID = catalog.CompanyID(text)
	case colName:
		e.Name = text
	case colDomain:
		if domain, ok := company.CleanDomain(text); ok && company.KnownSuffix(domain) {
			e.Domain = domain
		}
	default:
	}
}

// check returns what is wrong with a connection; empty if it can be stored.
func check(c *catalog.Connection, source bool) string {
	isNone := func(e *catalog.End) bool { return e.ID.IsZero() && e.Name == "" && e.Domain == "" }
	switch {
	case c.Category == "":
		return "the category is missing"
	case source && isNone(&c.Source):
		return "the company is missing"
	case isNone(&c.Target):
		return "the connected company is missing"
	}
	for _, text := range []string{c.Category, c.Source.Name, c.Target.Name} {
		if len(text) > company.NameCharsMax {
			return fmt.Sprintf("a name has %d bytes; at most %d are allowed", len(text), company.NameCharsMax)
		}
	}
	return ""
}
