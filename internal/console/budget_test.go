package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
)

func TestOwnersSetWhatMembersMaySpend(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	members, set := in(h.acme, "/members"), in(h.acme, "/members/"+h.bob.ID.String()+"/budget")
	require.Equal(t, http.StatusForbidden, bob.post(t, set, "budget", "1000").status)
	require.Equal(t, http.StatusNotFound, ann.post(t, in(h.acme, "/members/"+h.eve.ID.String()+"/budget"), "budget", "5").status)
	require.Contains(t, ann.follow(t, ann.post(t, set, "budget", "much")).body, "The budget was not changed: ")
	require.Contains(t, ann.follow(t, ann.post(t, set, "budget", "", "budget_month", "30")).body, "applies from the next purchase")
	for _, who := range []*browser{ann, bob} {
		require.Contains(t, who.get(t, members).body, "0 of 30")
	}

	require.Contains(t, bob.get(t, in(h.acme, "/exports/new?limit=20")).body, "Your budget has 30 credits left.")
	require.NotContains(t, ann.get(t, in(h.acme, "/exports/new?limit=20")).body, "our budget")
	require.Contains(t, bob.get(t, in(h.acme, "/search")).body, "Your budget has only 30 credits left.")
	ok := bob.quoted(t, "name", "Twenty", "format", "csv", "limit", "20")
	tooMuch := bob.quoted(t, "name", "Twenty again", "format", "csv", "limit", "25")
	require.NotEmpty(t, bob.buys(t, ok))
	ann.post(t, set, "budget_month", "21") // 5 of the 25 are new, and 1 credit is left

	refused := bob.follow(t, bob.send(t, http.MethodPost, in(h.acme, "/exports"), tooMuch))
	require.Contains(t, refused.body, "ann, who owns the workspace")
	require.Contains(t, refused.body, "Your budget does not cover this.")
	require.NotContains(t, refused.body, ">Buy for ")
	require.Equal(t, int64(980), h.balance(t, h.acme))
	require.Contains(t, bob.get(t, in(h.acme, "/credits")).body, "20 of 21")
	require.Contains(t, ann.get(t, members).body, "20 of 21")
	require.NotContains(t, ann.get(t, in(h.acme, "/credits")).body, "Your budget")

	ann.post(t, set, "budget", "", "budget_month", "")
	require.NotEmpty(t, bob.buys(t, tooMuch))
}

func TestOwnersDecideWhoCreatesTokensWithoutABudget(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	settings, tokens := in(h.acme, "/settings/tokens"), in(h.acme, "/tokens")
	require.Equal(t, http.StatusForbidden, bob.post(t, settings, "without_budget", "everyone").status)
	require.Contains(t, ann.follow(t, ann.post(t, settings, "without_budget", "cats")).body, "Nothing was changed")
	creates := func(who *browser, name string, more ...string) bool {
		a := who.post(t, tokens, append([]string{"name", name, "scope", "read_write"}, more...)...)
		if a.status == http.StatusUnprocessableEntity {
			require.Contains(t, a.body, "budget-fault")
			require.Contains(t, a.body, "Set a total or a monthly limit.")
		}
		return a.status == http.StatusSeeOther
	}
	require.True(t, creates(bob, "default"))
	ann.post(t, settings, "without_budget", "owners")
	require.Contains(t, bob.get(t, tokens).body, "only owners may create one without")
	require.NotContains(t, ann.get(t, tokens).body, "only owners may create one without")
	require.False(t, creates(bob, "refused"))
	require.True(t, creates(bob, "metered", "budget_month", "5"))
	require.True(t, creates(ann, "an owner's"))
	ann.post(t, settings, "without_budget", "nobody")
	require.Contains(t, ann.get(t, tokens).body, "needs a total or a monthly limit in this workspace")
	require.False(t, creates(ann, "refused"))
	require.True(t, creates(ann, "shared", "budget", "5", "shared", "1"))
	require.Contains(t, ann.get(t, tokens).body, "Created by")
}
