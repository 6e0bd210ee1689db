package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/id"
)

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
	require.Equal(t, basePath+"/workspaces", ann.get(t, "/").location(), "a person with several workspaces starts at their list")
	require.Equal(t, view.WorkspacePath(h.acme, ""), bob.get(t, "/").location())
}
