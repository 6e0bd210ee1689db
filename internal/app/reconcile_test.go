package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/token"
)

func TestTheReconciliationServiceIsServedWithItsLimits(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{
		Config:    func(c *config.Config) { c.RateLimits, c.PublicURL = "reconcile=2/min", "https://capi.example.com" },
		Companies: `{"name":"Acme","domain":"acme.example"}`,
	})
	secret, _, err := s.Tokens.Create(t.Context(), token.NewToken{Workspace: s.Workspace, Name: "OpenRefine", Scope: auth.Reconcile})
	require.NoError(t, err)
	get := func(path string) (int, string) {
		r, err := http.Get(s.URL + "/reconcile/" + secret + path)
		require.NoError(t, err)
		defer r.Body.Close()
		p, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, string(p)
	}
	status, body := get("")
	require.Equal(t, http.StatusOK, status, body)
	var m struct {
		Documentation string
		View          struct{ URL string }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &m))
	require.Equal(t, "https://capi.example.com/docs/openrefine", m.Documentation)
	require.Equal(t, "https://capi.example.com/console/w/"+s.Workspace.String()+"/companies/{{id}}", m.View.URL)
	r, err := http.Get(s.URL + "/docs/openrefine")
	require.NoError(t, err)
	r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode, "the manifest leads to the guide")

	status, body = get("?queries=" + `%7B%22q%22:%7B%22query%22:%22acme%22%7D%7D`)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"match":true`)
	status, _ = get("")
	require.Equal(t, http.StatusTooManyRequests, status)
	status, _ = get("/suggest/type?prefix=c")
	require.Equal(t, http.StatusOK, status, "typing has a limit of its own")
}
