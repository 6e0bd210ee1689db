package membership_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// join makes a new person a member.
func (h *house) join(t *testing.T, ws id.Workspace, email string, role workspace.Role) account.Person {
	t.Helper()
	secret, _, err := h.InviteMember(t.Context(), ws, role, email, id.Person{})
	require.NoError(t, err)
	p, _, err := h.Accept(t.Context(), secret, membership.Newcomer{Name: email, Password: passphrase})
	require.NoError(t, err)
	return p
}

func (h *house) token(t *testing.T, ws id.Workspace, owner id.Person) string {
	t.Helper()
	secret, _, err := h.tokens.Create(t.Context(), token.NewToken{Workspace: ws, Name: "t", Scope: auth.Read, Owner: owner})
	require.NoError(t, err)
	return secret
}

func (h *house) authenticate(t *testing.T, secret string) fault.Code {
	t.Helper()
	if _, err := h.tokens.Authenticate(t.Context(), "Bearer "+secret); err != nil {
		return fault.CodeOf(err)
	}
	return ""
}

func TestAMemberWhoIsInvitedAgainDoesNotGetOldTokensBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		_, ws := h.first(t)
		bob := h.join(t, ws, "bob@example.com", workspace.Member)
		old, service := h.token(t, ws, bob.ID), h.token(t, ws, id.Person{})
		require.NoError(t, h.Leave(t.Context(), ws, bob.ID))
		require.Equal(t, fault.NotWorkspaceMember, h.authenticate(t, old))

		secret, _, err := h.InviteMember(t.Context(), ws, workspace.Member, "bob@example.com", id.Person{})
		require.NoError(t, err)
		_, err = h.AcceptAs(t.Context(), secret, bob)
		require.NoError(t, err)
		require.Equal(t, fault.InvalidToken, h.authenticate(t, old))
		require.Empty(t, h.authenticate(t, service), "a token of the workspace stays")
		require.Empty(t, h.authenticate(t, h.token(t, ws, bob.ID)), "new ones work")
	})
}

func TestARemovedPersonLosesEverythingButTheirName(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, ws := h.first(t)
		other, err := h.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Other", Owner: ann.ID})
		require.NoError(t, err)
		bob := h.join(t, ws, "bob@example.com", workspace.Owner)
		invited, _, err := h.InviteMember(t.Context(), other.ID, workspace.Member, "bob@example.com", ann.ID)
		require.NoError(t, err)
		reset, _, err := h.InvitePassword(t.Context(), "bob@example.com")
		require.NoError(t, err)
		secret := h.token(t, ws, bob.ID)
		sessions := account.NewSessions(d, account.SessionOptions{})
		require.NoError(t, sessions.Create(t.Context(), "cookie", account.Session{Person: bob.ID, Data: []byte("x"), ExpiresAt: time.Now().Add(time.Hour)}))
		identity := account.Identity{Issuer: "https://id.example", Subject: "bob"}
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { return h.people.Link(t.Context(), tx, identity, bob.ID) }))
		require.NoError(t, h.SetOperator(t.Context(), bob.ID, true))

		require.NoError(t, h.Remove(t.Context(), bob.ID))
		_, found, err := sessions.Find(t.Context(), "cookie")
		require.NoError(t, err)
		require.False(t, found)
		require.Equal(t, fault.NotWorkspaceMember, h.authenticate(t, secret))
		_, err = h.people.SignIn(t.Context(), "bob@example.com", passphrase)
		require.Error(t, err)
		_, err = h.people.SignIn(t.Context(), "removed "+bob.ID.String(), "")
		require.Error(t, err)
		_, err = h.people.ByIdentity(t.Context(), identity)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		for _, link := range []string{invited, reset} {
			_, err = h.people.Invitation(t.Context(), link)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		}
		of, err := h.workspaces.Of(t.Context(), bob.ID)
		require.NoError(t, err)
		require.Empty(t, of)
		people, err := h.people.List(t.Context())
		require.NoError(t, err)
		require.Len(t, people, 1)
		gone, err := h.people.Get(t.Context(), bob.ID)
		require.NoError(t, err, "the ledger refers to the person")
		require.Equal(t, "bob@example.com", gone.Name)
		require.False(t, gone.Operator)

		again := h.join(t, ws, "bob@example.com", workspace.Member)
		require.NotEqual(t, bob.ID, again.ID, "the address can be invited as a new person")
		require.Equal(t, fault.NotWorkspaceMember, h.authenticate(t, secret))
	})
}

func TestTheLastOwnerAndTheLastOperatorStay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, ws := h.first(t)
		require.ErrorContains(t, h.SetOperator(t.Context(), ann.ID, false), "needs an operator")
		bob := h.join(t, ws, "bob@example.com", workspace.Member)
		require.NoError(t, h.SetOperator(t.Context(), bob.ID, true))
		require.ErrorContains(t, h.Remove(t.Context(), ann.ID), "The workspace Lab needs an owner")
		require.NoError(t, h.workspaces.SetRole(t.Context(), ws, bob.ID, workspace.Owner))

		var group sync.WaitGroup
		var errs [2]error
		for i, who := range []id.Person{ann.ID, bob.ID} { // two operators remove each other
			group.Go(func() { errs[i] = h.Remove(t.Context(), who) })
		}
		group.Wait()
		require.NotEqual(t, errs[0] == nil, errs[1] == nil, "%v, %v", errs[0], errs[1])
		people, err := h.people.List(t.Context())
		require.NoError(t, err)
		require.Len(t, people, 1)
		require.True(t, people[0].Operator)
		require.Equal(t, fault.NotFound, fault.CodeOf(h.Remove(t.Context(), id.New[id.Person]())))
	})
}

func TestSettingAPasswordEndsAllOtherPasswordLinks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		ann, _ := h.first(t)
		first, made, err := h.InvitePassword(t.Context(), ann.Email)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(4*time.Hour), made.ExpiresAt, time.Minute)
		second, _, err := h.InvitePassword(t.Context(), ann.Email)
		require.NoError(t, err)
		_, err = h.ResetPassword(t.Context(), first, "another good passphrase")
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err), "a new link replaces the earlier one")
		require.NoError(t, h.people.ChangePassword(t.Context(), ann, passphrase, "yet another passphrase", id.Session{}))
		_, err = h.ResetPassword(t.Context(), second, "another good passphrase")
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err), "the password was changed since")
	})
}
