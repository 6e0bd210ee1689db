package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

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
	gone := bob.get(t, in(h.acme, "/members"))
	require.Equal(t, http.StatusForbidden, gone.status)
	require.Contains(t, gone.body, "You are no longer in Acme.")
	require.NotContains(t, gone.body, h.ann.Email)

	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		return h.Workspaces.AddMember(t.Context(), tx, h.acme, h.bob.ID, workspace.Member)
	}))
	_, err = h.Tokens.Authenticate(t.Context(), mine)
	require.Equal(t, fault.InvalidToken, fault.CodeOf(err), "an old token does not come back")
	mine = token()
	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/members/"+h.bob.ID.String()+"/remove")).status)
	_, err = h.Tokens.Authenticate(t.Context(), mine)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))

	a := ann.follow(t, ann.post(t, in(h.acme, "/leave")))
	require.Contains(t, a.body, "You did not leave: ")
	require.Contains(t, a.body, "needs an owner")
	require.Contains(t, a.body, `role="alert"`)
}

func TestRolesAreChangedByOwners(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	path := in(h.acme, "/members/"+h.bob.ID.String()+"/role")
	require.Contains(t, ann.follow(t, ann.post(t, path, "role", "king")).body, "The role was not changed: ")
	require.Equal(t, http.StatusSeeOther, ann.post(t, path, "role", "owner").status)
	require.Contains(t, ann.get(t, in(h.acme, "/members")).body, "Role changed.")
	require.NotContains(t, ann.get(t, in(h.acme, "/members")).body, "Role changed.", "the notice is shown only once")
	bob := h.as(t, h.bob)
	require.Equal(t, http.StatusSeeOther, bob.post(t, in(h.acme, "/members/"+h.ann.ID.String()+"/remove")).status)
	require.Equal(t, http.StatusForbidden, ann.get(t, in(h.acme, "/members")).status)
}
