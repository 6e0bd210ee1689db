package workspace

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

// Membership is a workspace that a person belongs to, and their role in it.
type Membership struct {
	Workspace
	Role Role
}

// Belonging is a member of a workspace.
type Belonging struct {
	Person   id.Person
	Name     string
	Email    string
	Role     Role
	JoinedAt time.Time
}

// AddMember makes the person a member of the workspace. A person who is a member already keeps their role. Faults:
// Validation, NotFound without the workspace.
func (s *Store) AddMember(ctx context.Context, tx *db.Tx, ws id.Workspace, person id.Person, role Role) error {
	if _, err := ParseRole(string(role)); err != nil {
		return fault.Invalid(fault.FieldError{Field: "role", Message: err.Error()})
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO member (workspace_id, person, role, joined_at)
		SELECT id, $2, $3, CAST($4 AS BIGINT) FROM workspace WHERE id = $1 AND deleted_at IS NULL
		ON CONFLICT (workspace_id, person) DO UPDATE SET left_at = NULL,
			role = CASE WHEN member.left_at IS NULL THEN member.role ELSE excluded.role END`,
		ws, person, string(role), db.Time(time.Now()))
	if err != nil {
		return fmt.Errorf("add member to workspace %s: %w", ws, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = noWorkspace(ws)
	}
	if err != nil {
		return err
	}
	return recordMember(ctx, tx, auditlog.MemberAdded, ws, person, role)
}

// recordMember adds a change of a member to the audit log; role may be empty.
func recordMember(ctx context.Context, tx *db.Tx, action auditlog.Action, ws id.Workspace, person id.Person, role Role) error {
	e := auditlog.Event{Workspace: ws, Action: action, Subject: "person:" + person.String()}
	if role != "" {
		e.Details = map[string]any{"role": string(role)}
	}
	return auditlog.Record(ctx, tx, e)
}

// SetRole changes a member's role. NotFound if the person is not a member; Validation for an unknown role, and for one
// that would leave the workspace without an owner.
func (s *Store) SetRole(ctx context.Context, ws id.Workspace, person id.Person, role Role) error {
	if _, err := ParseRole(string(role)); err != nil {
		return fault.Invalid(fault.FieldError{Field: "role", Message: err.Error()})
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := s.change(ctx, tx, ws, person, role == Owner, `role = $3`, string(role)); err != nil {
			return fmt.Errorf("set role in workspace %s: %w", ws, err)
		}
		return recordMember(ctx, tx, auditlog.MemberRoleChanged, ws, person, role)
	})
}

// Leave ends the person's membership, and then runs the steps in the same transaction. A second call changes nothing. NotFound
// if the person never was a member; Validation for the last owner, who must stay.
func (s *Store) Leave(ctx context.Context, ws id.Workspace, person id.Person, steps ...db.Step[id.Workspace]) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		err := s.change(ctx, tx, ws, person, false, `left_at = COALESCE(left_at, $3)`, db.Time(time.Now()))
		if err != nil {
			return fmt.Errorf("leave workspace %s: %w", ws, err)
		}
		if err := recordMember(ctx, tx, auditlog.MemberRemoved, ws, person, ""); err != nil {
			return err
		}
		return db.Then(ctx, tx, ws, steps)
	})
}

// LeaveAll ends all memberships of the person. It returns the workspaces that they left. Validation if one of them would be left
// without an owner.
func (s *Store) LeaveAll(ctx context.Context, tx *db.Tx, person id.Person) ([]id.Workspace, error) {
	// In the order of their ids, in which everybody locks several workspaces.
	all, err := db.Collect(ctx, tx, db.Value[id.Workspace], `SELECT workspace_id FROM member
		WHERE person = $1 AND left_at IS NULL ORDER BY workspace_id`, person)
	if err != nil {
		return nil, fmt.Errorf("list workspaces of person %s: %w", person, err)
	}
	for _, ws := range all {
		if err := s.change(ctx, tx, ws, person, false, `left_at = COALESCE(left_at, $3)`, db.Time(time.Now())); err != nil {
			return nil, fmt.Errorf("leave workspace %s: %w", ws, err)
		}
		if err := recordMember(ctx, tx, auditlog.MemberRemoved, ws, person, ""); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// change updates a member's row unless that would leave the workspace without an owner.
func (s *Store) change(
	ctx context.Context, tx *db.Tx, ws id.Workspace, person id.Person, staysOwner bool, set string, value any,
) error {
	// Two owners who demote each other at once would each see the other as an owner. Locking the workspace's row makes
	// them run one after the other.
	var name string
	if err := tx.QueryRowContext(ctx, `SELECT name FROM workspace WHERE id = $1`+tx.ForUpdate(), ws).Scan(&name); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return noWorkspace(ws)
		}
		return err
	}
	var last bool
	err := tx.QueryRowContext(ctx, `
		SELECT m.role = 'owner' AND m.left_at IS NULL AND NOT EXISTS (
			SELECT 1 FROM member o
			WHERE o.workspace_id = m.workspace_id AND o.role = 'owner' AND o.left_at IS NULL AND o.person <> m.person)
		FROM member m WHERE m.workspace_id = $1 AND m.person = $2`, ws, person).Scan(&last)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noMember()
	case err != nil:
		return err
	case last && !staysOwner:
		return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("The workspace %s needs an owner: make another member an owner first.", name)})
	}
	_, err = tx.ExecContext(ctx, `UPDATE member SET `+set+` WHERE workspace_id = $1 AND person = $2`, ws, person, value)
	return err
}

// Members returns the members of the workspace, in the order in which they joined.
func (s *Store) Members(ctx context.Context, ws id.Workspace) ([]Belonging, error) {
	members, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (m Belonging, err error) {
		var joined int64
		err = row.Scan(&m.Person, &m.Name, &m.Email, &m.Role, &joined)
		m.JoinedAt = db.FromTime(joined)
		return m, err
	}, `SELECT m.person, p.name, p.email, m.role, m.joined_at FROM member m JOIN person p ON p.id = m.person
		WHERE m.workspace_id = $1 AND m.left_at IS NULL ORDER BY m.joined_at, m.person`, ws)
	if err != nil {
		return nil, fmt.Errorf("list members of workspace %s: %w", ws, err)
	}
	return members, nil
}

// Of returns the workspaces that the person belongs to, by name.
func (s *Store) Of(ctx context.Context, person id.Person) ([]Membership, error) {
	all, err := db.Collect(ctx, s.db.Read(), func(row db.Row) (m Membership, err error) {
		err = scanInto(row, &m.Workspace, &m.Role)
		return m, err
	}, `SELECT `+columns+`, m.role FROM member m JOIN workspace w ON w.id = m.workspace_id
		WHERE m.person = $1 AND m.left_at IS NULL AND w.deleted_at IS NULL ORDER BY w.name, w.id`, person)
	if err != nil {
		return nil, fmt.Errorf("list workspaces of person %s: %w", person, err)
	}
	return all, nil
}

// RoleOf returns the role of a member. NotFound if the person is not a member or the workspace was deleted.
func (s *Store) RoleOf(ctx context.Context, ws id.Workspace, person id.Person) (role Role, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT m.role FROM member m JOIN workspace w ON w.id = m.workspace_id
		WHERE m.workspace_id = $1 AND m.person = $2 AND m.left_at IS NULL AND w.deleted_at IS NULL`, ws, person).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noMember()
	}
	if err != nil {
		return "", fmt.Errorf("read role of member %s of workspace %s: %w", person, ws, err)
	}
	return role, nil
}

// Left returns a workspace that the person belonged to and has left; false if there is none with the id.
func (s *Store) Left(ctx context.Context, ws id.Workspace, person id.Person) (Workspace, bool, error) {
	w, err := scan(s.db.Read().QueryRowContext(ctx, `SELECT `+columns+` FROM workspace w JOIN member m ON m.workspace_id = w.id
		WHERE w.id = $1 AND m.person = $2 AND (m.left_at IS NOT NULL OR w.deleted_at IS NOT NULL)`, ws, person))
	if errors.Is(err, sql.ErrNoRows) {
		return Workspace{}, false, nil
	}
	if err != nil {
		return Workspace{}, false, fmt.Errorf("look for a former member of workspace %s: %w", ws, err)
	}
	return w, true, nil
}

func noWorkspace(ws id.Workspace) error {
	return fault.New(fault.NotFound, "There is no workspace %s.", ws)
}
