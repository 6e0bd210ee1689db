package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
)

// matchVersion is the version of the rules that the stored keys are computed with. 0 compared folded names with their
// punctuation and spaces, 1 leaves these out, 2 has keys of pages on LinkedIn.
const matchVersion = 2

const upgradeMax = 1_000 // companies of one transaction

// UpgradeKeys computes the match keys of all companies again if an older version stored them. It merges nothing: Duplicates
// lists the companies that have become equal. It returns how many keys of names it changed; a second call does nothing.
func (s *Store) UpgradeKeys(ctx context.Context) (changed int, err error) {
	var version int
	err = s.db.Read().QueryRowContext(ctx, `SELECT match_version FROM catalog_state WHERE id = 1`).Scan(&version)
	if err != nil || version >= matchVersion {
		return 0, err
	}
	after, done := company.Number(0), false
	for !done {
		n, last := 0, after
		err := s.write(ctx, func(e *edit) error {
			n, last, done = 0, after, false // the transaction may run again
			rows, err := load(ctx, e.tx, `WHERE number > $1 AND length(record) > 0 ORDER BY number LIMIT $2`, int64(after), upgradeMax)
			if err != nil {
				return err
			}
			done = len(rows) < upgradeMax
			for i := range rows {
				r := &rows[i]
				last = r.number
				c, err := r.company(false)
				if err != nil {
					return err
				}
				key, page := nameKey(identity.Name(c.Name)), pageKeyOf(c)
				if key != r.nameKey {
					n++
				} else if page == r.pageKey {
					continue
				}
				if _, err := e.tx.ExecContext(ctx, `UPDATE company SET name_key = $1, page_key = $2 WHERE number = $3`,
					key, page, int64(r.number)); err != nil {
					return err
				}
			}
			if !done {
				return nil
			}
			_, err = e.tx.ExecContext(ctx, `UPDATE catalog_state SET match_version = $1 WHERE id = 1`, matchVersion)
			return err
		})
		if err != nil {
			return changed, fmt.Errorf("compute match keys: %w", err)
		}
		changed, after = changed+n, last
	}
	return changed, nil
}

// Duplicate is two companies whose names differ only in punctuation, spaces or case, and whose other values do not contradict.
// An import would take a row of one for the other.
type Duplicate struct {
	Companies [2]*company.Company // the older one first, without connections
}

// Duplicates calls fn for each pair of likely duplicates, by name.
func (s *Store) Duplicates(ctx context.Context, fn func(Duplicate) error) error {
	keys, err := db.Collect(ctx, s.db.Read(), db.Value[int64],
		`SELECT name_key FROM company WHERE length(record) > 0 GROUP BY name_key HAVING COUNT(*) > 1 ORDER BY name_key`)
	if err != nil {
		return fmt.Errorf("find duplicates: %w", err)
	}
	for _, key := range keys {
		rows, err := load(ctx, s.db.Read(), `WHERE number `+s.db.InSelect(`SELECT number FROM company_key WHERE key = $1`)+`
			AND name_key = $1 AND length(record) > 0 ORDER BY number LIMIT $2`, key, candidatesMax)
		if err != nil {
			return err
		}
		m, err := newMatchIndex(rows)
		if err != nil {
			return err
		}
		if err := m.duplicates(key, fn); err != nil {
			return err
		}
	}
	return nil
}

func (m *matchIndex) duplicates(key int64, fn func(Duplicate) error) error {
	all := m.byKey[key]
	for i, a := range all {
		for _, b := range all[:i] {
			in := Prepare(a.company)
			if a.name != b.name || text.Fold(a.company.Name) == text.Fold(b.company.Name) || !identity.Agree(a.company.Domain, b.company.Domain) ||
				!m.agreeInPlace(b, &in) || !m.mayMatch(b, &in) {
				continue
			}
			if err := fn(Duplicate{[2]*company.Company{b.company, a.company}}); err != nil {
				return err
			}
		}
	}
	return nil
}
