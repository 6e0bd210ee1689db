package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
)

// DomainRow is a record of a file and the domain in it.
type DomainRow struct {
	Line   int
	Domain string // as company.CleanDomain returns it; empty if the record has none
	Text   string // the record as the file has it
}

// ReadDomains reads the domains in a file of companies, from the columns that an import reads as domains and websites. It
// reads at most limit records. notices say how the file was read, each a predicate of the file. It is an error if no column
// has domains.
func ReadDomains(name string, in io.Reader, limit int) (rows []DomainRow, notices []string, err error) {
	s := source.New(name, in, schema{}, source.Options{})
	defer s.Close()
	var none error
	for {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		notices = append(notices, t.Notices...)
		found, unread, err := domainsOf(t, limit-len(rows))
		switch {
		case errors.Is(err, errNoDomains):
			none = err
		case err != nil:
			return nil, nil, err
		}
		rows, notices = append(rows, found...), append(notices, unread...)
		if len(rows) >= limit {
			break
		}
	}
	if len(rows) == 0 && none != nil {
		return nil, nil, none
	}
	return rows, notices, nil
}

var errNoDomains = errors.New("no column of the file has domains or websites")

// domainsOf reads the domains of one table. unread says which rows are left out, each a predicate of the file.
func domainsOf(t *source.Table, limit int) (rows []DomainRow, unread []string, err error) {
	first, err := takeSample(t)
	if err != nil {
		return nil, nil, err
	}
	plan, err := makePlan(Mapping{}, first)
	if errors.Is(err, ErrNoColumns) {
		return nil, nil, noDomains(first)
	}
	if err != nil {
		return nil, nil, err
	}
	if !first.open && !plan.has(colDomain) && !plan.has(colWebsite) {
		return nil, nil, noDomains(first)
	}
	m := newMapper(plan)
	return takeRows(t, limit, func(r *source.Record) DomainRow {
		return DomainRow{Line: r.Line, Domain: m.domain(r), Text: strings.Clone(strings.TrimSpace(r.Raw()))}
	})
}

func noDomains(s *sample) error {
	names := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		names = append(names, c.name)
	}
	return fmt.Errorf("%w; its columns are: %s", errNoDomains, shorten(strings.Join(names, ", ")))
}

// domain returns the domain of a record: that of a column of domains, or else of a website.
func (m *mapper) domain(r *source.Record) (website string) {
	for i := range r.Fields {
		f := &r.Fields[i]
		column := m.target(f.Name).column
		if f.Value.IsBlank() || column != colDomain && column != colWebsite {
			continue
		}
		domain, ok := company.CleanDomain(addresses(textOf(&f.Value))[0])
		switch {
		case ok && column == colDomain:
			return domain
		case ok && website == "":
			website = domain
		}
	}
	return website
}
