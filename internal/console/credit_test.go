package console

import (
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
	require.Contains(t, bob.get(t, in(h.acme, "/credits?from="+today+"&to="+today)).body, "invoice ", "both days are included")
	require.Contains(t, bob.get(t, in(h.acme, "/credits?to=2001-01-01")).body, "No entries match these filters.")
	for _, search := range []string{"?from=soon", "?to=1.2.2026", "?reason=greed"} {
		a := bob.get(t, in(h.acme, "/credits"+search))
		require.Equal(t, http.StatusOK, a.status)
		require.Contains(t, a.body, `class="fault"`, search)
		require.Equal(t, http.StatusUnprocessableEntity, bob.get(t, in(h.acme, "/credits"+search+"&format=csv")).status)
	}
}

func TestSpendingIsShownByTokenAndMember(t *testing.T) {
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
