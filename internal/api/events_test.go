package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// ownersToken returns the secret of a token of a new owner of the workspace.
func (h *house) ownersToken(t *testing.T, ws id.Workspace) string {
	t.Helper()
	who := id.New[id.Person]()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error { return h.spaces.AddMember(t.Context(), tx, ws, who, workspace.Owner) }))
	secret, _, err := h.tokens.Create(t.Context(), token.NewToken{Workspace: ws, Name: "of an owner", Scope: auth.ReadWrite, Owner: who})
	require.NoError(t, err)
	return secret
}

func TestEventsAreReadOldestFirstByCursorAndAfterAnEvent(t *testing.T) {
	t.Parallel()
	h := stocked(t, 50, settings{limits: "exports.create=off"})
	other := h.token(t, h.workspace(t, 10), auth.Read)
	for range 5 {
		get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{}, "limit": 3})
	}
	page := func(query string) (types []string, ids []string, next any) {
		body := get[M](t, h, h.reader, 200, "GET", "/events?"+query, nil)
		for _, item := range body["items"].([]any) {
			types, ids = append(types, item.(M)["type"].(string)), append(ids, item.(M)["id"].(string))
		}
		return types, ids, body["next_cursor"]
	}
	types, all, next := page("")
	require.Equal(t, []string{"credits.granted", "export.created", "export.created", "export.created", "export.created", "export.created"}, types)
	require.Nil(t, next)
	_, exports, _ := page("types=export.*")
	require.Equal(t, all[1:], exports)
	_, rest, _ := page("after=" + all[3])
	require.Equal(t, all[4:], rest)
	_, none, _ := page("after=" + all[5])
	require.Empty(t, none)

	var paged []string
	for cursor := any(""); cursor != nil; {
		var ids []string
		_, ids, cursor = page("limit=2&types=export.created&cursor=" + cursor.(string))
		paged = append(paged, ids...)
	}
	require.Equal(t, exports, paged)
	_, _, next = page("limit=2")
	for query, code := range map[string]string{
		"types=export.complete":                                "VALIDATION_ERROR",
		"types=export.created,":                                "VALIDATION_ERROR",
		"after=nonsense":                                       "VALIDATION_ERROR",
		"after=" + id.New[id.Event]().String():                 "INVALID_CURSOR",
		"cursor=" + next.(string) + "&types=export.*":          "INVALID_CURSOR",
		"cursor=" + next.(string) + "&after=" + all[0]:         "VALIDATION_ERROR",
		"after=" + all[0] + "&types=export.created&type=other": "VALIDATION_ERROR",
	} {
		a := h.send(t, h.reader, "GET", "/events?"+query, nil)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, query)
		require.Equal(t, code, a.code(t), query)
	}
	a := h.send(t, other, "GET", "/events?after="+all[0], nil)
	require.Equal(t, "INVALID_CURSOR", a.code(t), "an event of another workspace")
	require.Len(t, get[M](t, h, other, 200, "GET", "/events", nil)["items"], 1)
}

func TestEventsAboutTokensAndMembersAreForOwners(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	owner := h.ownersToken(t, h.ws)
	types := func(secret, query string) (types []string) {
		for _, item := range get[M](t, h, secret, 200, "GET", "/events?"+query, nil)["items"].([]any) {
			types = append(types, item.(M)["type"].(string))
		}
		return types
	}
	require.Equal(t, []string{"credits.granted"}, types(h.reader, ""))
	require.Contains(t, types(owner, ""), "member.added")
	tokens := types(owner, "types=token.created")
	require.NotEmpty(t, tokens)
	for _, query := range []string{"types=token.created", "types=export.*,member.*", "types=budget.threshold"} {
		a := h.send(t, h.reader, "GET", "/events?"+query, nil)
		require.Equal(t, http.StatusForbidden, a.status, query)
		require.Equal(t, "FORBIDDEN", a.code(t), query)
	}
	items := get[M](t, h, owner, 200, "GET", "/events?types=token.created", nil)["items"].([]any)
	data := items[len(items)-1].(M)["data"].(M)
	require.Equal(t, "of an owner", data["name"])
	require.NotEmpty(t, data["token_id"])
	require.Equal(t, "system", data["actor"].(M)["type"])
	require.NotContains(t, data, "address")
}
