package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBudgetsOnTheCommandLine sets and shows what a member may spend, and who may create tokens without a budget.
func TestBudgetsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	v := s.serve(t)
	link := v.firstLink(t)
	_, secret, _ := strings.Cut(link, "link=")
	r, err := http.PostForm(v.url+"/console/join", url.Values{
		"link": {secret}, "name": {"Ada"}, "email": {"ada@example.com"}, "password": {passphrase},
	})
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, http.StatusOK, r.StatusCode)

	at := []string{"person", "budget", "ada@example.com", "--workspace", s.workspace}
	var shown struct {
		PersonID    string `json:"person_id"`
		WorkspaceID string `json:"workspace_id"`
		Budget      *int64 `json:"budget"`
		BudgetMonth *int64 `json:"budget_month"`
	}
	require.Regexp(t, `in all +none +0 +-`, s.capi(t, at...))
	require.Regexp(t, `in all +50 +0 +50\n`, s.capi(t, append(at, "--budget", "50")...))
	require.Regexp(t, `this month \(UTC\) +20 +0 +20\n`, s.capi(t, append(at, "--budget-month", "20")...))
	s.json(t, &shown, append(at, "--json")...)
	require.Equal(t, s.workspace, shown.WorkspaceID)
	require.Equal(t, int64(50), *shown.Budget, "it stays while the other one is set")
	require.Equal(t, int64(20), *shown.BudgetMonth)
	s.refuses(t, "There is no such person", "person", "budget", "nobody@example.com", "--workspace", s.workspace)
	s.refuses(t, "budget", append(at, "--budget", "-1")...)

	tokens := []string{"workspace", "tokens", s.workspace}
	require.Contains(t, s.capi(t, tokens...), "Who may create tokens without a budget in Acme: ")
	require.Contains(t, s.capi(t, append(tokens, "--without-budget", "owners")...), ": owners\n")
	var kept struct {
		Who string `json:"tokens_without_budget"`
	}
	s.json(t, &kept, append(tokens, "--json")...)
	require.Equal(t, "owners", kept.Who)
	s.refuses(t, "must be one of", append(tokens, "--without-budget", "some")...)
	s.refuses(t, "There is no workspace", "workspace", "tokens", "0198c0de-0000-7000-8000-000000000000")
	v.stop(t)
}

// refuses runs a command, which must fail and say why.
func (s *fixture) refuses(t *testing.T, why string, args ...string) {
	t.Helper()
	out, err := s.command(args...).CombinedOutput()
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), why)
}
