package catalog

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// Rows calls fn for the companies, with connections, in the order of the numbers, as they were when Seq was asOf. If Prune
// has deleted that state since, fn gets the oldest state that is left. An unknown number is an error. fn may keep the
// company.
func (s *Store) Rows(ctx context.Context, numbers []company.Number, asOf uint64, fn func(*company.Company) error) error {
	for part := range chunks(numbers, readMax) {
		found, err := s.asOf(ctx, part, asOf)
		if err != nil {
			return err
		}
		for _, n := range part {
			r, ok := found[n]
			if !ok {
				return fmt.Errorf("company %d is not in the catalog", n)
			}
			c, err := r.company(true)
			if err != nil {
				return err
			}
			if err := fn(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// asOf returns, for each company, the oldest of the states that ended after asOf: the state at asOf, if it is still kept.
func (s *Store) asOf(ctx context.Context, numbers []company.Number, asOf uint64) (map[company.Number]row, error) {
	found := make(map[company.Number]row, len(numbers))
	in := `number ` + s.db.InNumbers("$1")
	err := db.Each(ctx, s.db.Read(), func(result db.Row) error {
		var r row
		err := result.Scan(&r.number, &r.seq, &r.record, &r.connections)
		if old, ok := found[r.number]; !ok || r.seq < old.seq {
			found[r.number] = r
		}
		return err
	}, `SELECT number, seq, record, connections FROM company WHERE length(record) > 0 AND `+in+`
	    UNION ALL SELECT number, seq, record, connections FROM company_past WHERE `+in+` AND until > $2`,
		numberArray(numbers), int64(asOf))
	if err != nil {
		return nil, fmt.Errorf("read companies as of %d: %w", asOf, err)
	}
	return found, nil
}

// Prune deletes the past states that ended at before or earlier: Rows stays exact for asOf from before on. It uses many
// short transactions if there is much to delete.
func (s *Store) Prune(ctx context.Context, before uint64) error {
	if from, err := s.PastFrom(ctx); err != nil || before <= from {
		return err
	}
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `UPDATE catalog_state SET past_from = $1 WHERE id = 1 AND past_from < $1`
		_, err := tx.ExecContext(ctx, q, int64(before)) //nolint:gosec // a seq is far below 2^63
		return err
	})
	if err != nil {
		return fmt.Errorf("prune companies: %w", err)
	}
	for {
		if more, err := s.pruneSome(ctx, before); err != nil || !more {
			return err
		}
	}
}

// PastFrom returns the sequence number from which on Rows is exact.
func (s *Store) PastFrom(ctx context.Context) (seq uint64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT past_from FROM catalog_state WHERE id = 1`).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("read catalog state: %w", err)
	}
	return seq, nil
}

const pruneMax = 2_000

func (s *Store) pruneSome(ctx context.Context, before uint64) (more bool, err error) {
	type state struct{ number, seq int64 }
	states, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (old state, err error) {
		err = row.Scan(&old.number, &old.seq)
		return old, err
	}, `SELECT number, seq FROM company_past WHERE until <= $1 LIMIT $2`, int64(before), pruneMax)
	if err != nil || len(states) == 0 {
		return false, err
	}
	err = s.write(ctx, func(e *edit) error {
		numbers := make([]int64, len(states))
		for i, old := range states {
			numbers[i] = old.number
		}
		_, err := e.tx.ExecContext(ctx, `DELETE FROM company_past
			WHERE number `+e.tx.InNumbers("$1")+` AND until <= $2`,
			numberArray(distinct(numbers)), int64(before))
		if err != nil {
			return fmt.Errorf("prune companies: %w", err)
		}
		return nil
	})
	return len(states) == pruneMax, err
}

func chunks[T any](items []T, size int) iter.Seq[[]T] { return slices.Chunk(items, size) }
