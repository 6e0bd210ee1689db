package idempotency

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
)

// keep waits for a twin's transaction that has the key already, and fails if that commits.
func keep(ctx context.Context, tx *db.Tx, r Request, body []byte) error {
	if r.Key == "" {
		return nil
	}
	const q = `INSERT INTO replay (workspace_id, key, operation, request_sha256, status, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, key) DO NOTHING`
	done, err := tx.ExecContext(ctx, q, r.Workspace, r.Key, r.Operation, r.SHA256[:], r.Status, body, db.Time(time.Now()))
	if err != nil {
		return fmt.Errorf("keep answer to %s: %w", r.Operation, err)
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return inFlight()
	}
	return err
}

// find is the answer that is kept under the request's key. IdempotencyKeyReused if that is of another request.
func (s *Store) find(ctx context.Context, r Request) (answer Answer, found bool, err error) {
	if r.Key == "" {
		return Answer{}, false, nil
	}
	const q = `SELECT request_sha256, status, body FROM replay WHERE workspace_id = $1 AND key = $2`
	var sha256 []byte
	answer.Replayed = true
	err = s.db.Read().QueryRowContext(ctx, q, r.Workspace, r.Key).Scan(&sha256, &answer.Status, &answer.Body)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Answer{}, false, nil
	case err != nil:
		return Answer{}, false, fmt.Errorf("find answer to %s: %w", r.Operation, err)
	case !bytes.Equal(sha256, r.SHA256[:]):
		return Answer{}, true, reused()
	}
	return answer, true, nil
}

// pruneRowsMax bounds one transaction of Prune: purchases wait behind it on SQLite.
const pruneRowsMax = 1000

// Prune forgets the answers that have been kept long enough. Any number of processes may call it.
func (s *Store) Prune(ctx context.Context) error {
	before := db.Time(time.Now().Add(-s.options.Kept))
	for more := true; more; {
		err := s.db.Tx(ctx, func(tx *db.Tx) error {
			const q = `DELETE FROM replay WHERE (workspace_id, key) IN
				(SELECT workspace_id, key FROM replay WHERE created_at < $1 ORDER BY created_at LIMIT $2)`
			done, err := tx.ExecContext(ctx, q, before, pruneRowsMax)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			more = n == pruneRowsMax
			return err
		})
		if err != nil {
			return fmt.Errorf("prune kept answers: %w", err)
		}
	}
	return nil
}
