package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/token"
)

func TestOwnersRenameTheirWorkspaceAndChooseItsColumns(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann := h.as(t, h.ann)
	at := in(h.acme, "/settings")
	require.Contains(t, ann.follow(t, ann.post(t, at+"/name", "name", "Acme & Sons")).body, "Acme &amp; Sons")
	refused := ann.post(t, at+"/name", "name", " ")
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, `class="fault"`)

	ticked := func(path string) (n int) {
		return strings.Count(ann.get(t, path).body, `name="column" value=`) - unticked(ann.get(t, path).body)
	}
	all := ticked(in(h.acme, "/exports/new"))
	require.Greater(t, all, 10)
	ann.post(t, at+"/columns", "column", "domain", "column", "name")
	require.Equal(t, 2, ticked(at))
	for _, unknown := range []string{"nonsense", "id,name", "a\x00b"} {
		require.Contains(t, ann.follow(t, ann.post(t, at+"/columns", "column", unknown, "column", "name")).body, "Nothing was changed")
		require.Equal(t, 2, ticked(at), "an unknown column is not kept, and no column in its place")
	}
	require.Equal(t, 2, ticked(in(h.acme, "/exports/new")))
	require.Equal(t, 1, ticked(in(h.acme, "/exports/new?column=city")), "an address that names columns keeps them")

	// All columns, chosen for one export, survive the quote and the way back to its form.
	columns := url.Values{"name": {"All"}}
	for _, m := range strings.Split(ann.get(t, at).body, `name="column" value="`)[1:] {
		columns.Add("column", m[:strings.IndexByte(m, '"')])
	}
	quote := ann.follow(t, ann.send(t, http.MethodPost, in(h.acme, "/quotes"), columns)).body
	edit := strings.Split(strings.Split(quote, `/exports/new?`)[1], `"`)[0]
	require.Equal(t, all, ticked(in(h.acme, "/exports/new?"+strings.ReplaceAll(edit, "&amp;", "&"))))
	ann.send(t, http.MethodPost, at+"/columns", columns)
	require.Equal(t, all, ticked(in(h.acme, "/exports/new")))
}

// unticked counts the columns of a page that are not ticked.
func unticked(page string) (n int) {
	for _, m := range strings.Split(page, `name="column" value="`)[1:] {
		if !strings.HasPrefix(m[strings.IndexByte(m, '"'):], `" checked`) {
			n++
		}
	}
	return n
}

func TestOnlyAWorkspaceThatOwnsNothingIsDeleted(t *testing.T) {
	t.Parallel()
	h := open(t)
	eve := h.as(t, h.eve)
	at := in(h.elsewhere, "/settings")
	secret, _, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.elsewhere, Name: "shared", Scope: auth.Read})
	require.NoError(t, err)
	require.NotContains(t, eve.get(t, at).body, "settings/delete", "it has credits")
	require.Contains(t, eve.follow(t, eve.post(t, at+"/delete")).body, "The workspace was not deleted: ")

	h.grant(t, h.elsewhere, credit.Grant{Amount: -1000, Reason: credit.ReasonAdjustment, Actor: credit.ActorSystem})
	require.Contains(t, eve.get(t, at).body, "settings/delete")
	require.Contains(t, eve.follow(t, eve.post(t, at+"/delete")).body, "Elsewhere was deleted.")
	require.Equal(t, http.StatusForbidden, eve.get(t, at).status)
	_, err = h.Tokens.Authenticate(t.Context(), "Bearer "+secret)
	require.Equal(t, fault.NotWorkspaceMember, fault.CodeOf(err))
	require.NotContains(t, h.as(t, h.ann).get(t, "/operator").body, "Elsewhere")
	require.Error(t, h.Memberships.Own(t.Context(), h.elsewhere, h.ann.ID))

	h.put(t, companytest.Slice(1, 2)...)
	ann := h.as(t, h.ann)
	ann.buys(t, ann.quoted(t, "name", "All"))
	h.grant(t, h.acme, credit.Grant{Amount: -998, Reason: credit.ReasonAdjustment, Actor: credit.ActorSystem})
	require.Contains(t, ann.follow(t, ann.post(t, in(h.acme, "/settings/delete"))).body, "The workspace was not deleted: ", "it has an export")
}

func TestPeopleChangeTheirNameEmailAndTheme(t *testing.T) {
	t.Parallel()
	h := open(t)
	bob := h.as(t, h.bob)
	page := bob.follow(t, bob.post(t, "/account/profile", "name", "Robert", "email", h.bob.Email, "theme", "dark")).body
	require.Contains(t, page, `value="Robert"`)
	require.Contains(t, page, `data-theme="dark"`)
	for name, test := range map[string]struct {
		form []string
		says string
	}{
		"no password":            {[]string{"name", "R", "email", "new@example.com"}, "is not your password"},
		"no email":               {[]string{"name", "R", "email", "nonsense", "confirm", passphrase}, "is not an email address"},
		"an unknown theme":       {[]string{"name", "R", "email", h.bob.Email, "theme", "pink"}, "must be light"},
		"a name that is missing": {[]string{"name", " ", "email", h.bob.Email}, `class="fault"`},
	} {
		t.Run(name, func(t *testing.T) {
			a := bob.post(t, "/account/profile", test.form...)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, test.says)
		})
	}
	bob.post(t, "/account/profile", "name", "Robert", "email", "Robert@example.com", "confirm", passphrase)
	require.Contains(t, bob.get(t, "/account").body, "robert@example.com waits for an operator to confirm it.")
	require.NoError(t, h.People.ConfirmEmail(t.Context(), h.bob.ID))
	p, err := h.People.ByEmail(t.Context(), "robert@example.com")
	require.NoError(t, err)
	require.Equal(t, h.bob.ID, p.ID)
	require.NotContains(t, bob.get(t, "/account").body, "data-theme", "the theme of the system again")

	sso := open(t, func(d *Deps) { d.OIDC = OIDC{Issuer: "https://id.example", Name: "Example ID"} })
	eve := sso.as(t, sso.eve)
	require.Contains(t, eve.get(t, "/account").body, "Your email comes from Example ID.")
	eve.post(t, "/account/profile", "name", "Eve", "email", sso.ann.Email+"x", "confirm", passphrase)
	p, err = sso.People.Get(t.Context(), sso.eve.ID)
	require.NoError(t, err)
	require.Equal(t, sso.eve.Email, p.Email, "an email of somebody else would get their sign-in")
}

func TestTimesAreInTheReadersTimeZone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.exec(t, `UPDATE member SET joined_at = 1767261600000000`) // 2026-01-01 10:00 UTC
	for cookie, want := range map[string]string{
		"":                             `2026-01-01 10:00 <span class="quiet">UTC</span>`,
		"capi_zone=Europe%2FBerlin":    `title="2026-01-01 10:00 UTC">2026-01-01 11:00<`,
		"capi_zone=Asia%2FKolkata":     `title="2026-01-01 10:00 UTC">2026-01-01 15:30<`,
		"capi_zone=Nowhere%2FLand":     `2026-01-01 10:00 <span class="quiet">UTC</span>`,
		"capi_zone=..%2F..%2Fetc":      `2026-01-01 10:00 <span class="quiet">UTC</span>`,
		"capi_zone=Local":              `2026-01-01 10:00 <span class="quiet">UTC</span>`,
		"capi_zone=%zz":                `2026-01-01 10:00 <span class="quiet">UTC</span>`,
		"capi_zone=America%2FNew_York": `title="2026-01-01 10:00 UTC">2026-01-01 05:00<`,
	} {
		t.Run(cookie, func(t *testing.T) {
			t.Parallel()
			ann := h.as(t, h.ann)
			ann.headers.Set("Cookie", cookie)
			require.Contains(t, ann.get(t, in(h.acme, "/members")).body, want)
		})
	}
}
