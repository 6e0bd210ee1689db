package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Get returns a token, also one that has ended. NotFound if there is none.
func (s *Store) Get(ctx context.Context, token id.Token) (Token, error) {
	t, err := scan(s.db.Read().QueryRowContext(ctx, `SELECT `+columns+` FROM token WHERE id = $1`, token))
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, noToken(token)
	}
	if err != nil {
		return Token{}, fmt.Errorf("read token %s: %w", token, err)
	}
	return t, nil
}

// SetDailyCompanies changes how many companies the token is shown in a day without its workspace owning them; 0 for no limit. It
// applies from the next request on. Validation for a negative number, NotFound for a token that the workspace does not have.
func (s *Store) SetDailyCompanies(ctx context.Context, ws id.Workspace, token id.Token, most int64) error {
	if most < 0 {
		return fault.Invalid(fault.FieldError{Field: "daily_companies", Message: "must not be negative; 0 is no limit"})
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var changed id.Token
		err := tx.QueryRowContext(ctx, `UPDATE token SET daily_companies = $3 WHERE id = $1 AND workspace_id = $2 RETURNING id`, token, ws, most).Scan(&changed)
		if errors.Is(err, sql.ErrNoRows) {
			return noToken(token)
		}
		if err != nil {
			return fmt.Errorf("set daily companies of token %s: %w", token, err)
		}
		return auditlog.Record(ctx, tx, auditlog.Event{
			Workspace: ws, Action: auditlog.TokenDailyCompaniesChanged, Subject: "token:" + token.String(), Details: map[string]any{"daily_companies": most},
		})
	})
}
