package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Notifications are the emails that a member wants.
type Notifications struct {
	Exports bool // how an export of theirs ended, unless they choose otherwise when they buy it
	Low     bool // that the credits of the workspace are low

	Orders     bool // that a run of a standing order was skipped
	Deliveries bool // that an export could not be delivered
}

// Notifications returns the emails that the person wants from the workspace. A person who is not a member wants nothing.
func (s *Store) Notifications(ctx context.Context, ws id.Workspace, person id.Person) (n Notifications, err error) {
	const q = `SELECT mail_exports, mail_low, mail_orders, mail_deliveries FROM member WHERE workspace_id = $1 AND person = $2 AND left_at IS NULL`
	err = s.db.Read().QueryRowContext(ctx, q, ws, person).Scan(&n.Exports, &n.Low, &n.Orders, &n.Deliveries)
	if errors.Is(err, sql.ErrNoRows) {
		return Notifications{}, nil
	}
	if err != nil {
		return Notifications{}, fmt.Errorf("read notifications of workspace %s: %w", ws, err)
	}
	return n, nil
}

// SetNotifications sets the emails that the person wants from the workspace. NotFound if the person is not a member.
func (s *Store) SetNotifications(ctx context.Context, ws id.Workspace, person id.Person, n Notifications) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		const q = `UPDATE member SET mail_exports = $3, mail_low = $4, mail_orders = $5, mail_deliveries = $6
			WHERE workspace_id = $1 AND person = $2 AND left_at IS NULL`
		res, err := tx.ExecContext(ctx, q, ws, person, flag(n.Exports), flag(n.Low), flag(n.Orders), flag(n.Deliveries))
		if err != nil {
			return fmt.Errorf("set notifications of workspace %s: %w", ws, err)
		}
		if changed, err := res.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(err, noMember())
		}
		return nil
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
