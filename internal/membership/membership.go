// Package membership admits people: the first owner, invited people, and their workspaces.
// It knows nothing about browsers and sessions; it combines the stores of people, workspaces and credits.
package membership

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// Deps are the stores that Memberships combines.
type Deps struct {
	DB         *db.DB
	People     *account.People
	Workspaces *workspace.Store
	Credits    *credit.Store
	Tokens     *token.Store

	// SendLink sends the link of a new invitation by email after the transaction, if that is possible. Defaults to nothing.
	SendLink db.Step[account.Invitation]
}

// Memberships admits people. It is safe for concurrent use.
type Memberships struct {
	db         *db.DB
	people     *account.People
	workspaces *workspace.Store
	credits    *credit.Store
	tokens     *token.Store
	sendLink   db.Step[account.Invitation]
}

// New returns Memberships over the stores.
func New(d Deps) *Memberships {
	if d.SendLink == nil {
		d.SendLink = func(context.Context, *db.Tx, account.Invitation) error { return nil }
	}
	return &Memberships{db: d.DB, people: d.People, workspaces: d.Workspaces, credits: d.Credits, tokens: d.Tokens, sendLink: d.SendLink}
}

// NewWorkspace describes a workspace to create.
type NewWorkspace struct {
	Name    string
	Owner   id.Person // its first member; zero for none
	Credits int64     // granted when it is created
	Actor   string    // who grants them
}

// CreateWorkspace creates a workspace with its account, its owner and its first credits, if any, in one transaction.
// Faults: Validation.
func (m *Memberships) CreateWorkspace(ctx context.Context, n NewWorkspace) (workspace.Workspace, error) {
	var w workspace.Workspace
	err := m.db.Tx(ctx, func(tx *db.Tx) (err error) {
		w, err = m.create(ctx, tx, n)
		return err
	})
	return w, err
}

func (m *Memberships) create(ctx context.Context, tx *db.Tx, n NewWorkspace) (workspace.Workspace, error) {
	w, err := m.workspaces.Create(ctx, tx, n.Name)
	if err != nil {
		return w, err
	}
	if err := m.credits.Open(ctx, tx, w.ID); err != nil {
		return w, err
	}
	if !n.Owner.IsZero() {
		if err := m.workspaces.AddMember(ctx, tx, w.ID, n.Owner, workspace.Owner); err != nil {
			return w, err
		}
	}
	if n.Credits == 0 {
		return w, nil
	}
	_, err = m.credits.Grant(ctx, tx, w.ID, credit.Grant{Amount: n.Credits, Reason: credit.ReasonGrant, Actor: n.Actor})
	return w, err
}

// DeleteWorkspace deletes a workspace that owns nothing. Faults: those of workspace.Store.Delete.
func (m *Memberships) DeleteWorkspace(ctx context.Context, ws id.Workspace) error {
	return m.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := m.credits.Lock(ctx, tx, ws); err != nil { // so that nothing is granted or bought at the same time
			return err
		}
		return m.workspaces.Delete(ctx, tx, ws)
	})
}

// Own makes the person an owner of an existing workspace. NotFound if it does not exist.
func (m *Memberships) Own(ctx context.Context, ws id.Workspace, p id.Person) error {
	return m.db.Tx(ctx, func(tx *db.Tx) error { return m.workspaces.AddMember(ctx, tx, ws, p, workspace.Owner) })
}
