package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
)

func TestFirstStepsAreTickedAndGoAway(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ws := h.workspace(t, "Fresh", h.eve.ID)
	h.grant(t, ws, credit.Grant{Amount: -1000, Reason: credit.ReasonAdjustment, Actor: credit.ActorSystem})
	eve := h.as(t, h.eve)
	home, done := in(ws, ""), func() int { return strings.Count(eve.get(t, in(ws, "")).body, ">Done<") }
	page := eve.get(t, home).body
	require.Equal(t, 0, done())
	require.Contains(t, page, "Get started with")
	require.Contains(t, page, `mailto:ann@example.com`, "she cannot grant credits herself")
	require.NotContains(t, page, "Short by")
	require.Contains(t, eve.get(t, in(ws, "/lists")).body, "Get started", "every page leads back")

	h.grant(t, ws, credit.Grant{Amount: 10, Actor: credit.ActorSystem})
	require.Equal(t, 1, done())
	eve.get(t, in(ws, "/search?sort_by=name"))
	require.Equal(t, 1, done(), "a search without a filter is only a look at the page")
	eve.get(t, in(ws, "/search?query=company"))
	require.Equal(t, 2, done())
	quote := eve.follow(t, eve.post(t, in(ws, "/quotes"), "name", "All"))
	eve.send(t, http.MethodPost, in(ws, "/exports"), hiddenIn(quote.body))
	require.Equal(t, 3, done())
	eve.post(t, in(ws, "/tokens"), "name", "One", "scope", "read")
	require.Equal(t, 4, done())
	eve.post(t, in(ws, "/invitations"), "email", "dan@example.com", "role", "member")
	require.NotContains(t, eve.get(t, in(ws, "/lists")).body, "Get started", "it is gone from every page")
	require.Equal(t, basePath+in(ws, "/search"), eve.get(t, home).location())
}

func TestAnEmptyCatalogLeadsOperatorsToTheImport(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	for _, path := range []string{"", "/search"} {
		require.Contains(t, ann.get(t, in(h.acme, path)).body, "/console/operator/uploads/new", path)
		page := bob.get(t, in(h.acme, path)).body
		require.Contains(t, page, "An operator can import files.", path)
		require.NotContains(t, page, "/console/operator/uploads/new", path)
	}
	h.put(t, companytest.Slice(1, 3)...)
	for _, path := range []string{"", "/search"} {
		require.NotContains(t, ann.get(t, in(h.acme, path)).body, "The catalog is empty", path)
	}
}

func TestFirstStepsCanBeClosed(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob := h.as(t, h.bob)
	page := bob.get(t, in(h.acme, "")).body
	require.NotContains(t, page, "Invite someone", "only owners invite")
	require.Equal(t, basePath+in(h.acme, "/search"), bob.post(t, in(h.acme, "/welcome/close")).location())
	require.Equal(t, basePath+in(h.acme, "/search"), bob.get(t, in(h.acme, "")).location())
}

func TestWhereCreditsAreShortThereIsAWayForward(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 1100)...)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	grant := "/console/operator?grant=" + h.acme.String() + "#" + h.acme.String()
	for _, path := range []string{"/exports/new", strings.TrimPrefix(ann.post(t, in(h.acme, "/quotes"), "name", "All").location(), basePath+in(h.acme, ""))} {
		require.Contains(t, ann.get(t, in(h.acme, path)).body, grant, path)
		page := bob.get(t, in(h.acme, path)).body
		require.NotContains(t, page, grant, path)
		require.Contains(t, page, "mailto:ann@example.com", path)
		bob.headers.Set(fragmentHeader, "1")
		if path == "/exports/new" {
			require.Contains(t, bob.get(t, in(h.acme, path)).body, "mailto:ann@example.com", "while the form is filled in")
		}
		bob.headers.Del(fragmentHeader)
	}
	require.Contains(t, ann.get(t, in(h.acme, "/search")).body, grant)
	require.Regexp(t, `Short by[^G]*href="[^"]*/credits">Get credits`, bob.get(t, in(h.acme, "/search")).body)
	require.Contains(t, bob.get(t, in(h.acme, "/credits")).body, "mailto:ann@example.com")
	h.grant(t, h.acme, credit.Grant{Amount: -1000, Reason: credit.ReasonAdjustment, Actor: credit.ActorSystem})
	require.Contains(t, ann.get(t, in(h.acme, "/credits")).body, grant)
	require.Contains(t, bob.get(t, in(h.acme, "/credits")).body, "mailto:ann@example.com")
	form := ann.get(t, strings.TrimPrefix(strings.TrimSuffix(grant, "#"+h.acme.String()), basePath)).body
	require.Len(t, regexp.MustCompile(`<details[^>]* open`).FindAllString(form, -1), 1, "the form of this workspace is open")
	h.exec(t, `UPDATE person SET operator = 0`)
	require.Contains(t, bob.get(t, in(h.acme, "/credits")).body, "Ask the person who runs this server")
}
