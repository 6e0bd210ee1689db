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
		switch found, err := listRowsOf(t, limit-len(rows)); {
		case errors.Is(err, ErrNoColumns):
			none = err
		case err != nil:
			return nil, nil, err
		default:
			rows = append(rows, found...)
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

func listRowsOf(t *source.Table, limit int) ([]ListRow, error) {
	first, err := takeSample(t)
	if err != nil {
		return nil, err
	}
	plan, err := makePlan(Mapping{}, first)
	if err != nil {
		return nil, err
	}
	return takeRows(t, limit, newMapper(plan).listRow)
}

// takeRows reads at most limit records of the table.
func takeRows[T any](t *source.Table, limit int, read func(*source.Record) T) (rows []T, err error) {
	for len(rows) < limit {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		chunk.Records(func(r *source.Record) {
			if len(rows) < limit {
				rows = append(rows, read(r))
			}
		})
	}
	return rows, nil
}

// listRow reads the first value of each field.
func (m *mapper) listRow(r *source.Record) ListRow {
	row := ListRow{Line: r.Line}
	to := map[column]*string{
		colID: &row.ID, colKey: &row.ID, colName: &row.Name, colDomain: &row.Domain, colWebsite: &row.Website,
		colLinkedIn: &row.LinkedIn, colCountry: &row.Country, colCountryCode: &row.Country, colCity: &row.City,
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		value := to[m.target(f.Name).column]
		if value == nil || *value != "" || f.Value.IsBlank() {
			continue
		}
		*value = strings.Clone(strings.TrimSpace(textOf(&f.Value)))
	}
	row.Domain, row.Website = addresses(row.Domain)[0], addresses(row.Website)[0]
	return row
}
