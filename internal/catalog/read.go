package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// readMax is the number of companies that one statement asks for.
const readMax = 500

// ByID returns the company with its connections, or a NotFound fault.
func (s *Store) ByID(ctx context.Context, c id.Company) (*company.Company, error) {
	rows, err := load(ctx, s.db.Read(), `WHERE id = $1 AND number `+s.db.InSelect(`SELECT number FROM company_key WHERE key = $2`), c.String(), idTail(c))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "There is no company with the id %s.", c)
	}
	return rows[0].company(true)
}

// ByNumbers returns the companies, without their connections, in the order of the numbers. It skips unknown numbers. Others may get
// the same companies, so nobody may change them.
func (s *Store) ByNumbers(ctx context.Context, numbers []company.Number) ([]*company.Company, error) {
	var found map[company.Number]*company.Company
	var err error
	if len(numbers) <= recentAskMax {
		found, err = s.keptOrRead(ctx, numbers)
	} else {
		found, _, err = s.readNumbers(ctx, numbers)
	}
	if err != nil {
		return nil, fmt.Errorf("read companies: %w", err)
	}
	out := make([]*company.Company, 0, len(numbers))
	for _, n := range numbers {
		if c := found[n]; c != nil {
			out = append(out, c)
		}
	}
	return out, nil
}

// keptOrRead returns the companies that are kept, and reads and keeps the others.
func (s *Store) keptOrRead(ctx context.Context, numbers []company.Number) (map[company.Number]*company.Company, error) {
	seq, err := s.Seq(ctx)
	if err != nil {
		return nil, err
	}
	found := s.recent.get(seq, numbers)
	missing := slices.DeleteFunc(slices.Clone(numbers), func(n company.Number) bool { return found[n] != nil })
	if len(missing) == 0 {
		return found, nil
	}
	read, sizes, err := s.readNumbers(ctx, missing)
	if err != nil {
		return nil, err
	}
	s.recent.put(seq, read, sizes)
	maps.Copy(found, read)
	return found, nil
}

// readNumbers reads the companies, and returns the size of each record.
func (s *Store) readNumbers(
	ctx context.Context, numbers []company.Number,
) (found map[company.Number]*company.Company, sizes map[company.Number]int, err error) {
	found, sizes = make(map[company.Number]*company.Company, len(numbers)), make(map[company.Number]int, len(numbers))
	for part := range chunks(numbers, readMax) {
		err := db.Each(ctx, s.db.Read(), func(result db.Row) error {
			r := row{}
			if err := result.Scan(&r.number, &r.record); err != nil {
				return err
			}
			c, err := r.company(false)
			found[r.number], sizes[r.number] = c, len(r.record)
			return err
		}, `SELECT number, record FROM company WHERE length(record) > 0 AND number `+s.db.InNumbers("$1"),
			numberArray(part))
		if err != nil {
			return nil, nil, err
		}
	}
	return found, sizes, nil
}

// Numbers returns the numbers of the known ids, in their order, and the unknown ids.
func (s *Store) Numbers(ctx context.Context, ids []id.Company) (numbers []company.Number, unknown []id.Company, err error) {
	for part := range chunks(ids, readMax) {
		found := make(map[id.Company]company.Number, len(part))
		err := db.Each(ctx, s.db.Read(), func(result db.Row) error {
			var c id.Company
			var n company.Number
			err := result.Scan(&c, &n)
			found[c] = n
			return err
		}, `SELECT id, number FROM company WHERE length(record) > 0 AND `+withIDs(s.db, "company_key"), idArray(part), idTails(part))
		if err != nil {
			return nil, nil, fmt.Errorf("numbers of companies: %w", err)
		}
		for _, c := range part {
			if n, ok := found[c]; ok {
				numbers = append(numbers, n)
			} else {
				unknown = append(unknown, c)
			}
		}
	}
	return numbers, unknown, nil
}

// withIDs is a condition on company: the ids of $1, of which $2 must be the idTails. keys is the table of keys.
func withIDs(d db.Dialect, keys string) string {
	return `id IN (SELECT value FROM ` + d.EachString("$1") + `)
		AND number ` + d.InSelect(`SELECT number FROM `+keys+` WHERE key `+d.InNumbers("$2"))
}

// SharingDomain returns how many of the companies have the domain of another one of them.
func (s *Store) SharingDomain(ctx context.Context, numbers []company.Number) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM (SELECT COUNT(*) AS n FROM company
		WHERE domain_key IS NOT NULL AND number `+s.db.InNumbers("$1")+`
		GROUP BY domain_key HAVING COUNT(*) > 1) AS shared`, numberArray(numbers)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count companies that share a domain: %w", err)
	}
	return n, nil
}

// ByDomains returns the numbers of the companies of each domain, ascending. Domains without a company are left out. The
// domains must be clean, as company.CleanDomain returns them.
func (s *Store) ByDomains(ctx context.Context, domains []string) (map[string][]company.Number, error) {
	out := make(map[string][]company.Number, len(domains))
	wanted := make(map[string]bool, len(domains))
	for _, d := range domains {
		wanted[d] = true
	}
	for part := range chunks(domains, readMax) {
		keys := make([]int64, len(part))
		for i, d := range part {
			keys[i] = domainKey(d)
		}
		rows, err := load(ctx, s.db.Read(), `WHERE number `+s.db.InSelect(`SELECT number FROM company_key WHERE key `+s.db.InNumbers("$1"))+` ORDER BY number`,
			numberArray(distinct(keys)))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			c, err := rows[i].company(false)
			if err != nil {
				return nil, err
			}
			if wanted[c.Domain] {
				out[c.Domain] = append(out[c.Domain], c.Number)
			}
		}
	}
	return out, nil
}
