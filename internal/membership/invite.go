package membership

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// First returns the secret of a link for the first owner, which replaces the earlier ones; empty if a person exists already. Only the
// person with the email address can use it, unless that is empty. Faults: Validation.
func (m *Memberships) First(ctx context.Context, email string) (string, account.Invitation, error) {
	nobody, err := m.people.Nobody(ctx)
	if err != nil || !nobody {
		return "", account.Invitation{}, err
	}
	return m.people.Invite(ctx, account.Invitation{Kind: account.InviteFirst, Email: email}, m.sendLink)
}

// InviteMember returns the secret of an invitation to the workspace. by is zero at the command line. Faults: Validation,
// NotFound if the workspace does not exist.
func (m *Memberships) InviteMember(
	ctx context.Context, ws id.Workspace, role workspace.Role, email string, by id.Person,
) (string, account.Invitation, error) {
	if _, err := workspace.ParseRole(string(role)); err != nil {
		return "", account.Invitation{}, fault.Invalid(fault.FieldError{Field: "role", Message: err.Error()})
	}
	if _, err := m.workspaces.Get(ctx, ws); err != nil {
		return "", account.Invitation{}, err
	}
	return m.people.Invite(ctx, account.Invitation{
		Kind: account.InviteMember, Workspace: ws, Role: string(role), Email: email, InvitedBy: by,
	}, m.sendLink)
}

// InviteOperator returns the secret of an invitation for an operator, who manages the whole installation. Faults:
// Validation.
func (m *Memberships) InviteOperator(ctx context.Context, email string, by id.Person) (string, account.Invitation, error) {
	return m.people.Invite(ctx, account.Invitation{Kind: account.InviteOperator, Email: email, InvitedBy: by}, m.sendLink)
}

// InvitePassword returns the secret of a link with which the person with the email address can set a new password.
// NotFound if there is no such person.
func (m *Memberships) InvitePassword(ctx context.Context, email string) (string, account.Invitation, error) {
	p, err := m.people.ByEmail(ctx, email)
	if err != nil {
		return "", account.Invitation{}, err
	}
	return m.people.Invite(ctx, account.Invitation{Kind: account.InvitePassword, Email: p.Email, Person: p.ID}, m.sendLink)
}
