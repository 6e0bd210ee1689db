package importer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/importer/source"
)

// ListRow has the values of a record by which a company can be found, as the file has them.
type ListRow struct {
	Line                                               int
	ID, Name, Domain, Website, LinkedIn, Country, City string
}

// ReadListRows reads a file of companies that nobody imports, from the columns that an import reads as id, name, domain, website,
// LinkedIn page, country and city. It reads at most limit records. notices say how the file was read, each a predicate of the file. It
// is an error if no column identifies companies.
func ReadListRows(name string, in io.Reader, limit int) (rows []ListRow, notices []string, err error) {
	s := source.New(name, in, schema{}, source.Options{})
	defer s.Close()
	var none error
	for len(rows) < limit {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		notices = append(notices, t.Notices...)
		switch found, unread, err := listRowsOf(t, limit-len(rows)); {
		case errors.Is(err, ErrNoColumns):
			none = err
		case err != nil:
			return nil, nil, err
		default:
			rows, notices = append(rows, found...), append(notices, unread...)
		}
	}
	if len(rows) == 0 && none != nil {
		return nil, nil, fmt.Errorf("no column has names, domains, websites or ids of companies: %w", none)
	}
	return rows, notices, nil
}

// IsListHeader reports whether the first line of a pasted list names its columns, and one of them identifies companies. A name such as
// "Acme, Inc." does not.
func IsListHeader(line string) bool {
	for cell := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == '\t' || r == ',' || r == ';' }) {
		of, ok := aliasOf(strings.Trim(cell, " \""))
		if ok && slices.Contains([]column{colID, colKey, colName, colDomain, colWebsite, colLinkedIn}, of.column) {
			return true
		}
	}
	return false
}

// listRowsOf reads a table. unread says which columns are not read although their names are those of a list, each a predicate of the file.
func listRowsOf(t *source.Table, limit int) (rows []ListRow, unread []string, err error) {
	first, err := takeSample(t)
	if err != nil {
		return nil, nil, err
	}
	plan, err := makePlan(Mapping{}, first)
	if err != nil {
		return nil, nil, err
	}
	m := newMapper(plan)
	for _, c := range first.columns {
		of, known := aliasOf(c.name)
		if known && c.note != "" && (&ListRow{}).of(of.column) != nil && (&ListRow{}).of(m.target(c.name).column) == nil {
			unread = append(unread, fmt.Sprintf("has a column %q that was not read, because %s", c.name, c.note))
		}
	}
	rows, other, err := takeRows(t, limit, m.listRow)
	return rows, append(unread, other...), err
}

// takeRows reads at most limit records of the table. unread says which rows are left out, as they belong to another table below it.
func takeRows[T any](t *source.Table, limit int, read func(*source.Record) T) (rows []T, unread []string, err error) {
	for len(rows) < limit {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return rows, unread, nil
		}
		if err != nil {
			return nil, nil, err
		}
		chunk.Records(func(r *source.Record) {
			switch {
			case len(rows) >= limit:
			case r.Reason != source.ReasonOtherTable:
				rows = append(rows, read(r))
			case len(unread) == 0:
				unread = []string{"has rows that are not read: " + r.Detail}
			}
		})
	}
	return rows, unread, nil
}

// of returns the value that a column has; nil for a column that a list has no use for.
func (r *ListRow) of(c column) *string {
	return map[column]*string{
		colID: &r.ID, colKey: &r.ID, colName: &r.Name, colDomain: &r.Domain, colWebsite: &r.Website,
		colLinkedIn: &r.LinkedIn, colCountry: &r.Country, colCountryCode: &r.Country, colCity: &r.City,
	}[c]
}

// listRow reads the first value of each field.
func (m *mapper) listRow(r *source.Record) ListRow {
	row := ListRow{Line: r.Line}
	for i := range r.Fields {
		f := &r.Fields[i]
		value := row.of(m.target(f.Name).column)
		if value == nil || *value != "" || f.Value.IsBlank() {
			continue
		}
		*value = strings.Clone(strings.TrimSpace(textOf(&f.Value)))
	}
	row.Domain, row.Website = addresses(row.Domain)[0], addresses(row.Website)[0]
	return row
}
