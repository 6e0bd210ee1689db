package unlock

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// The two kinds of change.
const (
	adds  = 1
	takes = -1
)

// delta is one row of the log. It never changes.
type delta struct {
	seq       int64 // counts the workspace's deltas from 1, without a gap
	change    int64
	export    id.Export
	size      int64
	companies company.Set
	createdAt time.Time
}

// applyTo adds this delta to the sum of the deltas before it.
func (d delta) applyTo(sum *roaring.Bitmap) {
	if d.change == takes {
		sum.AndNot(d.companies.Bitmap())
	} else {
		sum.Or(d.companies.Bitmap())
	}
}

// within returns the part of asked that is owned after the delta, if part was owned before it.
func (d delta) within(asked, part company.Set) company.Set {
	if d.change == takes {
		return part.Minus(d.companies)
	}
	return part.Or(asked.And(d.companies))
}

// appendDelta writes a delta, numbered after all that its writer has read. The primary key refuses it if another one was
// written since, so a forgotten lock becomes an error and never a second charge.
func appendDelta(ctx context.Context, tx *db.Tx, ws id.Workspace, d delta) error {
	const q = `INSERT INTO unlock_delta (workspace_id, seq, change, export_id, size, companies, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	if _, err := tx.ExecContext(ctx, q, ws, d.seq, d.change, d.export, d.companies.Len(), d.companies.Bytes(),
		db.Time(d.createdAt)); err != nil {
		return fmt.Errorf("append delta %d: %w", d.seq, err)
	}
	return nil
}

const deltaColumns = `seq, change, export_id, size, companies, created_at`

// readDeltas returns the deltas numbered above after, in their order.
func readDeltas(ctx context.Context, q db.Querier, ws id.Workspace, after int64) ([]delta, error) {
	const query = `SELECT ` + deltaColumns + ` FROM unlock_delta WHERE workspace_id = $1 AND seq > $2 ORDER BY seq`
	return db.Collect(ctx, q, scan, query, ws, after)
}

// eachDelta calls fn for the whole log in its order, with one delta in memory at a time.
func eachDelta(ctx context.Context, q db.Querier, ws id.Workspace, fn func(delta)) error {
	return db.Each(ctx, q, func(row db.Row) error {
		d, err := scan(row)
		if err != nil {
			return err
		}
		fn(d)
		return nil
	}, `SELECT `+deltaColumns+` FROM unlock_delta WHERE workspace_id = $1 ORDER BY seq`, ws)
}

func readExport(ctx context.Context, q db.Querier, ws id.Workspace, export id.Export) ([]delta, error) {
	const query = `SELECT ` + deltaColumns + ` FROM unlock_delta WHERE workspace_id = $1 AND export_id = $2 ORDER BY seq`
	return db.Collect(ctx, q, scan, query, ws, export)
}

// scan reads a delta. The error is company.ErrSet if the set cannot be read.
func scan(row db.Row) (d delta, err error) {
	var companies []byte
	var created int64
	if err := row.Scan(&d.seq, &d.change, &d.export, &d.size, &companies, &created); err != nil {
		return delta{}, err
	}
	if d.companies, err = company.ParseSet(companies); err != nil {
		return delta{}, fmt.Errorf("delta %d: %w", d.seq, err)
	}
	d.createdAt = db.FromTime(created)
	return d, nil
}
