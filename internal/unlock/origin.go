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

// Change is a set of companies that an export unlocked or gave back at once.
type Change struct {
	Export    id.Export
	At        time.Time
	Companies company.Set
}

// originDeltas is how many deltas are read at a time.
const originDeltas = 64

// Origins returns which exports unlocked the companies, as of position seq in the workspace's log, newest first; seq 0 is
// the end of the log. A company that the workspace owned then is in exactly one Change; any other may be in none.
func (s *Store) Origins(ctx context.Context, ws id.Workspace, seq int64, companies company.Set) ([]Change, error) {
	const query = `SELECT ` + deltaColumns + ` FROM unlock_delta
		WHERE workspace_id = $1 AND change = 1 AND ($2 = 0 OR seq <= $2) AND seq < $3 ORDER BY seq DESC LIMIT $4`
	var found []Change
	for before, left := int64(1<<62), companies; !left.IsEmpty(); {
		deltas, err := db.Collect(ctx, s.db.Read(), scan, query, ws, seq, before, originDeltas)
		if err != nil {
			return nil, fmt.Errorf("read origins of unlocks: %w", err)
		}
		for _, d := range deltas {
			before = d.seq
			if part := left.And(d.companies); !part.IsEmpty() {
				found = append(found, Change{d.export, d.createdAt, part})
				left = left.Minus(part)
			}
		}
		if len(deltas) < originDeltas {
			break
		}
	}
	return found, nil
}

// GivenBack returns what the export had unlocked and has given back, oldest first.
func (s *Store) GivenBack(ctx context.Context, ws id.Workspace, export id.Export) ([]Change, error) {
	deltas, err := readExport(ctx, s.db.Read(), ws, export)
	if err != nil {
		return nil, fmt.Errorf("read what export %s gave back: %w", export, err)
	}
	var found []Change
	for _, d := range deltas {
		if d.change == takes {
			found = append(found, Change{d.export, d.createdAt, d.companies})
		}
	}
	return found, nil
}

// OwnedIn returns what the workspace has unlocked as q sees it. It adds up the log, without cache and snapshot, for audits.
func (s *Store) OwnedIn(ctx context.Context, q db.Querier, ws id.Workspace) (company.Set, error) {
	sum := roaring.New()
	if err := eachDelta(ctx, q, ws, func(d delta) { d.applyTo(sum) }); err != nil {
		return company.Set{}, fmt.Errorf("read unlocks of workspace %s: %w", ws, err)
	}
	return company.SetFrom(sum), nil
}
