package credit

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Day is how exports changed a balance on one day (UTC), in credits.
type Day struct {
	Begin    time.Time
	Charged  int64
	Refunded int64 // on that day, whenever it was charged
}

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// Days returns the workspace's spending from from up to, but not including, to by day, oldest first. Days without any are
// left out.
func (s *Store) Days(ctx context.Context, ws id.Workspace, from, to time.Time) ([]Day, error) {
	const q = `SELECT created_at - created_at % $4,
			CAST(SUM(CASE WHEN reason = 'export_charge' THEN -amount ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN reason = 'export_refund' THEN amount ELSE 0 END) AS BIGINT)
		FROM entry WHERE workspace_id = $1 AND created_at >= $2 AND created_at < $3
			AND reason IN ('export_charge', 'export_refund')
		GROUP BY 1 ORDER BY 1`
	days, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (d Day, err error) {
		var begin int64
		err = row.Scan(&begin, &d.Charged, &d.Refunded)
		d.Begin = db.FromTime(begin)
		return d, err
	}, q, ws, db.Time(from), db.Time(to), dayMicros)
	if err != nil {
		return nil, fmt.Errorf("sum up spending of workspace %s: %w", ws, err)
	}
	return days, nil
}
