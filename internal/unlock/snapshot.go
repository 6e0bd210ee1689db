package unlock

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// snapshot is the sum of a workspace's deltas up to seq; the zero snapshot is the sum of none.
type snapshot struct {
	seq       int64
	size      int64
	companies company.Set
}

// Snapshot stores the workspace's sum if enough deltas have been appended since the last one, so that a cold read stays
// fast. Call it outside of requests, such as after a job.
func (s *Store) Snapshot(ctx context.Context, ws id.Workspace) error {
	due, err := s.snapshotDue(ctx, ws)
	if err != nil || !due {
		return err
	}
	set, seq, err := s.owned(ctx, ws)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `INSERT INTO unlock_snapshot (workspace_id, seq, size, companies, created_at)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (workspace_id) DO UPDATE SET seq = excluded.seq, size = excluded.size,
				companies = excluded.companies, created_at = excluded.created_at
			WHERE unlock_snapshot.seq < excluded.seq`
		if _, err := tx.ExecContext(ctx, q, ws, seq, set.Len(), set.Bytes(), db.Time(time.Now())); err != nil {
			return fmt.Errorf("write snapshot of workspace %s: %w", ws, err)
		}
		return nil
	})
}

func (s *Store) snapshotDue(ctx context.Context, ws id.Workspace) (bool, error) {
	const q = `SELECT COALESCE((SELECT MAX(seq) FROM unlock_delta WHERE workspace_id = $1), 0)
		- COALESCE((SELECT seq FROM unlock_snapshot WHERE workspace_id = $1), 0)`
	var since int64
	if err := s.db.Read().QueryRowContext(ctx, q, ws).Scan(&since); err != nil {
		return false, fmt.Errorf("count deltas of workspace %s: %w", ws, err)
	}
	return since >= s.snapshotEvery, nil
}

func readSnapshot(ctx context.Context, q db.Querier, ws id.Workspace) (snapshot, error) {
	var s snapshot
	var companies []byte
	err := q.QueryRowContext(ctx, `SELECT seq, size, companies FROM unlock_snapshot WHERE workspace_id = $1`, ws).
		Scan(&s.seq, &s.size, &companies)
	if errors.Is(err, sql.ErrNoRows) {
		return snapshot{}, nil
	}
	if err != nil {
		return snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	s.companies, err = company.ParseSet(companies)
	return s, err
}
