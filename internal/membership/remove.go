package membership

import (
	"context"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
)

// Leave ends the person's membership and revokes the tokens that they own in the workspace, so that another invitation does not
// bring them back. Faults: NotFound if the person never was a member, Validation for the last owner.
func (m *Memberships) Leave(ctx context.Context, ws id.Workspace, person id.Person) error {
	return m.workspaces.Leave(ctx, ws, person, func(ctx context.Context, tx *db.Tx, ws id.Workspace) error {
		return m.tokens.RevokeOwned(ctx, tx, ws, person)
	})
}

// Remove ends the person's account with its sessions, memberships and tokens. Faults: NotFound; Validation for the last operator
// and for the last owner of a workspace.
func (m *Memberships) Remove(ctx context.Context, person id.Person) error {
	if _, err := m.people.Get(ctx, person); err != nil {
		return err
	}
	return m.db.Tx(ctx, func(tx *db.Tx) error {
		left, err := m.workspaces.LeaveAll(ctx, tx, person)
		if err != nil {
			return err
		}
		for _, ws := range left {
			if err := m.tokens.RevokeOwned(ctx, tx, ws, person); err != nil {
				return err
			}
		}
		return m.people.Remove(ctx, tx, person)
	})
}

// SetOperator lets the person manage the whole installation, or no longer. Faults: Validation for the last operator.
func (m *Memberships) SetOperator(ctx context.Context, person id.Person, operator bool) error {
	return m.db.Tx(ctx, func(tx *db.Tx) error { return m.people.SetOperator(ctx, tx, person, operator) })
}
