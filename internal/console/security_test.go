package console

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/preset"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

func TestEveryRouteSaysWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rt := range routes() {
		name := rt.method + " " + rt.path
		require.False(t, seen[name], name)
		seen[name] = true
		require.Contains(t, []access{anyone, signedIn, member, owner, operator}, rt.access, name)
		require.Equal(t, strings.HasPrefix(rt.path, "/w/{workspace_id}"), rt.access == member || rt.access == owner,
			"%s: a workspace's page is its members'", name)
		require.Contains(t, []string{http.MethodGet, http.MethodPost}, rt.method, name)
		require.NotNil(t, rt.handler, name)
	}
}

// fillPath replaces the parameters of a route's path with ids.
func fillPath(path string, ids map[string]string) string {
	return regexp.MustCompile(`\{([\w$]+)\}`).ReplaceAllStringFunc(path, func(p string) string {
		if p == "{$}" {
			return ""
		}
		if known, ok := ids[p[1:len(p)-1]]; ok {
			return known
		}
		return ids["workspace_id"]
	})
}

// belongings returns ids of Acme's objects by route parameter.
func (h *fixture) belongings(t *testing.T) map[string]string {
	t.Helper()
	caller := auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite}
	h.put(t, &company.Company{ID: id.New[id.Company](), Name: "Kept", Domain: "kept.example"})
	l, err := h.Lists.Create(t.Context(), caller.Workspace, "Kept")
	require.NoError(t, err)
	_, token, err := h.Tokens.Create(t.Context(), token.NewToken{Workspace: h.acme, Name: "kept", Scope: auth.Read})
	require.NoError(t, err)
	_, invitation, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, "new@example.com", h.ann.ID)
	require.NoError(t, err)
	o, err := h.Orders.Create(t.Context(), caller, order.Order{
		Name: "Kept", Schedule: order.Schedule{Cron: "0 8 * * MON"}, Request: export.Request{Source: export.SourceList, List: l.ID},
	}, false)
	require.NoError(t, err)
	_, hook, err := h.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: h.acme, URL: "http://127.0.0.1:9/kept"})
	require.NoError(t, err)
	to, err := h.Destinations.Create(t.Context(), destination.Destination{
		Workspace: h.acme, Name: "Kept", Kind: destination.S3, Bucket: destination.Bucket{Name: "kept", Region: "eu-central-1", AccessKey: "AKIAKEPT"},
	}, destination.Secrets{SecretKey: "kept-secret"})
	require.NoError(t, err)
	columns, err := h.Presets.Create(t.Context(), preset.Preset{Workspace: h.acme, Name: "Kept", Columns: []string{"name"}})
	require.NoError(t, err)
	bought := h.bought(t, caller).String()
	require.NoError(t, h.Events.Publish(t.Context()))
	deliveries, err := h.Webhooks.Deliveries(t.Context(), h.acme, hook.ID, "", id.Delivery{}, 1)
	require.NoError(t, err)
	require.NotEmpty(t, deliveries)
	return map[string]string{
		"webhook_id": hook.ID.String(), "delivery_id": deliveries[0].ID.String(),
		"order_id": o.ID.String(), "destination_id": to.ID.String(), "preset_id": columns.ID.String(),
		"workspace_id": h.acme.String(), "list_id": l.ID.String(), "token_id": token.ID.String(),
		"invitation_id": invitation.ID.String(), "person_id": h.bob.ID.String(),
		"export_id": bought, "search_id": h.savedSearch(t, caller),
		"session_id": id.New[id.Session]().String(), "company_id": id.New[id.Company]().String(),
		"upload_id": id.New[id.Upload]().String(), "number": h.imported(t),
	}
}

// imported returns the number of an import of a file with a hostile name.
func (h *fixture) imported(t *testing.T) string {
	t.Helper()
	number, err := h.catalog.Begin(t.Context(), []string{"<script>alert(1)</script>.csv"})
	require.NoError(t, err)
	return strconv.FormatInt(number, 10)
}

func TestIDsOfAnotherWorkspaceAreNotFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	before := h.state(t)
	eve := h.as(t, h.eve)
	mixed := 0
	for _, rt := range routes() {
		if rt.access != member && rt.access != owner {
			continue
		}
		form := url.Values{"name": {"x"}, "role": {"owner"}, "email": {"x@example.com"}, "domains": {"kept.example"}, "budget": {"1"}}
		a := eve.send(t, rt.method, fillPath(rt.path, ids), form)
		require.Equal(t, http.StatusNotFound, a.status, "%s %s: %s", rt.method, rt.path, a.body)
		require.NotContains(t, a.body, "Acme", rt.path)

		// Her own workspace, with the ids of Acme's objects in it.
		own := map[string]string{}
		for name, value := range ids {
			own[name] = value
		}
		own["workspace_id"] = h.elsewhere.String()
		path := fillPath(rt.path, own)
		if strings.Count(rt.path, "{") == 1 {
			continue
		}
		mixed++
		a = eve.send(t, rt.method, path, form)
		require.Equal(t, http.StatusNotFound, a.status, "%s %s: %s", rt.method, rt.path, a.body)
	}
	require.NotZero(t, mixed)
	require.Equal(t, before, h.state(t), "nothing of Acme's has changed")
}

// state counts everything of Acme that others could change.
func (h *fixture) state(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, q := range []string{
		`SELECT count(*) FROM member WHERE left_at IS NULL`, `SELECT count(*) FROM member WHERE role = 'owner'`,
		`SELECT count(*) FROM token WHERE revoked_at IS NULL AND budget IS NULL`, `SELECT count(*) FROM list`,
		`SELECT count(*) FROM invitation`, `SELECT count(*) FROM export WHERE status <> 'cancelled'`,
		`SELECT COALESCE(SUM(balance), 0) FROM account`, `SELECT count(*) FROM saved_search`,
	} {
		var n int
		require.NoError(t, h.db.Read().QueryRowContext(t.Context(), q).Scan(&n), q)
		counts[q] = n
	}
	return counts
}

func TestPagesRequireSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	stranger := h.browser(t)
	for _, rt := range routes() {
		if rt.access == anyone {
			continue
		}
		path := fillPath(rt.path, ids)
		a := stranger.send(t, rt.method, path, nil)
		if rt.method == http.MethodPost {
			require.Equal(t, http.StatusUnauthorized, a.status, rt.path)
			continue
		}
		require.Equal(t, http.StatusSeeOther, a.status, rt.path)
		require.True(t, strings.HasPrefix(a.location(), basePath+"/sign-in"), a.location())
	}
	stranger.headers.Set(fragmentHeader, "1")
	a := stranger.get(t, in(h.acme, "/members"))
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.NotContains(t, a.body, "<html", "a script gets a fragment")
}

func TestRolesLimitWhatPeopleCanDo(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	bob := h.as(t, h.bob)
	for _, rt := range routes() {
		switch rt.access {
		case owner:
			require.Equal(t, http.StatusForbidden, bob.send(t, rt.method, fillPath(rt.path, ids), nil).status, rt.path)
		case operator:
			require.Equal(t, http.StatusNotFound, bob.send(t, rt.method, fillPath(rt.path, ids), nil).status, rt.path)
		default:
		}
	}
	require.NotContains(t, bob.get(t, in(h.acme, "/members")).body, "new@example.com", "only owners see invitations")
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	before := h.state(t)
	for header, value := range map[string]string{
		"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example",
	} {
		t.Run(header, func(t *testing.T) {
			ann := h.as(t, h.ann)
			ann.headers.Set(header, value)
			for _, rt := range routes() {
				if rt.method != http.MethodPost {
					continue
				}
				a := ann.send(t, rt.method, fillPath(rt.path, ids), nil)
				require.Equal(t, http.StatusForbidden, a.status, "%s from %s", rt.path, value)
				require.Contains(t, a.body, "another site", rt.path)
			}
		})
	}
	require.Equal(t, before, h.state(t))
}

func TestPagesCannotBeFramedAndRunNoForeignCode(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	ann, stranger := h.as(t, h.ann), h.browser(t)
	answers := map[string]answer{
		"not found": ann.get(t, "/nowhere"), "sign in": stranger.get(t, "/sign-in"), "refused": stranger.post(t, "/account/password"),
		"asset": stranger.get(t, strings.TrimPrefix(view.Asset("console.js"), basePath)),
	}
	for _, rt := range routes() {
		if rt.method == http.MethodGet && !strings.HasSuffix(rt.path, "/events") {
			answers[rt.path] = ann.get(t, fillPath(rt.path, ids))
		}
	}
	for name, a := range answers {
		policy := a.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'", name)
		require.Contains(t, policy, "frame-ancestors 'none'", name)
		require.NotContains(t, policy, "unsafe", name)
		require.NotContains(t, policy, "http", name)
		require.Equal(t, "DENY", a.header.Get("X-Frame-Options"), name)
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "same-origin", a.header.Get("Referrer-Policy"), name)
		require.Equal(t, "same-origin", a.header.Get("Cross-Origin-Opener-Policy"), name)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		require.NotRegexp(t, `(?i)<script(>| [^>]*>[^<])`, a.body, "%s: a script of its own", name)
		require.NotRegexp(t, `(?i)<style|\sstyle="|\son\w+="|javascript:`, a.body, name)
		require.NotRegexp(t, `(?i)(src|href|action|srcset)="(https?:)?//`, a.body, "%s: another host", name)
		require.Less(t, len(a.body), 100_000, name)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	h := open(t)
	const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>=HYPERLINK("http://evil.example")`
	bad := &company.Company{
		ID: id.New[id.Company](), Name: hostile, Domain: "bad.example", Description: hostile, Industries: []string{hostile},
		City: hostile, State: hostile, LinkedInURL: "javascript:alert(3)", Website: "javascript:alert(4)",
	}
	h.put(t, bad)
	ids := h.belongings(t)
	ids["company_id"] = bad.ID.String()
	mallory := h.workspace(t, hostile, h.ann.ID)
	ids["workspace_id"] = mallory.String()
	caller := auth.Caller{Person: h.ann.ID, Workspace: mallory, Scope: auth.ReadWrite}
	l, err := h.Lists.Create(t.Context(), mallory, hostile)
	require.NoError(t, err)
	ids["list_id"] = l.ID.String()
	ids["export_id"] = h.bought(t, caller).String()
	_, _, err = h.Tokens.Create(t.Context(), token.NewToken{Workspace: mallory, Name: hostile, Scope: auth.Read})
	require.NoError(t, err)
	ann := h.as(t, h.ann)
	escaped := 0
	for _, rt := range routes() {
		if rt.method != http.MethodGet || strings.HasSuffix(rt.path, "/events") {
			continue
		}
		for _, search := range []string{"", "?query=" + url.QueryEscape(hostile), "?next=" + url.QueryEscape(hostile)} {
			a := ann.get(t, fillPath(rt.path, ids)+search)
			require.NotContains(t, a.body, "<script>alert", rt.path)
			require.NotContains(t, a.body, "<img src=x", rt.path)
			require.NotContains(t, a.body, `href="javascript:`, rt.path)
			if strings.Contains(a.body, "&lt;script&gt;alert") {
				escaped++
			}
		}
	}
	require.Greater(t, escaped, 5, "the names are shown as text")
}

func TestSignInRenewsTheSessionSecret(t *testing.T) {
	t.Parallel()
	h := open(t)
	planted := &http.Cookie{Name: "capi_session", Value: "planted-by-somebody-else-0123456789abcdefgh", Path: "/"}
	at, err := url.Parse(h.url)
	require.NoError(t, err)
	victim := h.browser(t)
	victim.client.Jar.SetCookies(at, []*http.Cookie{planted})
	require.Equal(t, http.StatusSeeOther, victim.post(t, "/sign-in", "email", h.ann.Email, "password", passphrase).status)
	first := cookieOf(t, victim, at)
	require.NotEqual(t, planted.Value, first)

	attacker := h.browser(t)
	attacker.client.Jar.SetCookies(at, []*http.Cookie{planted})
	require.Equal(t, http.StatusSeeOther, attacker.get(t, "/account").status, "the planted secret does not sign in")

	// Signing in again within a session also changes the secret; the old one no longer works.
	require.Equal(t, http.StatusSeeOther, victim.post(t, "/sign-in", "email", h.ann.Email, "password", passphrase).status)
	require.NotEqual(t, first, cookieOf(t, victim, at))
	attacker.client.Jar.SetCookies(at, []*http.Cookie{{Name: "capi_session", Value: first, Path: "/"}})
	require.Equal(t, http.StatusSeeOther, attacker.get(t, "/account").status)
}

func cookieOf(t *testing.T, b *browser, at *url.URL) string {
	t.Helper()
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "capi_session" {
			return c.Value
		}
	}
	t.Fatal("there is no session")
	return ""
}

func TestSessionCookieIsHttpOnlyAndSecure(t *testing.T) {
	t.Parallel()
	for publicURL, want := range map[string]string{
		"":                      `^capi_session=[^;]{43}; Path=/; Expires=[^;]+; Max-Age=\d+; HttpOnly; SameSite=Lax$`,
		"https://capi.example/": `^__Host-capi_session=[^;]{43}; Path=/; Expires=[^;]+; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`,
	} {
		t.Run(publicURL, func(t *testing.T) {
			h := open(t, func(d *Deps) { d.PublicURL = publicURL })
			a := h.browser(t).post(t, "/sign-in", "email", h.ann.Email, "password", passphrase)
			require.Regexp(t, want, a.header.Get("Set-Cookie"))
			require.Empty(t, h.browser(t).get(t, "/sign-in").header.Get("Set-Cookie"), "a visit without signing in creates no session")
		})
	}
}

func TestRedirectsStayInTheConsole(t *testing.T) {
	t.Parallel()
	h := open(t)
	for next, want := range map[string]string{
		"/console/account":            "/console/account",
		"/console/w/x/search?query=a": "/console/w/x/search?query=a",
		"":                            "/console/", "/": "/console/", "/api/v1": "/console/", "//evil.example": "/console/",
		"https://evil.example/console/": "/console/", `/\evil.example`: "/console/", "/console/../../x": "/console/",
		"/console//evil.example": "/console/", "javascript:alert(1)": "/console/", "/console/\r\nSet-Cookie: a=b": "/console/",
		"/console/%2e%2e/%2e%2e/x": "/console/", "http:/console/": "/console/", "//console/": "/console/", "console/": "/console/",
	} {
		t.Run(next, func(t *testing.T) {
			b := h.browser(t)
			b.headers.Set("X-Forwarded-For", "192.0.2."+string(rune('0'+len(next)%10)))
			require.Equal(t, want, ownPath(next), "%q", next)
			a := b.get(t, "/sign-in?next="+url.QueryEscape(next))
			require.Contains(t, a.body, `name="next" value="`+want, "%q", next)
		})
	}
	ann := h.browser(t)
	a := ann.post(t, "/sign-in", "email", h.ann.Email, "password", passphrase, "next", "//evil.example")
	require.Equal(t, "/console/", a.location())
	require.Equal(t, "/console/", ann.get(t, "/sign-in?next=//evil.example").location())
}

// trustTests believes the X-Forwarded-For header of the tests' own clients.
func trustTests(d *Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// The header is anybody's to send. Believing it would give each attempt a limit of its own.
func TestAForgedAddressDoesNotEscapeTheLimits(t *testing.T) {
	t.Parallel()
	h := open(t)
	limited := 0
	for i := range 2 * limitPerAddress.Requests {
		b := h.browser(t)
		b.headers.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(i))
		if b.post(t, "/sign-in", "email", "guess"+strconv.Itoa(i)+"@example.com", "password", "wrong password").status == http.StatusTooManyRequests {
			limited++
		}
	}
	require.Positive(t, limited)
}

// Each password that is checked takes a core and memory. Those that cannot be checked soon are refused at once.
func TestManySignInsAtOnceDoNotQueue(t *testing.T) {
	t.Parallel()
	h := open(t, trustTests)
	const clients = 400
	var busy atomic.Int32
	var group sync.WaitGroup
	for i := range clients {
		b := h.browser(t)
		b.headers.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.%d", 113+i/250, i%250))
		group.Go(func() {
			a := b.post(t, "/sign-in", "email", h.ann.Email, "password", "wrong password")
			if a.status == http.StatusServiceUnavailable {
				assert.Contains(t, a.body, "Too many people are signing in at the moment.")
				assert.Equal(t, "5", a.header.Get("Retry-After"))
				busy.Add(1)
				return
			}
			assert.Equal(t, http.StatusUnprocessableEntity, a.status)
		})
	}
	group.Wait()
	require.Positive(t, busy.Load())
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/sign-in", "email", h.ann.Email, "password", passphrase).status)
}

func TestPasswordsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	h := open(t, trustTests)
	try := func(address, email, password string) answer {
		b := h.browser(t)
		b.headers.Set("X-Forwarded-For", address)
		return b.post(t, "/sign-in", "email", email, "password", password)
	}
	// until tries until it must wait, and returns the number of tries. A slow machine gets a few more.
	until := func(limit int, once func(i int) answer) int {
		for i := range 2 * limit {
			a := once(i)
			if a.status == http.StatusTooManyRequests {
				return i
			}
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, "Wrong email or password.")
		}
		return 2 * limit
	}
	// One email from one address, known or unknown.
	for i, email := range []string{h.ann.Email, "unknown@example.com"} {
		address := "198.51.100." + strconv.Itoa(i)
		tries := until(limitPerEmail.Requests, func(i int) answer {
			return try(address, []string{email, strings.ToUpper(email) + " "}[i%2], "wrong password")
		})
		require.GreaterOrEqual(t, tries, limitPerEmail.Requests, email)
		require.Less(t, tries, 2*limitPerEmail.Requests, email)
		require.Equal(t, http.StatusTooManyRequests, try(address, email, passphrase).status)
	}
	require.Equal(t, http.StatusSeeOther, try("198.51.100.78", h.ann.Email, passphrase).status, "nobody is locked out from elsewhere")
	require.Equal(t, http.StatusSeeOther, try("198.51.100.0", h.bob.Email, passphrase).status, "others can sign in")
	for range 2 * limitPerAddress.Requests {
		require.Equal(t, http.StatusSeeOther, try("198.51.100.79", h.ann.Email, passphrase).status, "successes do not count")
	}

	// Many emails from one address.
	tries := until(limitPerAddress.Requests, func(i int) answer {
		return try("203.0.113.5", "guess"+strconv.Itoa(i)+"@example.com", "wrong password")
	})
	require.GreaterOrEqual(t, tries, limitPerAddress.Requests)
	require.Less(t, tries, 2*limitPerAddress.Requests)
	require.Equal(t, http.StatusSeeOther, try("203.0.113.6", h.bob.Email, passphrase).status)
}

func TestLinksCannotBeGuessed(t *testing.T) {
	t.Parallel()
	h := open(t, trustTests)
	secret, _, err := h.Memberships.InviteMember(t.Context(), h.acme, workspace.Member, "new@example.com", h.ann.ID)
	require.NoError(t, err)
	guesser := h.browser(t)
	guesser.headers.Set("X-Forwarded-For", "203.0.113.9")
	for range limitPerLink.Requests {
		a := guesser.get(t, "/join?link=AAAAAAAAAAAAAAAAAAAAAAAAAA")
		require.Equal(t, http.StatusForbidden, a.status)
		require.Contains(t, a.body, string(fault.InvalidLink))
	}
	require.Equal(t, http.StatusTooManyRequests, guesser.get(t, "/join?link="+secret).status)
	require.Equal(t, http.StatusTooManyRequests, guesser.post(t, "/join", "link", secret).status)
	other := h.browser(t)
	other.headers.Set("X-Forwarded-For", "203.0.113.10")
	require.Equal(t, http.StatusOK, other.get(t, "/join?link="+secret).status)
}
