package packed

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/bench/workload"
)

// Where returns an operation's filters, except its text, as the conditions of a statement on a table company(number,
// country, employees, founded) with side tables member(id, number) and connection(category, domain, number).
func (d *Dictionary) Where(op workload.Op) []string {
	return append(d.WhereBut(op), d.whereLists(op)...)
}

// HasLists reports whether the operation filters by list fields.
func HasLists(op workload.Op) bool {
	f := op.Filters
	return len(f.Industries)+len(f.Technologies)+len(f.TechnologyCategories)+len(f.ExcludeIndustries) > 0
}

func (d *Dictionary) whereLists(op workload.Op) (conditions []string) {
	f := op.Filters
	add := func(format string, args ...any) { conditions = append(conditions, fmt.Sprintf(format, args...)) }
	for i, values := range [...][]string{f.Industries, f.Technologies, f.TechnologyCategories} {
		if len(values) > 0 {
			add("company.number IN (SELECT number FROM member WHERE id IN (%s))", list(d.IDs(Industry+i, values)))
		}
	}
	if len(f.ExcludeIndustries) > 0 {
		add("NOT EXISTS (SELECT 1 FROM member x WHERE x.id IN (%s) AND x.number = company.number)",
			list(d.IDs(Industry, f.ExcludeIndustries)))
	}
	return conditions
}

// WhereBut is Where without the conditions that a Filter checks on packed rows.
func (d *Dictionary) WhereBut(op workload.Op) (conditions []string) {
	f := op.Filters
	add := func(format string, args ...any) { conditions = append(conditions, fmt.Sprintf(format, args...)) }
	if len(f.Countries) > 0 {
		add("country IN (%s)", list(d.IDs(Country, f.Countries)))
	}
	for _, r := range []struct {
		column, compare string
		bound           *int64
	}{
		{"employees", ">=", f.EmployeeCountMin},
		{"employees", "<=", f.EmployeeCountMax},
		{"founded", ">=", f.FoundedYearMin},
		{"founded", "<=", f.FoundedYearMax},
	} {
		if r.bound != nil {
			add("%s %s %d", r.column, r.compare, *r.bound)
		}
	}
	for _, c := range f.Connections {
		add("company.number IN (SELECT number FROM connection WHERE category = '%s' AND domain = '%s')",
			c.Category, c.ConnectedDomain)
	}
	return conditions
}

func list(ids []uint16) string {
	if len(ids) == 0 {
		return "-1"
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.Itoa(int(id))
	}
	return strings.Join(texts, ", ")
}

// And joins conditions.
func And(conditions []string) string {
	if len(conditions) == 0 {
		return "true"
	}
	return strings.Join(conditions, " AND ")
}
