package ingest

import (
	"fmt"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
)

// item is a record made ready for the catalog: a company with connections, a connection, or a reject.
type item struct {
	line        int
	reason      Reason // not empty for a reject
	detail      string
	company     *catalog.Incoming
	connections []catalog.Connection // of the company, without a source; else the one that the record is
	rejects     []string             // what is wrong with connections of the company that are left out
}

// mapper turns records into items. Not safe for concurrent use.
type mapper struct {
	company, connection map[string]place // by the name as the source spells it
	ranks               [colCategory + 1]int
}

// namesMax bounds what a mapper remembers of a source's spellings.
const namesMax = 10_000

func newMapper() *mapper {
	return &mapper{company: map[string]place{}, connection: map[string]place{}}
}

// placeOf looks a name up as it is spelled, and learns it.
func placeOf(learnt, known map[string]place, name string) place {
	p, ok := learnt[name]
	if !ok {
		p = known[normalName(name)]
		if len(learnt) < namesMax {
			learnt[strings.Clone(name)] = p
		}
	}
	return p
}

func (m *mapper) item(r *Record) item {
	it := item{line: r.Line, reason: r.Reason, detail: r.Detail}
	switch {
	case r.Reason != "":
	case isConnection(r.Fields):
		m.mapConnection(r, &it)
	default:
		m.mapCompany(r, &it)
	}
	return it
}

func isConnection(fields []Field) bool {
	for i := range fields {
		n := fields[i].Name
		if len(n) > len(connectionPrefix) && n[0]|0x20 == 'c' && strings.HasPrefix(normalName(n), connectionPrefix) {
			return true
		}
	}
	return false
}

func (m *mapper) mapCompany(r *Record, it *item) {
	var c company.Company
	d := draft{company: &c, item: it}
	m.ranks = [colCategory + 1]int{}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Value.isBlank() {
			continue
		}
		p := placeOf(m.company, companyPlaces(), f.Name)
		switch have := m.ranks[p.column]; {
		case p.column == colAttribute:
			d.attribute(f)
		case have != 0 && p.rank+1 > have:
			d.attribute(f) // a better name has spoken already
		default:
			m.ranks[p.column] = p.rank + 1
			d.set(p.column, f)
		}
	}
	d.finish()
}

func (m *mapper) mapConnection(r *Record, it *item) {
	var c catalog.Connection
	m.ranks = [colCategory + 1]int{}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Value.isBlank() {
			continue
		}
		p := placeOf(m.connection, connectionPlaces(), f.Name)
		if have := m.ranks[p.column]; have != 0 && p.rank+1 > have {
			continue
		}
		m.ranks[p.column] = p.rank + 1
		text := company.CleanText(f.Value.text())
		switch p.column {
		case colCategory:
			c.Category = text
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
	if problem := check(&c, true); problem != "" {
		it.reason, it.detail = ReasonConnection, problem
		return
	}
	it.connections = []catalog.Connection{c}
}

func setEnd(e *catalog.End, c column, text string) {
	switch c {
	case colID:
		e.ID = catalog.CompanyID(text)
	case colName:
		e.Name = text
	case colDomain:
		e.Domain, _ = company.CleanDomain(text)
	default:
	}
}

// check says what is missing from a connection; empty if nothing is.
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
			return fmt.Sprintf("a name of %d bytes is too long", len(text))
		}
	}
	return ""
}
