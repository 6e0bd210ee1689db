package console

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/id"
)

// secondFactor is the app of a person who uses two-factor sign-in.
type secondFactor struct {
	h      *fixture
	secret string
	codes  []string // recovery codes
}

// begin begins to set up two-factor sign-in in the browser.
func (h *fixture) begin(t *testing.T, b *browser) *secondFactor {
	t.Helper()
	page := b.follow(t, b.post(t, "/account/two-factor/begin", "current", passphrase))
	shown := regexp.MustCompile(`id="totp-secret">([A-Z2-7 ]+)<`).FindStringSubmatch(page.body)
	require.NotNil(t, shown, page.body)
	return &secondFactor{h: h, secret: strings.ReplaceAll(shown[1], " ", "")}
}

// enrol switches two-factor sign-in on for the person, in the console.
func (h *fixture) enrol(t *testing.T, who account.Person) *secondFactor {
	t.Helper()
	b := h.as(t, who)
	f := h.begin(t, b)
	page := b.follow(t, b.post(t, "/account/two-factor/enable", "code", f.code(t)))
	require.Contains(t, page.body, "Two-factor sign-in is on.")
	f.codes = strings.Fields(regexp.MustCompile(`(?s)id="recovery-codes"[^>]*>([^<]*)<`).FindStringSubmatch(page.body)[1])
	require.Len(t, f.codes, 10)
	require.NotContains(t, b.get(t, "/account/two-factor").body, f.codes[0], "they are shown once")
	return f
}

// code returns the present code, as if no earlier one had been used in the same half minute.
func (f *secondFactor) code(t *testing.T) string {
	t.Helper()
	f.h.exec(t, `UPDATE two_factor SET period = 0`)
	code, err := totp.GenerateCode(f.secret, time.Now())
	require.NoError(t, err)
	return code
}

// givesPassword enters the password, which is right, and returns the browser at the page that asks for a code.
func (h *fixture) givesPassword(t *testing.T, who account.Person, from string) *browser {
	t.Helper()
	b := h.browser(t)
	b.headers.Set("X-Forwarded-For", from)
	a := b.post(t, "/sign-in", "email", who.Email, "password", passphrase, "next", basePath+"/account")
	require.Equal(t, codePath, a.location(), a.body)
	require.Contains(t, b.follow(t, a).body, "Enter a code")
	return b
}

// codePath is where a sign-in that leads to the account page asks for a code.
const codePath = basePath + "/sign-in/code?next=%2Fconsole%2Faccount"

func TestAPasswordAloneDoesNotSignInAPersonWithTwoFactors(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	b := h.givesPassword(t, h.ann, "")
	for _, rt := range routes() {
		if rt.access != anyone {
			a := b.send(t, rt.method, fillPath(rt.path, map[string]string{"workspace_id": h.acme.String()}), nil)
			require.True(t, a.status == http.StatusUnauthorized || strings.HasPrefix(a.location(), basePath+"/sign-in"), "%s %s: %d", rt.method, rt.path, a.status)
		}
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.post(t, "/sign-in/code", "code", "000000").status)
	a := b.post(t, "/sign-in/code", "code", f.code(t), "next", basePath+"/account")
	require.Equal(t, basePath+"/account", a.location())
	page := b.follow(t, a)
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "On: after your password")
	require.Equal(t, basePath+"/sign-in", b.get(t, "/sign-in/code").location(), "the code page is over")

	other := h.browser(t)
	require.Equal(t, basePath+"/sign-in", other.post(t, "/sign-in/code", "code", f.code(t)).location(), "a code alone does not sign in")
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).status)
}

// Signing in as somebody else must not keep the first person signed in while the code is missing.
func TestWaitingForACodeSignsOutWhoWasSignedIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.enrol(t, h.ann)
	b := h.as(t, h.bob)
	require.Equal(t, codePath, b.post(t, "/sign-in", "email", h.ann.Email, "password", passphrase, "next", basePath+"/account").location())
	require.Equal(t, basePath+"/sign-in?next=%2Fconsole%2Faccount", b.get(t, "/account").location())
}

func TestRefusedCodesLookAlikeInTheConsole(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.enrol(t, h.ann), h.enrol(t, h.bob)
	b := h.givesPassword(t, h.ann, "")
	used := ann.code(t)
	require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in/code", "code", used).status)
	b = h.givesPassword(t, h.ann, "")
	require.Equal(t, http.StatusSeeOther, b.post(t, "/sign-in/code", "code", ann.codes[0]).status)
	var first string
	for name, code := range map[string]string{
		"used": used, "wrong": "000000", "another person's": bob.code2(t), "used recovery code": ann.codes[0],
		"another person's recovery code": bob.codes[0], "wrong recovery code": "aaaa-bbbb-cccc-dddd",
	} {
		a := h.givesPassword(t, h.ann, "").post(t, "/sign-in/code", "code", code, "next", basePath+"/account")
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		if first == "" {
			first = a.body
		}
		require.Equal(t, first, a.body, name)
	}
	require.Contains(t, first, "The code is not valid: each code works once")
}

// code2 returns the present code, without making used ones valid again.
func (f *secondFactor) code2(t *testing.T) string {
	t.Helper()
	code, err := totp.GenerateCode(f.secret, time.Now())
	require.NoError(t, err)
	return code
}

func TestARecoveryCodeSignsInOnceAndSaysHowManyAreLeft(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	b := h.givesPassword(t, h.ann, "")
	home := b.follow(t, b.post(t, "/sign-in/code", "code", strings.ToUpper(f.codes[4])))
	page := b.follow(t, home) // the first page redirects to the workspace
	require.Contains(t, page.body, "You used a recovery code; 9 codes are left.")
	require.NotContains(t, b.get(t, "/account").body, "You used a recovery code")
	require.Equal(t, http.StatusUnprocessableEntity, h.givesPassword(t, h.ann, "").post(t, "/sign-in/code", "code", f.codes[4]).status)
}

func TestAResetPasswordStillNeedsACode(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	waiting := h.givesPassword(t, h.ann, "")
	secret, _, err := h.Memberships.InvitePassword(t.Context(), h.ann.Email)
	require.NoError(t, err)
	b := h.browser(t)
	a := b.post(t, "/join", "link", secret, "password", "another gravel teapot")
	require.Equal(t, basePath+"/sign-in/code?next=%2Fconsole%2F", a.location())
	require.Contains(t, b.follow(t, a).body, "Password set.")
	require.Equal(t, basePath+"/sign-in", waiting.post(t, "/sign-in/code", "code", f.code(t)).location(), "the earlier password is worth nothing")
	require.Equal(t, basePath+"/", b.post(t, "/sign-in/code", "code", f.code(t)).location())
	require.Equal(t, http.StatusOK, b.get(t, "/account").status)
}

func TestASignInDoesNotWaitForItsCodeForLong(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	b := h.givesPassword(t, h.ann, "")
	data, err := scs.GobCodec{}.Encode(time.Now().Add(time.Hour), map[string]any{
		awaitingKey: h.ann.ID.String(), awaitingSinceKey: time.Now().Add(-codeTimeMax).Unix(),
	})
	require.NoError(t, err)
	h.exec(t, `UPDATE session SET data = $1 WHERE awaiting IS NOT NULL`, data)
	page := b.follow(t, b.post(t, "/sign-in/code", "code", f.code(t)))
	require.Contains(t, page.body, "The sign-in took too long.")
	require.Equal(t, http.StatusSeeOther, b.get(t, "/account").status)
}

// Guessing codes takes the password. It is limited from one address and from all of them together, while the account's owner gets
// in with a recovery code, and nobody else waits.
func TestCodesCannotBeGuessedAndNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	h := open(t, trustTests)
	f, bob := h.enrol(t, h.ann), h.enrol(t, h.bob)
	// until tries wrong codes until it must wait, and returns the number of tries. A slow machine gets a few more.
	until := func(limit int, address func(i int) string) int {
		for i := range 2 * limit {
			b := h.givesPassword(t, h.ann, address(i))
			if a := b.post(t, "/sign-in/code", "code", "000000"); a.status == http.StatusTooManyRequests {
				require.Contains(t, a.body, "Too many attempts.")
				return i
			}
		}
		return 2 * limit
	}
	tries := until(limitPerCode.Requests, func(int) string { return "198.51.100.1" })
	require.GreaterOrEqual(t, tries, limitPerCode.Requests)
	require.Less(t, tries, 2*limitPerCode.Requests)
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.ann, "198.51.100.2").post(t, "/sign-in/code", "code", f.code(t)).status,
		"from elsewhere a code signs in")

	tries = until(limitPerAccountCode.Requests, func(i int) string { return "203.0.113." + strconv.Itoa(i) })
	require.Less(t, tries, 2*limitPerAccountCode.Requests, "many addresses do not help")
	require.Equal(t, http.StatusTooManyRequests, h.givesPassword(t, h.ann, "198.51.100.3").post(t, "/sign-in/code", "code", f.code(t)).status)
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.ann, "198.51.100.3").post(t, "/sign-in/code", "code", f.codes[0]).status)
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.bob, "198.51.100.1").post(t, "/sign-in/code", "code", bob.code(t)).status)
	// Successes do not count.
	for i := range 2 * limitPerCode.Requests {
		require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.bob, "198.51.100.4").post(t, "/sign-in/code", "code", bob.code(t)).status, i)
	}
	refused, err := h.Audit.Page(t.Context(), auditlog.Filter{Action: auditlog.CodeRefused}, id.AuditEntry{}, 100)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(refused), limitPerCode.Requests)
	require.NotEmpty(t, refused[0].Address, "the person can see that someone has their password")
	require.Equal(t, "person:"+h.ann.ID.String(), refused[0].Subject)
}

func TestSwitchingOffInTheConsoleNeedsPasswordAndCode(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	b := h.as(t, h.ann)
	for name, form := range map[string][]string{
		"wrong password": {"current", "wrong password", "code", f.code(t)}, "wrong code": {"current", passphrase, "code", "000000"},
		"no code": {"current", passphrase}, "used code": nil,
	} {
		if name == "used code" {
			form = []string{"current", passphrase, "code", f.codes[9]}
			require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.ann, "").post(t, "/sign-in/code", "code", f.codes[9]).status)
		}
		for _, path := range []string{"/account/two-factor/disable", "/account/two-factor/codes"} {
			a := b.post(t, path, form...)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s %s", name, path)
			require.Contains(t, a.body, "On since", name)
		}
	}
	page := b.follow(t, b.post(t, "/account/two-factor/codes", "current", passphrase, "code", f.code(t)))
	require.NotContains(t, page.body, f.codes[0])
	require.Contains(t, page.body, "Your recovery codes")
	page = b.follow(t, b.post(t, "/account/two-factor/disable", "current", passphrase, "code", f.code(t)))
	require.Contains(t, page.body, "Two-factor sign-in is off.")
	require.Equal(t, basePath+"/", h.browser(t).post(t, "/sign-in", "email", h.ann.Email, "password", passphrase).location())
}

func TestASetupCanBeCancelledAndLocksNobodyOut(t *testing.T) {
	t.Parallel()
	h := open(t, func(d *Deps) { d.PublicURL = "http://capi.example:8080" })
	b := h.as(t, h.ann)
	a := b.post(t, "/account/two-factor/begin", "current", "wrong password")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "is not your password")
	page := b.follow(t, b.post(t, "/account/two-factor/begin", "current", passphrase))
	require.Contains(t, page.body, `<svg class="qr"`)
	require.Less(t, len(page.body), 100_000)
	require.Equal(t, basePath+"/", h.browser(t).post(t, "/sign-in", "email", h.ann.Email, "password", passphrase).location())
	a = b.post(t, "/account/two-factor/enable", "code", "000000")
	require.Contains(t, a.body, "is not the code that the app shows")
	require.Contains(t, b.follow(t, b.post(t, "/account/two-factor/cancel")).body, "Two-factor sign-in stays off.")
	require.Contains(t, b.post(t, "/account/two-factor/enable", "code", "000000").body, "Start again.")
}

// The provider decides how people prove who they are; the page says so.
func TestTheProviderDecidesAboutSecondFactors(t *testing.T) {
	t.Parallel()
	h := open(t, func(d *Deps) { d.OIDC = OIDC{Issuer: "https://id.example", Name: "Corp"} })
	require.Contains(t, h.as(t, h.ann).get(t, "/account/two-factor").body, "No code is asked for when you sign in with Corp")
}

// Without the key that encrypted the secrets, recovery codes still sign in.
func TestAfterTheKeyIsLostRecoveryCodesSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := h.enrol(t, h.ann)
	h.exec(t, `UPDATE two_factor SET secret = $1`, []byte("encrypted with another key"))
	a := h.givesPassword(t, h.ann, "").post(t, "/sign-in/code", "code", f.code(t))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "its key has changed. Use a recovery code")
	require.Equal(t, http.StatusSeeOther, h.givesPassword(t, h.ann, "").post(t, "/sign-in/code", "code", f.codes[0]).status)
}
