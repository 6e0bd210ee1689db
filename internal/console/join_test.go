package console

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/workspace"
)

// vacant returns a fixture without people.
func vacant(t *testing.T) *fixture {
	t.Helper()
	h := open(t)
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		for _, q := range []string{
			`DELETE FROM audit_entry`, `DELETE FROM event`, `DELETE FROM session`, `DELETE FROM member`, `DELETE FROM person`, `DELETE FROM entry`, `DELETE FROM account`,
			`DELETE FROM workspace`,
		} {
			if _, err := tx.ExecContext(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	}))
	return h
}

func TestFirstLinkMakesTheFirstOwner(t *testing.T) {
	t.Parallel()
	h := vacant(t)
	again, _, err := h.Memberships.First(t.Context(), "")
	require.NoError(t, err)
	secret, _, err := h.Memberships.First(t.Context(), "")
	require.NoError(t, err)
	b := h.browser(t)
	require.Contains(t, b.get(t, "/sign-in").body, "Nobody has an account yet.")
	require.Contains(t, b.get(t, "/join?link="+secret).body, "You are the first user")

	a := b.post(t, "/join", "link", secret, "name", "", "email", "zoe", "password", "short", "workspace", "Lab")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	for _, says := range []string{"is empty", "is not an email address", "at least 10 characters", `value="Lab"`, `aria-invalid="true" autofocus`} {
		require.Contains(t, a.body, says)
	}
	form := []string{"link", secret, "name", "Zoe", "email", "Zoe@example.com", "password", passphrase}
	a = b.post(t, "/join", append(form, "workspace", "")...)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "neither the account nor the workspace was created")
	require.Contains(t, a.body, "must have a name")

	a = b.post(t, "/join", append(form, "workspace", "Lab")...)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Regexp(t, `^/console/w/[0-9a-f-]{36}$`, a.location())
	zoe, err := h.People.ByEmail(t.Context(), "zoe@example.com")
	require.NoError(t, err)
	require.True(t, zoe.Operator)
	of, err := h.Workspaces.Of(t.Context(), zoe.ID)
	require.NoError(t, err)
	require.Len(t, of, 1)
	require.Equal(t, "Lab", of[0].Name)
	require.Equal(t, workspace.Owner, of[0].Role)
	balance, err := h.Credits.Balance(t.Context(), of[0].ID)
	require.NoError(t, err)
	require.Zero(t, balance)

	require.NotContains(t, h.browser(t).get(t, "/sign-in").body, "Nobody has an account yet.")
	for _, spent := range []string{secret, again} {
		require.Equal(t, http.StatusForbidden, h.browser(t).get(t, "/join?link="+spent).status)
	}
	none, _, err := h.Memberships.First(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestInvitedPersonJoinsWithTheirRole(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	a := ann.post(t, in(h.acme, "/invitations"), "email", "not one", "role", "member")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, `value="not one"`)
	a = ann.post(t, in(h.acme, "/invitations"), "email", "cat@example.com", "role", "member")
	require.NotContains(t, a.location(), "link=")
	a = ann.follow(t, a)
	require.Equal(t, http.StatusOK, a.status)
	link := regexp.MustCompile(`/console/join\?link=([A-Z2-7]{26})`).FindStringSubmatch(a.body)
	require.NotNil(t, link, a.body)
	require.NotContains(t, ann.get(t, in(h.acme, "/members")).body, link[1], "the link is shown only once")

	require.Contains(t, h.browser(t).get(t, "/join?link="+link[1]).body, "ann invited you")
	eve := h.as(t, h.eve)
	a = eve.post(t, "/join", "link", link[1])
	require.Equal(t, http.StatusForbidden, a.status, "it is for another email")

	cat := h.browser(t)
	a = cat.post(t, "/join", "link", link[1], "name", "Cat", "email", "other@example.com", "password", passphrase)
	require.Equal(t, view.WorkspacePath(h.acme, ""), a.location())
	who, err := h.People.ByEmail(t.Context(), "cat@example.com")
	require.NoError(t, err, "the email is the invitation's")
	require.False(t, who.Operator)
	body := cat.get(t, in(h.acme, "/members")).body
	require.Contains(t, body, "Cat")
	require.NotContains(t, body, "Invite someone")

	// A person who already has an account keeps it.
	secret, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Owner, h.eve.Email, h.ann.ID)
	require.NoError(t, err)
	require.Contains(t, eve.get(t, "/join?link="+secret).body, "You are signed in as eve")
	require.Equal(t, view.WorkspacePath(h.acme, ""), eve.post(t, "/join", "link", secret).location())
	require.Equal(t, http.StatusOK, eve.get(t, in(h.acme, "/members")).status)
}

func TestForgottenPasswordIsSetByALink(t *testing.T) {
	t.Parallel()
	h := open(t)
	lost := h.as(t, h.bob)
	secret, _, err := h.Memberships.InvitePassword(t.Context(), "BOB@example.com")
	require.NoError(t, err)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, "/join?link="+secret).body, "bob@example.com")
	b := h.browser(t)
	require.Equal(t, http.StatusUnprocessableEntity, b.post(t, "/join", "link", secret, "password", "short").status)
	require.Equal(t, http.StatusSeeOther, b.post(t, "/join", "link", secret, "password", "another passphrase").status)
	require.Contains(t, b.get(t, "/account").body, "bob@example.com")
	require.NotEqual(t, http.StatusOK, lost.get(t, "/account").status)
	require.Equal(t, http.StatusForbidden, b.post(t, "/join", "link", secret, "password", "a third passphrase").status)
	_, _, err = h.Memberships.InvitePassword(t.Context(), "nobody@example.com")
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}
