package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// OverlapMax is how long an old secret may keep working beside the new one.
const OverlapMax = 7 * 24 * time.Hour

// Rotate replaces the secret of a token of the workspace and returns the new one, which cannot be read again. The old
// secret keeps working for the overlap, up to OverlapMax. A secret before it that still works from an earlier rotation
// ends now. Nothing else changes: id, name, scope, budget and expiry. Faults: Validation for a bad overlap and for a token
// that is revoked or expired, NotFound.
func (s *Store) Rotate(ctx context.Context, ws id.Workspace, token id.Token, overlap time.Duration) (string, Token, error) {
	if overlap < 0 || overlap > OverlapMax {
		return "", Token{}, fault.Invalid(fault.FieldError{Field: "overlap", Message: "must be between 0 and 168 hours"})
	}
	secret := newSecret()
	var t Token
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		now := time.Now()
		const q = `UPDATE token SET
				old_hash = CASE WHEN $5 > $4 THEN hash END, old_until = CASE WHEN $5 > $4 THEN CAST($5 AS BIGINT) END,
				hash = $3, prefix = $6
			WHERE id = $1 AND workspace_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)
			RETURNING ` + columns
		t, err = scan(tx.QueryRowContext(ctx, q, token, ws, hashOf(secret), db.Time(now), db.Time(now.Add(overlap)),
			secret[:shownLength]))
		if errors.Is(err, sql.ErrNoRows) {
			return s.whyNot(ctx, tx, ws, token)
		}
		if err != nil {
			return fmt.Errorf("rotate token %s: %w", token, err)
		}
		return record(ctx, tx, auditlog.TokenRotated, ws, token, map[string]any{"overlap_hours": overlap.Hours()})
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, t, nil
}

// whyNot returns why a token cannot get a new secret.
func (s *Store) whyNot(ctx context.Context, tx *db.Tx, ws id.Workspace, token id.Token) error {
	var known int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM token WHERE id = $1 AND workspace_id = $2`, token, ws).Scan(&known)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noToken(token)
	case err != nil:
		return fmt.Errorf("rotate token %s: %w", token, err)
	}
	return fault.Invalid(fault.FieldError{Message: "The token has been revoked or has expired; create a new one."})
}
