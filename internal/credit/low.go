package credit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// SetLow sets the balance below which an event says that the credits are low; nil for never. Faults: Validation for a number outside 1
// to BalanceMax; NotFound without an account.
func (s *Store) SetLow(ctx context.Context, ws id.Workspace, low *int64) error {
	if low != nil && (*low < 1 || *low > BalanceMax) {
		return invalid("low_balance", "must be between 1 and %d", int64(BalanceMax))
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account SET low_balance = $2 WHERE workspace_id = $1`, ws, low)
		if err != nil {
			return fmt.Errorf("set low balance of workspace %s: %w", ws, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, noAccount(ws))
		}
		value := any("none")
		if low != nil {
			value = *low
		}
		return auditlog.Record(ctx, tx, auditlog.Event{
			Workspace: ws, Action: auditlog.WorkspaceChanged, Subject: "workspace:" + ws.String(),
			Details: map[string]any{"setting": "low_balance", "value": value},
		})
	})
}

// Low returns the balance below which an event says that the credits are low; nil for never.
// NotFound without an account.
func (s *Store) Low(ctx context.Context, ws id.Workspace) (*int64, error) {
	var low sql.NullInt64
	err := s.db.Read().QueryRowContext(ctx, `SELECT low_balance FROM account WHERE workspace_id = $1`, ws).Scan(&low)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noAccount(ws)
	}
	if err != nil {
		return nil, fmt.Errorf("read low balance of workspace %s: %w", ws, err)
	}
	if !low.Valid {
		return nil, nil //nolint:nilnil // no low balance is set
	}
	return &low.Int64, nil
}
