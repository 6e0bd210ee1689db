package api_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

func TestOwnersReadTheAuditLogOfTheirWorkspaceOnly(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	ownersToken := func(ws id.Workspace, role workspace.Role) string {
		who := id.New[id.Person]()
		require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error { return h.spaces.AddMember(t.Context(), tx, ws, who, role) }))
		secret, _, err := h.tokens.Create(t.Context(), token.NewToken{Workspace: ws, Name: "of an " + string(role), Scope: auth.Read, Owner: who})
		require.NoError(t, err)
		return secret
	}
	owner, member := ownersToken(h.ws, workspace.Owner), ownersToken(h.ws, workspace.Member)
	elsewhere := ownersToken(h.workspace(t, 0), workspace.Owner)
	for name, secret := range map[string]string{"a member's token": member, "a token of nobody": h.reader} {
		a := h.send(t, secret, "GET", "/audit", nil)
		require.Equal(t, http.StatusForbidden, a.status, name)
		require.Equal(t, "FORBIDDEN", a.code(t), name)
	}
	items := func(secret, query string) []any {
		return get[M](t, h, secret, 200, "GET", "/audit"+query, nil)["items"].([]any)
	}
	for _, item := range items(owner, "?action=token.created") {
		require.Contains(t, item.(M)["subject"], "token:")
		require.NotContains(t, item.(M)["name"], "elsewhere")
	}
	require.Len(t, items(owner, "?action=token.created"), 4)
	require.Len(t, items(elsewhere, "?action=token"), 1)

	seen := 0
	for cursor := ""; ; {
		page := get[M](t, h, owner, 200, "GET", "/audit?limit=2&action=token&cursor="+cursor, nil)
		seen += len(page["items"].([]any))
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	require.Equal(t, 4, seen)
	a := h.send(t, owner, "GET", "/audit?format=csv&action=token", nil)
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)

	for query, want := range map[string]string{
		"?action=token.revokd": "did you mean token.revoked?", "?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z": "must be later than from",
		"?format=csv&limit=5": "csv has no pages", "?workspace=x": "unknown query parameter",
	} {
		a := h.send(t, owner, "GET", "/audit"+query, nil)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, query)
		require.Contains(t, string(a.body), want, query)
	}
}
