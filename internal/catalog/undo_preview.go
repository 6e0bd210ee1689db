package catalog

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
)

// UndoPreview is what Undo would do.
type UndoPreview struct {
	Removed     int         // companies
	Restored    int         // companies, to their previous records
	Connections int         // removed
	InUse       company.Set // companies that stay because they are in use
	Changed     company.Set // other companies that stay because they have changed since
}

// PreviewUndo returns what Undo would do with an import, and writes nothing. inUse are the companies that Undo's keep would
// return.
func (s *Store) PreviewUndo(ctx context.Context, number int64, inUse company.Set) (UndoPreview, error) {
	if err := s.known(ctx, number); err != nil {
		return UndoPreview{}, err
	}
	var p UndoPreview
	used, changed := roaring.New(), roaring.New()
	// count counts a company that Undo would bring back to what it was, unless it stays.
	count := func(n company.Number, later bool, undone *int) {
		switch {
		case inUse.Has(n):
			used.Add(uint32(n))
		case later:
			changed.Add(uint32(n))
		default:
			*undone++
		}
	}
	err := s.db.ReadTx(ctx, func(q db.Querier) error {
		err := q.QueryRowContext(ctx, `SELECT count(*) FROM connection WHERE import = $1`, number).Scan(&p.Connections)
		if err != nil {
			return err
		}
		err = db.Each(ctx, q, func(result db.Row) error {
			var before past
			var now []byte
			err := result.Scan(&before.number, &before.written, &before.record, &now)
			if err == nil && string(now) != string(before.record) {
				count(before.number, recordHash(now) != before.written, &p.Restored)
			}
			return err
		}, `SELECT p.number, p.written, p.record, c.record FROM (SELECT * `+importUpdated+`) p
			JOIN company c ON c.number = p.number WHERE length(c.record) > 0`, number)
		if err != nil {
			return err
		}
		return db.Each(ctx, q, func(result db.Row) error {
			var n company.Number
			var later bool
			err := result.Scan(&n, &later)
			count(n, later, &p.Removed)
			return err
		}, importAdded, number)
	})
	if err != nil {
		return UndoPreview{}, fmt.Errorf("preview the undo of import %d: %w", number, err)
	}
	p.InUse, p.Changed = company.SetFrom(used), company.SetFrom(changed)
	return p, nil
}
