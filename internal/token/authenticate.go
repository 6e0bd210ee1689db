package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Authenticate returns the caller with the token in the request's Authorization header. It queries the database each time,
// so a revocation takes effect at the next request. Faults, the first that applies: MissingAuthHeader,
// InvalidTokenFormat, InvalidToken, TokenExpired, TokenNotWorkspaceBound, NotWorkspaceMember.
func (s *Store) Authenticate(ctx context.Context, authorizationHeader string) (auth.Caller, error) {
	secret, err := bearer(authorizationHeader)
	if err != nil {
		return auth.Caller{}, err
	}
	return s.authenticate(ctx, secret)
}

// AuthenticateAddress returns the caller with the token in the address of a request, which must have the scope auth.Reconcile: histories
// and logs keep addresses. Faults as for Authenticate, and InsufficientScope for any other token.
func (s *Store) AuthenticateAddress(ctx context.Context, secret string) (auth.Caller, error) {
	c, err := s.authenticate(ctx, secret)
	if err == nil && c.Scope != auth.Reconcile {
		err = fault.New(fault.InsufficientScope, "The token in the address has the scope %s. Only a token with the scope %s may be in an "+
			"address, because histories and logs keep addresses. Create one (capi token create --scope %s, or the page Tokens of the console), "+
			"and give this one a new secret.", c.Scope, auth.Reconcile, auth.Reconcile).
			With("token_scope", string(c.Scope)).With("required", string(auth.Reconcile))
	}
	if err != nil {
		return auth.Caller{}, err
	}
	return c, nil
}

func (s *Store) authenticate(ctx context.Context, secret string) (auth.Caller, error) {
	if !wellFormed(secret) {
		return auth.Caller{}, fault.New(fault.InvalidToken,
			"The token is mistyped or incomplete: its checksum does not match. Copy the whole token again.")
	}
	h, err := s.find(ctx, `t.hash = $1 OR t.old_hash = $1 AND t.old_until > $2`, hashOf(secret), db.Time(time.Now()))
	if err != nil {
		return auth.Caller{}, err
	}
	now := time.Now()
	if err := h.check(now); err != nil {
		return auth.Caller{}, err
	}
	s.use(h, now)
	return h.Caller, nil
}

// Acting returns the caller of a token for work that the token has asked for before. Faults as for Authenticate.
func (s *Store) Acting(ctx context.Context, token id.Token) (auth.Caller, error) {
	h, err := s.find(ctx, `t.id = $1`, token)
	if err == nil {
		err = h.check(time.Now())
	}
	if err != nil {
		return auth.Caller{}, err
	}
	return h.Caller, nil
}

// bearer returns the secret in an Authorization header.
func bearer(header string) (string, error) {
	if strings.TrimSpace(header) == "" {
		return "", fault.New(fault.MissingAuthHeader, "The Authorization header is missing. Send Authorization: Bearer cornect_…")
	}
	fields := strings.Fields(header)
	if len(fields) != 2 || !strings.EqualFold(fields[0], "Bearer") || !strings.HasPrefix(fields[1], secretPrefix) {
		return "", fault.New(fault.InvalidTokenFormat,
			"The Authorization header has no API token. Send Authorization: Bearer cornect_…")
	}
	return fields[1], nil
}

// holder is a caller and the facts that decide whether their token works.
type holder struct {
	auth.Caller
	expiresAt, revokedAt, lastUsedAt sql.NullInt64
	left                             bool // the owner is no longer a member, or the workspace was deleted
}

// find returns the holder of the token that meets the condition.
func (s *Store) find(ctx context.Context, condition string, args ...any) (holder, error) {
	h := holder{Caller: auth.Caller{Wall: &auth.Wall{}}}
	var visible string
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT t.id, t.workspace_id, t.scope, t.name, t.expires_at, t.revoked_at, t.last_used_at,
		       t.owner IS NOT NULL AND (m.person IS NULL OR m.left_at IS NOT NULL) OR w.deleted_at IS NOT NULL,
		       COALESCE(m.role, '') = 'owner' AND m.left_at IS NULL, COALESCE(w.visible_fields, ''),
		       COALESCE(w.daily_companies, 0), t.daily_companies
		FROM token t
		LEFT JOIN workspace w ON w.id = t.workspace_id
		LEFT JOIN member m ON m.workspace_id = t.workspace_id AND m.person = t.owner
		WHERE `+condition, args...).
		Scan(&h.Token, &h.Workspace, &h.Scope, &h.Name, &h.expiresAt, &h.revokedAt, &h.lastUsedAt, &h.left, &h.Owner, &visible,
			&h.Wall.WorkspaceDaily, &h.Wall.TokenDaily)
	if errors.Is(err, sql.ErrNoRows) {
		return holder{}, fault.New(fault.InvalidToken, "This server does not know the token.")
	}
	if err != nil {
		return holder{}, fmt.Errorf("find token: %w", err)
	}
	if visible != "" {
		h.Wall.Visible = strings.Split(visible, ",")
	}
	return h, nil
}

func (h holder) check(now time.Time) error {
	switch {
	case h.left: // before revoked, because leaving revokes
		return fault.New(fault.NotWorkspaceMember, "The token's owner has left the workspace.")
	case h.revokedAt.Valid:
		return fault.New(fault.InvalidToken, "The token was revoked.")
	case h.expiresAt.Valid && db.Time(now) >= h.expiresAt.Int64:
		return fault.New(fault.TokenExpired, "The token expired at %s.",
			db.FromTime(h.expiresAt.Int64).Format(time.RFC3339))
	case h.Workspace.IsZero():
		return fault.New(fault.TokenNotWorkspaceBound, "The token belongs to no workspace. Create a new one.")
	}
	return nil
}
