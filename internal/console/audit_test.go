package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/workspace"
)

func TestTheAuditLogSaysHowSomebodySignedIn(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	operator := h.as(t, h.ann)
	shows := func(means string) {
		t.Helper()
		require.Contains(t, operator.get(t, "/operator/audit?action=session.signed_in").body, "means "+means+" ·")
		h.exec(t, `DELETE FROM audit_entry`)
	}
	h.exec(t, `DELETE FROM audit_entry`)
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).status)
	shows("password")
	app := h.enrol(t, h.bob)
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.bob, "").post(t, "/sign-in/code", "code", app.code(t)).status)
	shows("password and code")
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.bob, "").post(t, "/sign-in/code", "code", app.codes[0]).status)
	shows("password and recovery code")
	k := h.keyed(t, h.eve)
	b := h.browser(t)
	require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in/passkey", "proof", k.answer(t, b, "/sign-in/passkey/begin")).status)
	shows("passkey")
	k.follow(t, k.post(t, "/account/two-factor/passkeys", "current", passphrase))
	b = h.browser(t)
	require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in", "email", h.eve.Email, "password", passphrase).status)
	require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in/code", "proof", k.answer(t, b, "/sign-in/code/passkey/begin")).status)
	shows("password and passkey")
	link, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, "new@example.com", h.ann.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/join", "link", link, "name", "New", "password", passphrase).status)
	shows("link")
}

func TestTheAuditLogShowsWhoDidWhat(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/tokens"), "name", "night job", "scope", "read").status)
	a := ann.get(t, in(h.acme, "/audit"))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "night job")
	require.Regexp(t, `Token: created`, a.body)
	require.Contains(t, a.body, "127.0.0.1", "from where it was done")

	a = ann.get(t, in(h.acme, "/audit?action=member"))
	require.NotContains(t, a.body, "night job")
	require.Contains(t, ann.get(t, in(h.acme, "/audit?action=bogus")).body, "is not a known action")
	require.Contains(t, ann.get(t, in(h.acme, "/audit?from=yesterday")).body, "must be a date")
	csv := ann.get(t, in(h.acme, "/audit?format=csv"))
	require.True(t, strings.HasPrefix(csv.body, "created_at,id,"), csv.body)
	require.Contains(t, csv.body, "token.created")

	require.Equal(t, http.StatusForbidden, bob.get(t, in(h.acme, "/audit")).status, "members do not see it")
	require.Equal(t, http.StatusOK, ann.get(t, "/operator/audit").status)
	require.Contains(t, a.body, `aria-current="page"`)
	require.NotContains(t, strings.Split(ann.get(t, "/operator/audit").body, "<main")[0], `aria-current="page"`, "it is not a page of the workspace")
	require.Equal(t, http.StatusNotFound, bob.get(t, "/operator/audit").status)
}
