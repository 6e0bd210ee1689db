package packed

import (
	"cmp"
	"iter"
	"slices"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/workload"
)

// Member is a value of a company.
type Member struct {
	ID     uint16
	Number company.Number
}

// Link is a connection of a company.
type Link struct {
	Category, Domain string
	Number           company.Number
}

// Record is a company as stored in the tables.
type Record struct {
	Number    company.Number
	Country   uint16
	Employees *int64
	Founded   *int64
	Row       []uint16

	Name, Description string
}

// Side is the content of the side tables. It is collected while the companies are loaded, so
// that it can be loaded in key order.
type Side struct {
	numbers [][]company.Number // by id
	links   []Link
}

// Records yields the companies and fills the dictionary and side on the way. A record is valid until the next one.
func Records(w *workload.Workload, d *Dictionary, side *Side) iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		var r Record
		for c := range w.Companies() {
			r = Record{
				Number: c.Number, Employees: c.EmployeeCount, Founded: c.FoundedYear, Row: d.Row(r.Row[:0], c),
				Name: c.Name, Description: c.Description,
			}
			r.Country = r.Row[Country]
			side.add(c, r.Row)
			if !yield(&r) {
				return
			}
		}
	}
}

func (s *Side) add(c *company.Company, row []uint16) {
	for _, id := range row {
		for len(s.numbers) <= int(id) {
			s.numbers = append(s.numbers, nil)
		}
		s.numbers[id] = append(s.numbers[id], c.Number)
	}
	for _, x := range c.Connections {
		s.links = append(s.links, Link{x.Category, x.Domain, c.Number})
	}
}

// Members yields the companies of each list value, by value, then number.
func (s *Side) Members(d *Dictionary) iter.Seq2[uint16, []company.Number] {
	return func(yield func(uint16, []company.Number) bool) {
		for id, numbers := range s.numbers {
			facet := d.Values[id].Facet
			if (facet == Industry || facet == Technology || facet == Category) && !yield(uint16(id), numbers) {
				return
			}
		}
	}
}

// Links returns the distinct connections, by domain, category and number.
func (s *Side) Links() []Link {
	slices.SortFunc(s.links, compareLinks)
	return slices.Compact(s.links)
}

func compareLinks(a, b Link) int {
	return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Number, b.Number))
}
