package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
)

// Identifiers are values by which companies are looked up.
type Identifiers struct {
	IDs     []id.Company
	Domains []string // as company.CleanDomain returns them
	Pages   []string // on LinkedIn, as identity.Page returns them
	Names   []string // as identity.Name returns them
}

// Candidates are the companies that have one of the identifiers, without their connections, each slice by ascending number.
type Candidates struct {
	ByID     map[id.Company]*company.Company
	ByDomain map[string][]*company.Company
	ByPage   map[string][]*company.Company
	ByName   map[string][]*company.Company // of a name that more companies have, the first NamesakesMax
}

// NamesakesMax is the most companies that are looked up by one name.
const NamesakesMax = namesakesMax

// Candidates looks up companies. Identifiers without a company are left out.
func (s *Store) Candidates(ctx context.Context, given Identifiers) (*Candidates, error) {
	found := &Candidates{
		ByID: map[id.Company]*company.Company{}, ByDomain: map[string][]*company.Company{},
		ByPage: map[string][]*company.Company{}, ByName: map[string][]*company.Company{},
	}
	var domains, pages, names []int64
	for _, d := range given.Domains {
		domains, found.ByDomain[d] = append(domains, domainKey(d)), nil
	}
	for _, p := range given.Pages {
		pages, found.ByPage[p] = append(pages, pageKey(p)), nil
	}
	byKey := map[int64]string{}
	for _, n := range given.Names {
		names, found.ByName[n] = append(names, nameKey(n)), nil
		byKey[nameKey(n)] = n
	}
	few, err := selective(ctx, s.db.Read(), s.db.Dialect, names)
	if err != nil {
		return nil, fmt.Errorf("look up companies: %w", err)
	}
	for _, key := range few {
		delete(byKey, key)
	}
	keys := (&wanted{ids: given.IDs, domains: domains, names: few}).keys()
	numbers := `SELECT number FROM company_key WHERE key ` + s.db.InNumbers("$1") + `
		UNION SELECT number FROM company WHERE page_key ` + s.db.InNumbers("$2")
	rows, err := load(ctx, s.db.Read(), `WHERE number `+s.db.InSelect(numbers)+` ORDER BY number`,
		numberArray(distinct(keys)), numberArray(distinct(pages)))
	if err != nil {
		return nil, err
	}
	for key := range byKey {
		more, err := load(ctx, s.db.Read(), `WHERE number `+s.db.InSelect(`SELECT number FROM company_key WHERE key = $1`)+`
			AND name_key = $1 ORDER BY number LIMIT $2`, key, NamesakesMax)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return found, found.add(rows, given.IDs)
}

// add assigns the companies to the identifiers that they have. A key is no proof: two values may share it.
func (f *Candidates) add(rows []row, ids []id.Company) error {
	wanted := make(map[id.Company]bool, len(ids))
	for _, c := range ids {
		wanted[c] = true
	}
	seen := make(map[company.Number]bool, len(rows))
	for i := range rows {
		if seen[rows[i].number] {
			continue
		}
		seen[rows[i].number] = true
		c, err := rows[i].company(false)
		if err != nil {
			return err
		}
		if wanted[c.ID] {
			f.ByID[c.ID] = c
		}
		appendTo(f.ByDomain, c.Domain, c)
		appendTo(f.ByPage, identity.Page(c.LinkedInURL), c)
		appendTo(f.ByName, identity.Name(c.Name), c)
	}
	return nil
}

// appendTo appends the company to those of the identifier if it was asked for.
func appendTo(m map[string][]*company.Company, identifier string, c *company.Company) {
	if have, asked := m[identifier]; asked {
		m[identifier] = append(have, c)
	}
}
