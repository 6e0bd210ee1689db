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
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/token"
)

func TestLedgerIsFilteredAndPaged(t *testing.T) {
	t.Parallel()
	h := open(t)
	for n := range pageSize {
		h.grant(t, h.acme, credit.Grant{Amount: int64(n + 1), Reason: credit.ReasonPurchase, Note: fmt.Sprint("invoice ", n), Actor: credit.ActorSystem})
	}
	bob := h.as(t, h.bob)
	page := bob.get(t, in(h.acme, "/credits")).body
	require.Contains(t, page, "1,325") // 1,000 and 1 to 25
	require.Equal(t, pageSize, strings.Count(page, "invoice "))
	next := regexp.MustCompile(`rel="next" href="` + basePath + `([^"#]+)`).FindStringSubmatch(page)
	rest := bob.get(t, strings.ReplaceAll(next[1], "&amp;", "&")).body
	require.Contains(t, rest, "Grant")
	require.NotContains(t, rest, "invoice ")

	require.NotContains(t, bob.get(t, in(h.acme, "/credits?reason=grant")).body, "invoice ")
	today := time.Now().UTC().Format(time.DateOnly)
	require.Contains(t, bob.get(t, in(h.acme, "/credits?from="+today+"&to="+today)).body, "invoice ", "the days themselves count")
	require.Contains(t, bob.get(t, in(h.acme, "/credits?to=2001-01-01")).body, "No entries match these filters.")
	for _, search := range []string{"?from=soon", "?to=1.2.2026", "?reason=greed"} {
		a := bob.get(t, in(h.acme, "/credits"+search))
		require.Equal(t, http.StatusOK, a.status)
		require.Contains(t, a.body, `class="fault"`, search)
		require.Equal(t, http.StatusUnprocessableEntity, bob.get(t, in(h.acme, "/credits"+search+"&format=csv")).status)
	}
}

func TestSpendingIsToldByTokenAndMember(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, in(h.acme, "/credits")).body, "No credits were spent in this period.")
	ann.buys(t, ann.quoted(t, "name", "x", "limit", "30"))
	_, token, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.acme, Name: "nightly", Scope: auth.ReadWrite, Owner: h.bob.ID})
	require.NoError(t, err)
	h.bought(t, auth.Caller{Token: token.ID, Workspace: h.acme, Scope: auth.ReadWrite})
	for _, span := range []string{"", "?span=91", "?span=365"} {
		page := ann.get(t, in(h.acme, "/credits"+span)).body
		for _, name := range []string{"the console", "nightly", "ann", "bob"} {
			require.Contains(t, page, "<bdi>"+name+"</bdi>", span)
		}
		require.Regexp(t, `Spending over [^:]+: 3[01] credits in total`, page)
	}
}

func TestTokenIsShownOnceAndWorks(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob := h.as(t, h.bob)
	tokens := in(h.acme, "/tokens")
	require.Contains(t, bob.get(t, tokens).body, "No tokens yet")
	a := bob.post(t, tokens, "name", "CI", "scope", "read_write", "days", "30", "budget", "50", "budget_month", "10", "shared", "1")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	secret := regexp.MustCompile(`cornect_[0-9A-Za-z]{38}`).FindString(a.body)
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
	require.Equal(t, h.bob.ID, made[0].Owner, "a member's token goes with the member, whatever the form says")
	require.WithinDuration(t, time.Now().AddDate(0, 0, 30), *made[0].ExpiresAt, time.Minute)

	for _, form := range [][]string{
		{"name", "", "scope", "read"},
		{"name", "x", "scope", "all"},
		{"name", "x", "scope", "read", "days", "0"},
		{"name", "x", "scope", "read", "budget", "much"},
		{"name", "x", "scope", "read", "budget", "-1"},
	} {
		a := bob.post(t, tokens, form...)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, form)
		require.Contains(t, a.body, `class="fault"`, form)
	}
	made, err = h.Tokens.List(t.Context(), h.acme)
	require.NoError(t, err)
	require.Len(t, made, 1)
}

func TestTokenGetsAnotherSecretABudgetAndItsEnd(t *testing.T) {
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
	a := ann.post(t, at+"/rotate", "hours", "24")
	next := regexp.MustCompile(`cornect_[0-9A-Za-z]{38}`).FindString(a.body)
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
