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

// keep stores the answer. If a duplicate's open transaction has the key already, keep waits for it and fails if it commits.
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
		return requestInFlight()
	}
	return err
}

// find returns the answer that is kept under the request's key. The error is IdempotencyKeyReused if that belongs to a
// different request.
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
		return Answer{}, true, keyReused()
	}
	return answer, true, nil
}

// Prune deletes the answers older than Options.Kept. Any number of processes may call it.
func (s *Store) Prune(ctx context.Context) error {
	err := s.db.Prune(ctx, "replay", "(workspace_id, key)",
		`SELECT workspace_id, key FROM replay WHERE created_at < $1 ORDER BY created_at`, db.Time(time.Now().Add(-s.options.Kept)))
	if err != nil {
		return fmt.Errorf("prune kept answers: %w", err)
	}
	return nil
}
