package workspace

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const (
	personLengthMax = 320 // an e-mail address may be that long
	roleLengthMax   = 50
)

// AddMember lets the person belong to the workspace; one who is a member already gets the role, one who has left is
// back, and tokens of theirs work again. Faults: Validation, NotFound without the workspace.
func (b *Book) AddMember(ctx context.Context, ws id.Workspace, person, role string) error {
	var faults []fault.FieldError
	person, complaint := text.Name(person, personLengthMax)
	if complaint != "" {
		faults = append(faults, fault.FieldError{Field: "person", Message: complaint})
	}
	role, complaint = text.Name(role, roleLengthMax)
	if complaint != "" {
		faults = append(faults, fault.FieldError{Field: "role", Message: complaint})
	}
	if err := fault.Invalid(faults...); err != nil {
		return err
	}
	if _, err := b.Get(ctx, ws); err != nil {
		return err
	}
	return b.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO member (workspace_id, person, role, joined_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (workspace_id, person) DO UPDATE SET role = excluded.role, left_at = NULL`,
			ws, person, role, db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("add member to workspace %s: %w", ws, err)
		}
		return nil
	})
}

// Leave ends the person's membership; their tokens are refused from the next request on. A second call changes
// nothing; fault.NotFound for one who never was a member.
func (b *Book) Leave(ctx context.Context, ws id.Workspace, person string) error {
	return b.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE member SET left_at = COALESCE(left_at, $1) WHERE workspace_id = $2 AND person = $3`,
			db.Time(time.Now()), ws, person)
		if err != nil {
			return fmt.Errorf("leave workspace %s: %w", ws, err)
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "%s is no member of workspace %s.", person, ws)
		}
		return err
	})
}
