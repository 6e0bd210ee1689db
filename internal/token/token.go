package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const nameLengthMax = 200

// Token is an API token without its secret, which is not stored.
type Token struct {
	ID         id.Token
	Workspace  id.Workspace // zero for a legacy token without one
	Name       string
	Prefix     string // the secret's first characters
	Scope      auth.Scope
	Owner      id.Person // the member it belongs to; zero for none
	Creator    id.Person // the member who created it and whose budget it spends; zero at the command line
	Budget     budget.Limits
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time // accurate to about a minute
	OldUntil   *time.Time // when the previous secret stops working; nil without one

	DailyCompanies int64 // the most companies that it is shown in a day without its workspace owning them; 0 for no limit
}

// NewToken is a token to create.
type NewToken struct {
	// Workspace that the token acts for; zero makes a legacy token, which authenticates nobody.
	Workspace id.Workspace
	Name      string
	Scope     auth.Scope

	// ExpiresAt is when the token ends; nil for never.
	ExpiresAt *time.Time

	// Owner is the member with whose leaving the token ends; zero for none.
	Owner id.Person

	// Creator is the member who creates the token, and whose budget its purchases also spend. Defaults to Owner; zero for the
	// command line.
	Creator id.Person

	Budget budget.Limits
}

// Create creates a token and returns its secret, which cannot be read again: only its hash is stored. Faults: Validation,
// also for a token without a budget if the workspace requires one; NotFound without the workspace.
func (s *Store) Create(ctx context.Context, n NewToken) (secret string, t Token, err error) {
	if err := n.clean(); err != nil {
		return "", Token{}, err
	}
	secret = newSecret()
	t = Token{
		ID: id.New[id.Token](), Workspace: n.Workspace, Name: n.Name, Prefix: secret[:shownLength],
		Scope: n.Scope, Owner: n.Owner, Creator: n.Creator, Budget: n.Budget, CreatedAt: db.FromTime(db.Time(time.Now())),
	}
	if n.ExpiresAt != nil {
		at := db.FromTime(db.Time(*n.ExpiresAt))
		t.ExpiresAt = &at
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := checkHolder(ctx, tx, n); err != nil {
			return err
		}
		if err := insert(ctx, tx, t, hashOf(secret)); err != nil {
			return err
		}
		details := map[string]any{"scope": string(t.Scope)}
		if t.ExpiresAt != nil {
			details["expires_at"] = t.ExpiresAt
		}
		t.Budget.Describe(details)
		return record(ctx, tx, auditlog.TokenCreated, t.Workspace, t.ID, details)
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, t, nil
}

func (n *NewToken) clean() error {
	var faults []fault.FieldError
	name, complaint := text.Name(n.Name, nameLengthMax)
	if complaint != "" {
		faults = append(faults, fault.FieldError{Field: "name", Message: complaint})
	}
	n.Name = name
	if n.Creator.IsZero() {
		n.Creator = n.Owner
	}
	if _, err := auth.ParseScope(string(n.Scope)); err != nil {
		faults = append(faults, fault.FieldError{Field: "scope", Message: err.Error()})
	}
	if !n.Owner.IsZero() && n.Workspace.IsZero() {
		faults = append(faults, fault.FieldError{Field: "owner", Message: "needs a workspace that the owner is a member of"})
	}
	return fault.Invalid(append(faults, n.Budget.Faults()...)...)
}

// checkHolder refuses a workspace that does not exist, an owner or creator who is not a member of it, and a token without the
// budget that the workspace requires.
func checkHolder(ctx context.Context, tx *db.Tx, n NewToken) error {
	if n.Workspace.IsZero() {
		return nil
	}
	var member, creates, owner bool
	var allowed Unbudgeted
	err := tx.QueryRowContext(ctx, `
		SELECT m.person IS NOT NULL, c.person IS NOT NULL, COALESCE(c.role, '') = 'owner', w.unbudgeted_tokens
		FROM workspace w
		LEFT JOIN member m ON m.workspace_id = w.id AND m.person = $1 AND m.left_at IS NULL
		LEFT JOIN member c ON c.workspace_id = w.id AND c.person = $3 AND c.left_at IS NULL
		WHERE w.id = $2`, n.Owner, n.Workspace, n.Creator).Scan(&member, &creates, &owner, &allowed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fault.New(fault.NotFound, "There is no workspace %s.", n.Workspace)
	case err != nil:
		return fmt.Errorf("check workspace of token: %w", err)
	case !n.Owner.IsZero() && !member:
		return fault.Invalid(fault.FieldError{Field: "owner", Message: "must be a member of the workspace"})
	case !n.Creator.IsZero() && !creates:
		return fault.Invalid(fault.FieldError{Message: "You are no longer a member of the workspace."})
	case n.Budget.IsZero() && allowed.NeedsBudget(n.Scope, owner || n.Creator.IsZero()):
		return allowed.fault()
	}
	return nil
}

func insert(ctx context.Context, tx *db.Tx, t Token, hash []byte) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO token (id, hash, prefix, workspace_id, owner, name, scope, created_at, expires_at, budget, budget_month,
			created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		t.ID, hash, t.Prefix, sql.NullString{String: t.Workspace.String(), Valid: !t.Workspace.IsZero()},
		sql.NullString{String: t.Owner.String(), Valid: !t.Owner.IsZero()}, t.Name, string(t.Scope), db.Time(t.CreatedAt),
		db.NullTime(t.ExpiresAt), t.Budget.Total, t.Budget.Month,
		sql.NullString{String: t.Creator.String(), Valid: !t.Creator.IsZero()})
	if err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	return nil
}

// record adds a change of a token to the audit log.
func record(ctx context.Context, tx *db.Tx, action auditlog.Action, ws id.Workspace, token id.Token, details map[string]any) error {
	return auditlog.Record(ctx, tx, auditlog.Event{Workspace: ws, Action: action, Subject: "token:" + token.String(), Details: details})
}

// Revoke ends a token: the next request with it is refused. A second call changes nothing. fault.NotFound without the
// token.
func (s *Store) Revoke(ctx context.Context, token id.Token) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var ws id.Workspace
		var ended bool
		err := tx.QueryRowContext(ctx, `SELECT workspace_id, revoked_at IS NOT NULL FROM token WHERE id = $1`+tx.ForUpdate(), token).Scan(&ws, &ended)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noToken(token)
		case err == nil && ended:
			return nil
		case err == nil:
			_, err = tx.ExecContext(ctx, `UPDATE token SET revoked_at = $1 WHERE id = $2`, db.Time(time.Now()), token)
		}
		if err != nil {
			return fmt.Errorf("revoke token %s: %w", token, err)
		}
		return record(ctx, tx, auditlog.TokenRevoked, ws, token, nil)
	})
}

// RevokeOwned ends every token of the workspace that belongs to the person, in the transaction in which they leave.
func (s *Store) RevokeOwned(ctx context.Context, tx *db.Tx, ws id.Workspace, person id.Person) error {
	revoked, err := db.Collect(ctx, tx, db.Value[id.Token], `UPDATE token SET revoked_at = $1
		WHERE workspace_id = $2 AND owner = $3 AND revoked_at IS NULL RETURNING id`, db.Time(time.Now()), ws, person)
	if err != nil {
		return fmt.Errorf("revoke tokens of person %s in workspace %s: %w", person, ws, err)
	}
	for _, t := range revoked {
		if err := record(ctx, tx, auditlog.TokenRevoked, ws, t, map[string]any{"because": "its owner left the workspace"}); err != nil {
			return err
		}
	}
	return nil
}

// List returns the tokens of a workspace, oldest first, including ended ones.
func (s *Store) List(ctx context.Context, ws id.Workspace) ([]Token, error) {
	tokens, err := db.Collect(ctx, s.db.Read(), scan,
		`SELECT `+columns+` FROM token WHERE workspace_id = $1 ORDER BY created_at, id`, ws)
	if err != nil {
		return nil, fmt.Errorf("list tokens of workspace %s: %w", ws, err)
	}
	return tokens, nil
}

const columns = `id, workspace_id, name, prefix, scope, COALESCE(owner, ''), created_at, expires_at, revoked_at, last_used_at,
	budget, budget_month, old_until, created_by, daily_companies`

func scan(row db.Row) (Token, error) {
	var (
		t                                    Token
		created                              int64
		expires, revoked, lastUsed, oldUntil sql.NullInt64
	)
	err := row.Scan(&t.ID, &t.Workspace, &t.Name, &t.Prefix, &t.Scope, &t.Owner, &created, &expires, &revoked, &lastUsed,
		&t.Budget.Total, &t.Budget.Month, &oldUntil, &t.Creator, &t.DailyCompanies)
	t.CreatedAt = db.FromTime(created)
	t.ExpiresAt, t.RevokedAt, t.LastUsedAt = db.FromNullTime(expires), db.FromNullTime(revoked), db.FromNullTime(lastUsed)
	t.OldUntil = db.FromNullTime(oldUntil)
	return t, err
}
