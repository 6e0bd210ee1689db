package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

func of(p account.Person, action string) string { return "/operator/people/" + p.ID.String() + action }

func TestOperatorsFindPeopleByNameAndEmail(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.exec(t, `UPDATE person SET name = 'Zoë Ångström' WHERE id = $1`, h.eve.ID)
	ann := h.as(t, h.ann)
	page := ann.get(t, "/operator/people").body
	require.Contains(t, page, "3 people")
	require.Contains(t, page, "Elsewhere", "with their workspaces")
	require.Contains(t, page, "never", "and their last sign-in")
	for query, want := range map[string]string{"angstrom": "eve@", "ZOE": "eve@", "bob@example": "bob@", "example+bob": "bob@", "": "ann@"} {
		require.Contains(t, ann.get(t, "/operator/people?query="+query).body, want, query)
	}
	require.NotContains(t, ann.get(t, "/operator/people?query=zoe").body, "bob@")
	require.Contains(t, ann.get(t, "/operator/people?query=nobody").body, "Nobody found")
	require.Contains(t, ann.get(t, "/operator/people?from=999&query=e").body, "Nobody found")
	require.Equal(t, http.StatusNotFound, ann.get(t, "/operator/people/"+id.New[id.Person]().String()).status)
}

func TestRemovingAPersonSaysWhatEndsAndEndsIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob, ann := h.as(t, h.bob), h.as(t, h.ann)
	secret, _, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.acme, Name: "t", Scope: auth.Read, Owner: h.bob.ID})
	require.NoError(t, err)
	require.Contains(t, ann.get(t, of(h.bob, "")).body,
		"This signs out 1 browser, revokes 1 token, ends the membership in 1 workspace, and deletes the email address.")
	page := ann.follow(t, ann.post(t, of(h.bob, "/remove")))
	require.Contains(t, page.body, "bob was removed. Their sessions and tokens have ended.")
	require.NotContains(t, page.body, "bob@example.com")
	require.Equal(t, http.StatusSeeOther, bob.get(t, "/account").status)
	_, err = h.Tokens.Authenticate(t.Context(), "Bearer "+secret)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))
	for _, action := range []string{"", "/remove", "/operator", "/email", "/sessions/end", "/two-factor/reset"} {
		method := http.MethodPost
		if action == "" {
			method = http.MethodGet
		}
		require.Equal(t, http.StatusNotFound, ann.send(t, method, of(h.bob, action), nil).status, action)
	}

	// Invited again, they are someone new, without the old token.
	link, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, h.bob.Email, h.ann.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/join", "link", link, "name", "Bob", "password", passphrase).status)
	_, err = h.Tokens.Authenticate(t.Context(), "Bearer "+secret)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))
}

func TestTheLastOperatorCannotBeRemovedInTheConsole(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	page := ann.get(t, of(h.ann, "")).body
	require.Contains(t, page, "make another person an operator first")
	require.NotContains(t, page, of(h.ann, "/remove"))
	for _, action := range []string{"/remove", "/operator"} {
		require.Contains(t, ann.follow(t, ann.post(t, of(h.ann, action))).body, "Nothing was changed: ", action)
	}
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/operator"), "operator", "1")).body, "bob is now an operator.")
	bob := h.as(t, h.bob)
	require.Contains(t, bob.follow(t, bob.post(t, of(h.ann, "/operator"))).body, "ann is no longer an operator.")
	require.Equal(t, http.StatusNotFound, ann.get(t, "/operator/people").status, "at the next request")
}

func TestOperatorsEndSessionsAndSwitchTwoFactorOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.enrol(t, h.bob)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/sessions/end"))).body, "signed out of all browsers")
	require.Equal(t, http.StatusSeeOther, bob.get(t, "/account").status)
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/two-factor/reset"))).body, "without a code from now on")
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/two-factor/reset"))).body, "already off")
	require.Equal(t, basePath+"/", h.browser(t).post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).location())
	entries, err := h.Audit.Page(t.Context(), auditlog.Filter{Action: auditlog.TwoFactorDisabled}, id.AuditEntry{}, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "person:"+h.ann.ID.String(), entries[0].Actor)
	require.Equal(t, "person:"+h.bob.ID.String(), entries[0].Subject)
}

// Whether an address has an account is nobody else's business.
func TestAnotherEmailHasTheSameAnswerWhetherOrNotItIsTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob, ann := h.as(t, h.bob), h.as(t, h.ann)
	answers := map[string]string{}
	for _, email := range []string{h.eve.Email, "free@example.com"} {
		a := bob.post(t, "/account/profile", "name", "bob", "email", email, "confirm", passphrase)
		page := bob.follow(t, a)
		require.Equal(t, http.StatusOK, page.status)
		answers[email] = strings.ReplaceAll(page.body, email, "EMAIL")
		require.Contains(t, page.body, "when an operator has confirmed the new address")
		again, err := h.People.Get(t.Context(), h.bob.ID)
		require.NoError(t, err)
		require.Equal(t, h.bob.Email, again.Email)
		require.Equal(t, email, again.WantedEmail)
		shown := ann.get(t, of(h.bob, "")).body
		require.Contains(t, shown, email)
		shown = ann.follow(t, ann.post(t, of(h.bob, "/email"), "confirm", "1")).body
		if email == h.eve.Email {
			require.Contains(t, shown, "belongs to another account", "operators see everybody's addresses anyway")
		}
	}
	require.Equal(t, answers[h.eve.Email], answers["free@example.com"])
	moved, err := h.People.ByEmail(t.Context(), "free@example.com")
	require.NoError(t, err)
	require.Equal(t, h.bob.ID, moved.ID)
	require.Empty(t, moved.WantedEmail)
	require.Equal(t, http.StatusUnprocessableEntity, bob.post(t, "/account/profile", "name", "bob", "email", h.eve.Email, "confirm", "wrong password").status)

	require.Equal(t, http.StatusSeeOther, bob.post(t, "/account/profile", "name", "bob", "email", "other@example.com", "confirm", passphrase).status)
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/email"))).body, "was not changed")
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/email"), "confirm", "1")).body, "Nobody asks to change")
}

// With a mail server, who has somebody else's link gets the same answers for every address; only a link that was sent to the address
// creates the account, or says that there is one.
func TestInvitationsAnswerEveryAddressAlike(t *testing.T) {
	t.Parallel()
	h := open(t, mailing(t))
	secrets := regexp.MustCompile(`(=|%3D|")[A-Z2-7]{26}`)
	answers := func(bound, email string) (all []string) {
		link, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, bound, h.ann.ID)
		require.NoError(t, err)
		visitor := h.browser(t)
		page := visitor.get(t, "/join?link="+link)
		require.Contains(t, page.body, "Send the link")
		sent := visitor.post(t, "/join", "link", link, "name", "Eve", "email", email, "password", passphrase)
		require.Equal(t, http.StatusSeeOther, sent.status)
		after := visitor.follow(t, sent)
		require.Contains(t, after.body, "We have sent a link to "+email)
		for _, a := range []string{page.body, sent.location(), sent.body, after.body} {
			all = append(all, secrets.ReplaceAllString(strings.ReplaceAll(a, email, "EMAIL"), ""))
		}
		return all
	}
	require.Equal(t, answers("free@example.com", "free@example.com"), answers(h.eve.Email, h.eve.Email))
	require.Equal(t, answers("", "free@example.com"), answers("", h.eve.Email))
	_, err := h.People.ByEmail(t.Context(), "free@example.com")
	require.Equal(t, fault.NotFound, fault.CodeOf(err), "no account before the address is confirmed")

	link, invitation, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, "", h.ann.ID)
	require.NoError(t, err)
	malformed := h.browser(t).post(t, "/join", "link", link, "email", "nonsense")
	require.Equal(t, http.StatusUnprocessableEntity, malformed.status)
	require.Contains(t, malformed.body, "is not an email address")
	last := http.StatusSeeOther
	for range limitPerInvited.Requests {
		last = h.browser(t).post(t, "/join", "link", link, "email", "free@example.com").status
	}
	require.Equal(t, http.StatusTooManyRequests, last, "nobody can use a link to send emails to everyone")

	toEve, _, err := h.People.NewSecret(t.Context(), invitation.ID, h.eve.Email)
	require.NoError(t, err)
	require.Contains(t, h.browser(t).get(t, "/join?link="+toEve).body, "eve@example.com has an account. Sign in to accept the invitation.")
	toFree, _, err := h.People.NewSecret(t.Context(), invitation.ID, "free@example.com")
	require.NoError(t, err)
	free := h.browser(t)
	require.Contains(t, free.get(t, "/join?link="+toFree).body, "Create account")
	joined := free.post(t, "/join", "link", toFree, "name", "Free", "email", "other@example.com", "password", passphrase)
	require.Equal(t, view.WorkspacePath(h.acme, ""), joined.location())
	_, err = h.People.ByEmail(t.Context(), "free@example.com")
	require.NoError(t, err, "the address is the one that the link was sent to")
	for _, used := range []string{link, toEve, toFree} {
		require.Equal(t, http.StatusForbidden, h.browser(t).get(t, "/join?link="+used).status)
	}
}

// Without a mail server, an invitation for an address that has an account cannot create another one.
func TestFormsDoNotSayThatAnEmailHasAnAccount(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	secrets := regexp.MustCompile(`link=[A-Z2-7]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|<time.*?</time>`)
	invited := func(email string) string {
		_, page, _ := strings.Cut(ann.follow(t, ann.post(t, in(h.acme, "/invitations"), "email", email, "role", "member")).body, "<main")
		require.Contains(t, page, "Invitation for "+email)
		h.exec(t, `DELETE FROM invitation`)
		return secrets.ReplaceAllString(strings.ReplaceAll(page, email, "EMAIL"), "")
	}
	require.Equal(t, invited("free@example.com"), invited(h.eve.Email))
	link, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, h.eve.Email, h.ann.ID)
	require.NoError(t, err)
	require.Contains(t, h.browser(t).get(t, "/join?link="+link).body, "Create account", "the page is the same for every address")
	_, _, err = h.Memberships.Accept(t.Context(), link, membership.Newcomer{Name: "Eve", Password: passphrase})
	require.ErrorContains(t, err, "cannot be used for a new account")
	require.NotContains(t, err.Error(), "already")
	unknown := h.browser(t).post(t, "/sign-in", "email", "free@example.com", "password", "wrong password").body
	known := h.browser(t).post(t, "/sign-in", "email", h.eve.Email, "password", "wrong password").body
	require.Equal(t, strings.ReplaceAll(unknown, "free@", "eve@"), known)
}
