package membership

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// Newcomer is what one who follows a link says of themselves.
type Newcomer struct {
	Name, Email, Password string
	Workspace             string // the name of the first workspace, for a first owner where there is none
}

// Accept makes the bearer of the link a person, with what the link promises, and uses it up: all of it, or nothing.
// The workspace is the one to begin in, zero if there is none. Faults: Validation, InvalidLink.
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
		n.Password = " " // too short, and told so
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
		ws, err = m.admit(ctx, tx, used, made.ID, n.Workspace)
		return err
	})
	return made, ws, err
}

// AcceptAs gives a person who is known already what the link promises, and uses it up. Faults: InvalidLink; Forbidden if
// it is for somebody else.
func (m *Memberships) AcceptAs(ctx context.Context, secret string, p account.Person) (id.Workspace, error) {
	var ws id.Workspace
	err := m.db.Tx(ctx, func(tx *db.Tx) error {
		i, err := m.people.Redeem(ctx, tx, secret)
		if err != nil {
			return err
		}
		if i.Email != "" && i.Email != p.Email || i.Kind == account.InvitePassword {
			return fault.New(fault.Forbidden, "The invitation is for %s, and you are signed in as %s.", i.Email, p.Email)
		}
		if i.Kind == account.InviteOperator {
			if err := m.people.SetOperator(ctx, tx, p.ID); err != nil {
				return err
			}
		}
		ws, err = m.admit(ctx, tx, i, p.ID, "")
		return err
	})
	return ws, err
}

// admit gives the person the workspace that the invitation is for; a first owner gets all that are there, or a first one.
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
	there, err := m.workspaces.List(ctx)
	if err != nil {
		return id.Workspace{}, err
	}
	for _, w := range there { // made at the command line
		if err := m.workspaces.AddMember(ctx, tx, w.ID, p, workspace.Owner); err != nil {
			return id.Workspace{}, err
		}
	}
	if len(there) > 0 {
		return there[0].ID, nil
	}
	w, err := m.create(ctx, tx, NewWorkspace{Name: first, Owner: p})
	if fault.CodeOf(err) == fault.Validation {
		err = fault.Invalid(fault.FieldError{Field: "workspace", Message: "needs a name of 1 to 200 characters"})
	}
	return w.ID, err
}

// ResetPassword sets the password of the person whom the link is for, uses it up, and ends all their sessions.
// Faults: Validation, InvalidLink.
func (m *Memberships) ResetPassword(ctx context.Context, secret, password string) (account.Person, error) {
	i, err := m.people.Invitation(ctx, secret)
	if err != nil {
		return account.Person{}, err
	}
	if i.Kind != account.InvitePassword {
		return account.Person{}, fault.New(fault.InvalidLink, "The link sets no password.")
	}
	hashed, err := m.people.HashPassword(ctx, password)
	if err != nil {
		return account.Person{}, err
	}
	err = m.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := m.people.Redeem(ctx, tx, secret); err != nil {
			return err
		}
		return m.people.SetPassword(ctx, tx, i.Person, hashed, id.Session{})
	})
	if err != nil {
		return account.Person{}, err
	}
	return m.people.Get(ctx, i.Person)
}
