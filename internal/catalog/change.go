package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// Change is the current state of a company that changed; Company is nil if it was removed.
type Change struct {
	Number  company.Number
	Company *company.Company // with connections
}

// Changes returns the companies that changed after the sequence number: at least limit of them if there are that many, and
// always all or none of a sequence number. With them the caller knows the catalog as of upTo or later, and continues from
// there. more reports whether there are further changes.
func (s *Store) Changes(ctx context.Context, after uint64, limit int) (changes []Change, upTo uint64, more bool, err error) {
	err = s.db.ReadTx(ctx, func(q db.Querier) error {
		newest, _, err := state(ctx, q, "")
		if err != nil {
			return err
		}
		if upTo, err = boundary(ctx, q, after, limit, newest); err != nil {
			return err
		}
		more = upTo < newest
		rows, err := loadRows(ctx, q, true, `WHERE seq > $1 AND seq <= $2 ORDER BY seq, number`, int64(after), int64(upTo))
		if err != nil {
			return err
		}
		changes = make([]Change, len(rows))
		for i := range rows {
			if len(rows[i].record) == 0 {
				changes[i] = Change{Number: rows[i].number}
				continue
			}
			c, err := rows[i].company(true)
			if err != nil {
				return err
			}
			changes[i] = Change{c.Number, c}
		}
		return nil
	})
	if err != nil {
		return nil, after, false, fmt.Errorf("changes after %d: %w", after, err)
	}
	return changes, upTo, more, nil
}

// boundary returns the sequence number of the limit-th change, or the newest if there are fewer.
func boundary(ctx context.Context, q db.Querier, after uint64, limit int, newest uint64) (uint64, error) {
	var seq int64
	err := q.QueryRowContext(ctx, `SELECT seq FROM company WHERE seq > $1 ORDER BY seq LIMIT 1 OFFSET $2`,
		int64(after), max(limit, 1)-1).Scan(&seq)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return max(after, newest), nil
	case err != nil:
		return 0, fmt.Errorf("find boundary: %w", err)
	}
	return uint64(seq), nil
}

// Scan calls fn for all companies, with connections, in the order of their numbers, and returns the seq of their state.
func (s *Store) Scan(ctx context.Context, fn func(*company.Company) error) (seq uint64, err error) {
	err = s.db.ReadTx(ctx, func(q db.Querier) error {
		if seq, _, err = state(ctx, q, ""); err != nil {
			return err
		}
		return db.Each(ctx, q, func(result db.Row) error {
			var r row
			if err := result.Scan(&r.number, (*sql.RawBytes)(&r.record), (*sql.RawBytes)(&r.connections)); err != nil {
				return err
			}
			c, err := r.company(true)
			if err != nil {
				return err
			}
			return fn(c)
		}, `SELECT number, record, connections FROM company WHERE length(record) > 0 ORDER BY number`)
	})
	if err != nil {
		return 0, fmt.Errorf("scan catalog: %w", err)
	}
	return seq, nil
}
