package membership

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// Newcomer is what a person enters on the page of an invitation link.
type Newcomer struct {
	Name, Email, Password string
	Workspace             string // the name of the first workspace, if a first owner has to create it
}

// Accept creates a person with what the link grants, and uses up the link, in one transaction. It returns the workspace to
// start in, which is zero for an operator. Faults: Validation, InvalidLink.
func (m *Memberships) Accept(ctx context.Context, secret string, n Newcomer) (account.Person, id.Workspace, error) {
	i, err := m.people.Invitation(ctx, secret)
	if err != nil {
		return account.Person{}, id.Workspace{}, err
	}
	if i.Email != "" {
		n.Email = i.Email
	}
	operator := i.Kind == account.InviteFirst || i.Kind == account.InviteOperator
	if n.Password == "" {
		n.Password = " " // too short, so that it is refused with a message
	}
	checked, err := m.people.Check(ctx, account.NewPerson{Name: n.Name, Email: n.Email, Password: n.Password, Operator: operator})
	if err != nil {
		return account.Person{}, id.Workspace{}, err
	}
	var made account.Person
	var ws id.Workspace
	err = m.db.Tx(ctx, func(tx *db.Tx) error {
		used, err := m.people.Redeem(ctx, tx, secret)
		if err != nil {
			return err
		}
		if made, err = m.people.Create(ctx, tx, checked); err != nil {
			return err
		}
		ws, err = m.admit(auditlog.As(ctx, made.ID), tx, used, made.ID, n.Workspace)
		return err
	})
	return made, ws, err
}

// AcceptAs grants an existing person what the link grants, and uses up the link. Faults: InvalidLink; Forbidden if the link
// is for another person.
func (m *Memberships) AcceptAs(ctx context.Context, secret string, p account.Person) (id.Workspace, error) {
	var ws id.Workspace
	err := m.db.Tx(ctx, func(tx *db.Tx) error {
		i, err := m.people.Redeem(ctx, tx, secret)
		if err != nil {
			return err
		}
		if i.Email != "" && i.Email != p.Email || i.Kind == account.InvitePassword {
			return fault.New(fault.Forbidden, "The invitation is for %s, but you are signed in as %s.", i.Email, p.Email)
		}
		if i.Kind == account.InviteOperator {
			if err := m.people.SetOperator(ctx, tx, p.ID, true); err != nil {
				return err
			}
		}
		ws, err = m.admit(ctx, tx, i, p.ID, "")
		return err
	})
	return ws, err
}

// admit makes the person a member of the invitation's workspace. A first owner gets all existing workspaces, or a new one.
func (m *Memberships) admit(
	ctx context.Context, tx *db.Tx, i account.Invitation, p id.Person, first string,
) (id.Workspace, error) {
	switch i.Kind {
	case account.InviteMember:
		return i.Workspace, m.workspaces.AddMember(ctx, tx, i.Workspace, p, workspace.Role(i.Role))
	case account.InviteFirst:
		return m.admitFirst(ctx, tx, p, first)
	default:
		return id.Workspace{}, nil
	}
}

func (m *Memberships) admitFirst(ctx context.Context, tx *db.Tx, p id.Person, first string) (id.Workspace, error) {
	existing, err := m.workspaces.List(ctx)
	if err != nil {
		return id.Workspace{}, err
	}
	for _, w := range existing { // created at the command line
		if err := m.workspaces.AddMember(ctx, tx, w.ID, p, workspace.Owner); err != nil {
			return id.Workspace{}, err
		}
	}
	if len(existing) > 0 {
		return existing[0].ID, nil
	}
	w, err := m.create(ctx, tx, NewWorkspace{Name: first, Owner: p})
	if fault.CodeOf(err) == fault.Validation {
		err = fault.Invalid(fault.FieldError{Field: "workspace", Message: "must have a name of 1 to 200 characters"})
	}
	return w.ID, err
}

// ResetPassword sets the password of the person that the link is for, uses up the link, and ends all their sessions.
// Faults: Validation, InvalidLink.
func (m *Memberships) ResetPassword(ctx context.Context, secret, password string) (account.Person, error) {
	i, err := m.people.Invitation(ctx, secret)
	if err != nil {
		return account.Person{}, err
	}
	if i.Kind != account.InvitePassword {
		return account.Person{}, fault.New(fault.InvalidLink, "This link cannot set a password. Ask for a link to set a new password.")
	}
	whose, err := m.people.Get(ctx, i.Person)
	if err != nil {
		return account.Person{}, err
	}
	hashed, err := m.people.HashPassword(ctx, whose, password)
	if err != nil {
		return account.Person{}, err
	}
	err = m.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := m.people.Redeem(ctx, tx, secret); err != nil {
			return err
		}
		return m.people.SetPassword(auditlog.As(ctx, i.Person), tx, i.Person, hashed, id.Session{})
	})
	if err != nil {
		return account.Person{}, err
	}
	return m.people.Get(ctx, i.Person)
}
