package console

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
	"github.com/opencapi/capi/internal/token"
)

func TestTokenIsShownOnceAndWorks(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob := h.as(t, h.bob)
	tokens := in(h.acme, "/tokens")
	require.Contains(t, bob.get(t, tokens).body, "No tokens yet")
	a := bob.post(t, tokens, "name", "CI", "scope", "read_write", "days", "30", "budget", "50", "budget_month", "10", "shared", "1")
	a = bob.follow(t, a)
	require.Equal(t, http.StatusOK, a.status)
	secret := secretIn(a.body)
	require.NotEmpty(t, secret)
	caller, err := h.Tokens.Authenticate(t.Context(), "Bearer "+secret)
	require.NoError(t, err)
	require.Equal(t, h.acme, caller.Workspace)
	page := bob.get(t, tokens).body
	require.NotContains(t, page, secret)
	require.Contains(t, page, secret[:12])
	require.Contains(t, page, "0 of 50")
	made, err := h.Tokens.List(t.Context(), h.acme)
	require.NoError(t, err)
	require.Equal(t, h.bob.ID, made[0].Owner, "a member's token belongs to the member, whatever the form says")
	require.WithinDuration(t, time.Now().AddDate(0, 0, 30), *made[0].ExpiresAt, time.Minute)

	for name, form := range map[string][]string{
		"no name":                     {"name", "", "scope", "read"},
		"unknown scope":               {"name", "x", "scope", "all"},
		"no days":                     {"name", "x", "scope", "read", "days", "0"},
		"budget that is not a number": {"name", "x", "scope", "read", "budget", "much"},
		"negative budget":             {"name", "x", "scope", "read", "budget", "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			a := bob.post(t, tokens, form...)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, `class="fault"`)
		})
	}
	taken := bob.post(t, tokens, "name", " ci ", "scope", "read")
	require.Equal(t, http.StatusUnprocessableEntity, taken.status)
	require.Contains(t, taken.body, "such as ci 2")
	made, err = h.Tokens.List(t.Context(), h.acme)
	require.NoError(t, err)
	require.Len(t, made, 1)
}

func TestATokensPageShowsItsRequestsAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := open(t, func(d *Deps) {
		d.RateLimits = func(token.Token) []RateLimit {
			return []RateLimit{{Name: "companies.search", Limit: ratelimit.PerMinute(60), Left: 57}}
		}
	})
	_, made, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.acme, Name: "nightly", Scope: auth.Read, Owner: h.ann.ID})
	require.NoError(t, err)
	ann, at := h.as(t, h.ann), in(h.acme, "/tokens/"+made.ID.String())
	require.Contains(t, ann.get(t, at).body, "None yet.")
	for n := range pageSize + 5 {
		h.Requests.Add(requestlog.Request{
			ID: fmt.Sprintf("request-%02d<b>", n), Token: made.ID, At: time.Now(), Method: http.MethodPost, Route: "/api/v1/exports",
			Status: 201 + 221*(n%2), Took: 1234 * time.Microsecond, Credits: int64(n),
		})
	}
	require.NoError(t, h.Requests.Flush(t.Context()))
	page := ann.get(t, at).body
	for _, says := range []string{
		"30 requests", "15 errors, 435 credits", "POST /exports", ">422<", "1.2ms", "request-29&lt;b&gt;", "companies.search", ">57<", "/docs/quickstart",
		"curl -sS",
	} {
		require.Contains(t, page, says)
	}
	require.NotContains(t, page, "request-04")
	next := regexp.MustCompile(`rel="next" href="` + basePath + `([^"#]+)`).FindStringSubmatch(page)
	require.NotNil(t, next)
	older := ann.get(t, next[1]).body
	require.Contains(t, older, "request-04")
	require.NotContains(t, older, "request-05")
	require.Contains(t, h.as(t, h.bob).get(t, at).body, "request-29", "members see what the workspace's tokens do")
}

func TestTokenIsRotatedBudgetedAndRevoked(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, token, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.acme, Name: "nightly", Scope: auth.Read, Owner: h.ann.ID})
	require.NoError(t, err)
	works := func(secret string) bool {
		_, err := h.Tokens.Authenticate(context.Background(), "Bearer "+secret)
		return err == nil
	}
	at := in(h.acme, "/tokens/"+token.ID.String())
	bob := h.as(t, h.bob)
	for _, what := range []string{"/revoke", "/rotate", "/budget"} {
		require.Equal(t, http.StatusForbidden, bob.post(t, at+what, "hours", "1").status, what)
	}
	require.NotContains(t, bob.get(t, in(h.acme, "/tokens")).body, at+"/revoke")

	ann := h.as(t, h.ann)
	a := ann.follow(t, ann.post(t, at+"/rotate", "hours", "24"))
	next := secretIn(a.body)
	require.True(t, works(secret))
	require.True(t, works(next))
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "Old secret works until")
	require.Equal(t, http.StatusSeeOther, ann.post(t, at+"/rotate", "hours", "1000").status)
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "The secret was not changed: ")

	ann.post(t, at+"/budget", "budget", "", "budget_month", "12")
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "0 of 12")
	ann.post(t, at+"/budget", "budget", "-3")
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "The budget was not changed: ")
	require.Equal(t, http.StatusSeeOther, ann.post(t, at+"/revoke").status)
	require.False(t, works(secret))
	require.False(t, works(next))
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "No longer active")
}

// The documentation links to this address, because it knows no workspace.
func TestTheAddressOfTokensLeadsToTheWorkspaceOpenedLast(t *testing.T) {
	t.Parallel()
	h := open(t)
	other := h.workspace(t, "Other", h.ann.ID)
	ann := h.as(t, h.ann)
	require.Equal(t, http.StatusOK, ann.get(t, in(other, "/tokens")).status)
	require.Equal(t, in(other, "/tokens"), strings.TrimPrefix(ann.get(t, "/tokens").location(), basePath))
	require.Equal(t, http.StatusOK, ann.get(t, in(h.acme, "/tokens")).status)
	require.Equal(t, in(h.acme, "/tokens"), strings.TrimPrefix(ann.get(t, "/tokens").location(), basePath))
	require.Contains(t, h.browser(t).get(t, "/tokens").location(), "/sign-in?next=")
}

func TestATokenForOpenRefineIsShownAsTheAddressToPaste(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob := h.as(t, h.bob)
	tokens := in(h.acme, "/tokens")
	require.Contains(t, bob.get(t, tokens).body, `value="reconcile"`)
	created := bob.post(t, tokens, "name", "OpenRefine", "scope", "reconcile")
	path := strings.TrimPrefix(created.location(), basePath)
	a := bob.follow(t, created)
	require.Equal(t, http.StatusOK, a.status)
	secret := secretIn(a.body)
	_, err := h.Tokens.AuthenticateAddress(t.Context(), secret)
	require.NoError(t, err)
	require.Contains(t, a.body, "/reconcile/"+secret+"</pre>")
	require.Contains(t, a.body, "/docs/openrefine")
	require.NotContains(t, a.body, "curl -sS")
	require.Contains(t, a.body, `data-copy="curl"`)
	again := bob.get(t, path).body
	for _, page := range []string{a.body, again} {
		require.NotContains(t, page, "Spent in total", "it can spend nothing")
		require.NotContains(t, page, "<summary>Budget</summary>")
	}
	require.NotContains(t, again, secret)
	require.NotContains(t, again, "data-copy", "without the secret there is nothing worth copying")
	require.Contains(t, again, "/reconcile/SECRET</pre>")
	list := bob.get(t, tokens).body
	require.Contains(t, list, "Reconcile in OpenRefine")
	require.NotContains(t, list, secret)
}
