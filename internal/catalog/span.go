package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
)

// Stamp identifies a state of some companies: their number, and the newest sequence number at which one of them changed or
// was removed.
type Stamp struct {
	Companies int
	Seq       uint64
}

// Span returns the companies numbered first to last, both included, with their connections and in the order of their
// numbers, and the stamp of their state. If SpanStamp returns a different one afterwards, they may be of a later state.
func (s *Store) Span(ctx context.Context, first, last company.Number) ([]*company.Company, Stamp, error) {
	at, err := s.SpanStamp(ctx, first, last)
	if err != nil {
		return nil, Stamp{}, err
	}
	rows, err := load(ctx, s.db.Read(), `WHERE number BETWEEN $1 AND $2 ORDER BY number`, int64(first), int64(last))
	if err != nil {
		return nil, Stamp{}, err
	}
	companies := make([]*company.Company, len(rows))
	for i := range rows {
		if companies[i], err = rows[i].company(true); err != nil {
			return nil, Stamp{}, err
		}
	}
	return companies, at, nil
}

// SpanStamp returns the current stamp of the companies numbered first to last.
func (s *Store) SpanStamp(ctx context.Context, first, last company.Number) (Stamp, error) {
	var at Stamp
	const q = `SELECT COUNT(CASE WHEN length(record) > 0 THEN 1 END), COALESCE(MAX(seq), 0)
		FROM company WHERE number BETWEEN $1 AND $2`
	if err := s.db.Read().QueryRowContext(ctx, q, int64(first), int64(last)).Scan(&at.Companies, &at.Seq); err != nil {
		return Stamp{}, fmt.Errorf("stamp companies %d to %d: %w", first, last, err)
	}
	return at, nil
}

// Extent is the size of the catalog.
type Extent struct {
	Stamp
	Last company.Number // the highest number that was assigned
}

// Extent returns the size of the whole catalog, read in one state.
func (s *Store) Extent(ctx context.Context) (Extent, error) {
	var e Extent
	const q = `SELECT (SELECT COUNT(*) FROM company), (SELECT companies FROM company_removed), seq, next_number - 1 FROM catalog_state WHERE id = 1`
	var gone []byte
	if err := s.db.Read().QueryRowContext(ctx, q).Scan(&e.Companies, &gone, &e.Seq, &e.Last); err != nil {
		return Extent{}, fmt.Errorf("measure catalog: %w", err)
	}
	set, err := company.ParseSet(gone)
	e.Companies -= set.Len()
	return e, err
}
