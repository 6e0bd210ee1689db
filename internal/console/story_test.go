package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// vacant is a house in which there is nobody.
func vacant(t *testing.T) *house {
	t.Helper()
	h := open(t)
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		for _, q := range []string{
			`DELETE FROM session`, `DELETE FROM member`, `DELETE FROM person`, `DELETE FROM entry`, `DELETE FROM account`,
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
	secret, err := h.Memberships.First(t.Context())
	require.NoError(t, err)
	again, err := h.Memberships.First(t.Context())
	require.NoError(t, err)
	b := h.browser(t)
	require.Contains(t, b.get(t, "/join?link="+secret).body, "You are the first user")

	a := b.post(t, "/join", "link", secret, "name", "", "email", "zoe", "password", "short", "workspace", "Lab")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	for _, says := range []string{"is empty", "is not an email address", "at least 10 characters", `value="Lab"`, `aria-invalid="true"`} {
		require.Contains(t, a.body, says)
	}
	form := []string{"link", secret, "name", "Zoe", "email", "Zoe@example.com", "password", passphrase}
	a = b.post(t, "/join", append(form, "workspace", "")...)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "nothing is half made")
	require.Contains(t, a.body, "needs a name")

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

	for _, spent := range []string{secret, again} {
		require.Equal(t, http.StatusForbidden, h.browser(t).get(t, "/join?link="+spent).status)
	}
	none, err := h.Memberships.First(t.Context())
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
	require.Equal(t, http.StatusOK, a.status)
	link := regexp.MustCompile(`/console/join\?link=([A-Z2-7]{26})`).FindStringSubmatch(a.body)
	require.NotNil(t, link, a.body)
	require.NotContains(t, ann.get(t, in(h.acme, "/members")).body, link[1], "it is shown this once")

	require.Contains(t, h.browser(t).get(t, "/join?link="+link[1]).body, "ann invited you")
	eve := h.as(t, h.eve)
	a = eve.post(t, "/join", "link", link[1])
	require.Equal(t, http.StatusForbidden, a.status, "it is for another e-mail")

	cat := h.browser(t)
	a = cat.post(t, "/join", "link", link[1], "name", "Cat", "email", "other@example.com", "password", passphrase)
	require.Equal(t, view.WorkspacePath(h.acme, ""), a.location())
	who, err := h.People.ByEmail(t.Context(), "cat@example.com")
	require.NoError(t, err, "the e-mail is the invitation's")
	require.False(t, who.Operator)
	body := cat.get(t, in(h.acme, "/members")).body
	require.Contains(t, body, "Cat")
	require.NotContains(t, body, "Invite someone")

	// One who has an account already keeps it.
	secret, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Owner, h.eve.Email, h.ann.ID)
	require.NoError(t, err)
	require.Contains(t, eve.get(t, "/join?link="+secret).body, "You are signed in as eve")
	require.Equal(t, view.WorkspacePath(h.acme, ""), eve.post(t, "/join", "link", secret).location())
	require.Equal(t, http.StatusOK, eve.get(t, in(h.acme, "/members")).status)
}

func TestMemberWhoLeavesTakesTheirTokensWithThem(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob, ann := h.as(t, h.bob), h.as(t, h.ann)
	token := func() string {
		secret, _, err := h.Tokens.Create(t.Context(), token.NewToken{
			Workspace: h.acme, Name: "bob's", Scope: auth.Read, Owner: h.bob.ID,
		})
		require.NoError(t, err)
		return "Bearer " + secret
	}
	mine := token()
	_, err := h.Tokens.Authenticate(t.Context(), mine)
	require.NoError(t, err)
	require.Equal(t, basePath+"/workspaces", bob.post(t, in(h.acme, "/leave")).location())
	_, err = h.Tokens.Authenticate(t.Context(), mine)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))
	require.Equal(t, http.StatusNotFound, bob.get(t, in(h.acme, "/members")).status)

	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		return h.Workspaces.AddMember(t.Context(), tx, h.acme, h.bob.ID, workspace.Member)
	}))
	_, err = h.Tokens.Authenticate(t.Context(), mine)
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/members/"+h.bob.ID.String()+"/remove")).status)
	_, err = h.Tokens.Authenticate(t.Context(), mine)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))

	a := ann.post(t, in(h.acme, "/leave"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "needs an owner")
}

func TestRolesAreChangedByOwners(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	path := in(h.acme, "/members/"+h.bob.ID.String()+"/role")
	require.Equal(t, http.StatusUnprocessableEntity, ann.post(t, path, "role", "king").status)
	require.Equal(t, http.StatusSeeOther, ann.post(t, path, "role", "owner").status)
	require.Contains(t, ann.get(t, in(h.acme, "/members")).body, "Role changed.")
	require.NotContains(t, ann.get(t, in(h.acme, "/members")).body, "Role changed.", "it is said once")
	bob := h.as(t, h.bob)
	require.Equal(t, http.StatusSeeOther, bob.post(t, in(h.acme, "/members/"+h.ann.ID.String()+"/remove")).status)
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/members")).status)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t)
	here, there, third := h.as(t, h.bob), h.browser(t), h.browser(t)
	there.headers.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	there.headers.Set("X-Forwarded-For", "192.0.2.7")
	for _, b := range []*browser{there, third} {
		require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).status)
	}
	body := here.get(t, "/account").body
	for _, says := range []string{"Firefox on Linux", "192.0.2.7", "This browser"} {
		require.Contains(t, body, says)
	}
	session := regexp.MustCompile(`(?s)192\.0\.2\.7.*?(/account/sessions/[0-9a-f-]{36}/end)`).FindStringSubmatch(body)
	require.NotNil(t, session)
	require.Equal(t, http.StatusNotFound, h.as(t, h.eve).post(t, session[1]).status, "another's session is not hers to end")
	require.Equal(t, http.StatusOK, there.get(t, "/account").status)
	require.Equal(t, http.StatusSeeOther, here.post(t, session[1]).status)
	require.Equal(t, http.StatusSeeOther, there.get(t, "/account").status)
	require.True(t, strings.HasPrefix(there.get(t, "/account").location(), basePath+"/sign-in"))

	require.Equal(t, http.StatusOK, third.get(t, "/account").status)
	require.Equal(t, http.StatusSeeOther, here.post(t, "/account/sessions/end-others").status)
	require.NotEqual(t, http.StatusOK, third.get(t, "/account").status)
	require.Equal(t, http.StatusOK, here.get(t, "/account").status)

	// Who signs out is out, with a copy of the cookie too.
	at, err := url.Parse(h.url)
	require.NoError(t, err)
	copied := here.client.Jar.Cookies(at)
	require.Equal(t, basePath+"/sign-in", here.post(t, "/sign-out").location())
	require.NotEqual(t, http.StatusOK, here.get(t, "/account").status)
	thief := h.browser(t)
	thief.client.Jar.SetCookies(at, copied)
	require.NotEqual(t, http.StatusOK, thief.get(t, "/account").status)
}

func TestChangedPasswordEndsEveryOtherBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	here, there := h.as(t, h.bob), h.as(t, h.bob)
	a := here.post(t, "/account/password", "current", "wrong, all wrong", "password", "another passphrase")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "is not your password")
	require.Equal(t, http.StatusOK, there.get(t, "/account").status)
	a = here.post(t, "/account/password", "current", passphrase, "password", "another passphrase")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, http.StatusOK, here.get(t, "/account").status)
	require.NotEqual(t, http.StatusOK, there.get(t, "/account").status)
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

func TestOperatorCreatesWorkspaces(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	require.Equal(t, http.StatusNotFound, bob.post(t, "/workspaces", "name", "Mine").status)
	require.NotContains(t, bob.get(t, "/workspaces").body, "Create a workspace")
	for _, bad := range [][]string{{"name", ""}, {"name", "x", "credits", "-1"}, {"name", "x", "credits", "many"}} {
		require.Equal(t, http.StatusUnprocessableEntity, ann.post(t, "/workspaces", bad...).status, "%v", bad)
	}
	a := ann.post(t, "/workspaces", "name", "Lab", "credits", "500")
	require.Equal(t, http.StatusSeeOther, a.status)
	ws, err := id.Parse[id.Workspace](strings.TrimPrefix(a.location(), basePath+"/w/"))
	require.NoError(t, err)
	entries, err := h.Credits.Recent(t.Context(), ws, 5)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.EqualValues(t, 500, entries[0].BalanceAfter)
	require.Equal(t, "ann", entries[0].ActorName)
	elsewhere := "/workspaces/" + h.elsewhere.String() + "/own"
	require.Contains(t, ann.get(t, "/workspaces").body, elsewhere)
	require.Equal(t, http.StatusNotFound, bob.post(t, elsewhere).status)
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.elsewhere, "/members")).status)
	require.Equal(t, view.WorkspacePath(h.elsewhere, "/members"), ann.post(t, elsewhere).location())
	require.Contains(t, ann.get(t, in(h.elsewhere, "/members")).body, "eve@example.com")
	require.NotContains(t, ann.get(t, "/workspaces").body, elsewhere)
	require.Equal(t, http.StatusNotFound, ann.post(t, "/workspaces/"+id.New[id.Workspace]().String()+"/own").status)
	require.Equal(t, basePath+"/workspaces", ann.get(t, "/").location(), "she has several by now")
	require.Equal(t, view.WorkspacePath(h.acme, ""), bob.get(t, "/").location())
}
