package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/testkit/softkey"
)

const passkeySiteOfTests = "http://localhost:8080"

// passkeys makes the console one at which passkeys work.
func passkeys(d *Deps) { d.PublicURL = passkeySiteOfTests }

// keyed is a browser on a device with a passkey.
type keyed struct {
	*browser
	*softkey.Device
}

// keyed returns a browser in which the person is signed in and has added a passkey.
func (h *fixture) keyed(t *testing.T, who account.Person) *keyed {
	t.Helper()
	k := &keyed{browser: h.as(t, who), Device: &softkey.Device{Origin: passkeySiteOfTests, Host: "localhost"}}
	page := k.follow(t, k.post(t, "/account/passkeys", "name", who.Name+"'s laptop", "credential", k.created(t)))
	require.Contains(t, page.body, "The passkey was added.")
	return k
}

// created asks for a new passkey, and returns what the browser sends then.
func (k *keyed) created(t *testing.T) string {
	t.Helper()
	a := k.post(t, "/account/passkeys/begin", "current", passphrase)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	return string(k.Create([]byte(a.body)))
}

// answer asks at the path for a passkey, and returns what the browser sends then.
func (k *keyed) answer(t *testing.T, b *browser, path string) string {
	t.Helper()
	a := b.post(t, path)
	require.Equal(t, http.StatusOK, a.status, a.body)
	return string(k.Get([]byte(a.body)))
}

func TestAPasskeySignsInWithoutAnEmail(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	k := h.keyed(t, h.ann)
	h.enrol(t, h.ann) // a code is not asked for
	b := h.browser(t)
	a := b.post(t, "/sign-in/passkey", "proof", k.answer(t, b, "/sign-in/passkey/begin"), "next", basePath+"/account")
	require.Equal(t, basePath+"/account", a.location(), a.body)
	require.Contains(t, b.follow(t, a).body, h.ann.Email)
	require.Contains(t, h.text(t, `SELECT action FROM audit_entry`), "passkey.added")
}

func TestRefusedPasskeysLookAlikeInTheConsole(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	k, bob := h.keyed(t, h.ann), h.keyed(t, h.bob)
	used := h.browser(t)
	usedAnswer := k.answer(t, used, "/sign-in/passkey/begin")
	require.Equal(t, http.StatusSeeOther, used.post(t, "/sign-in/passkey", "proof", usedAnswer).status)
	used.post(t, "/sign-out")
	bob.follow(t, bob.post(t, "/account/passkeys/"+h.text(t, `SELECT id FROM passkey WHERE name LIKE 'bob%'`)+"/remove"))

	var first string
	for name, send := range map[string]func(b *browser) string{
		"used": func(*browser) string { return usedAnswer },
		"another session's": func(b *browser) string {
			k.answer(t, b, "/sign-in/passkey/begin")
			return k.answer(t, h.browser(t), "/sign-in/passkey/begin")
		},
		"removed": func(b *browser) string { return bob.answer(t, b, "/sign-in/passkey/begin") },
		"none":    func(*browser) string { return "" },
		"of an earlier challenge": func(b *browser) string {
			old := k.answer(t, b, "/sign-in/passkey/begin")
			k.answer(t, b, "/sign-in/passkey/begin")
			return old
		},
		"without anything asked for": func(*browser) string { return k.answer(t, h.browser(t), "/sign-in/passkey/begin") },
	} {
		b := h.browser(t)
		a := b.post(t, "/sign-in/passkey", "proof", send(b))
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		if first == "" {
			first = a.body
		}
		require.Equal(t, first, a.body, name)
	}
	require.Contains(t, first, "The passkey was not accepted.")
}

func TestAPasskeyTakesThePlaceOfACode(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	k := h.keyed(t, h.ann)
	page := k.follow(t, k.post(t, "/account/two-factor/passkeys", "current", passphrase)).body
	require.Contains(t, page, "Two-factor sign-in is on.")
	require.Contains(t, page, ", with passkeys")

	afterPassword := func() *browser {
		b := h.browser(t)
		require.Equal(t, codePath, b.post(t, "/sign-in", "email", h.ann.Email, "password", passphrase, "next", basePath+"/account").location())
		return b
	}
	b := afterPassword()
	stranger := h.browser(t)
	require.Equal(t, http.StatusUnauthorized, stranger.post(t, "/sign-in/code/passkey/begin").status, "only after the password")
	a := b.post(t, "/sign-in/code", "code", "000000")
	require.Contains(t, a.body, "Use a passkey")
	require.Contains(t, a.body, "The code is not valid")
	require.NotContains(t, a.body, "authenticator app", "she has none")
	answer := k.answer(t, b, "/sign-in/code/passkey/begin")
	require.Equal(t, basePath+"/account", b.post(t, "/sign-in/code", "proof", answer, "next", basePath+"/account").location())
	b = afterPassword()
	a = b.post(t, "/sign-in/code", "proof", answer)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "The passkey was not accepted.")

	a = k.post(t, "/account/passkeys/begin", "current", passphrase)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "the password alone adds no passkey now")
	require.Contains(t, a.body, "The code is not valid")
	a = k.post(t, "/account/passkeys/begin", "current", "wrong", "proof", k.answer(t, k.browser, "/account/two-factor/passkeys/begin"))
	require.Contains(t, a.body, "The password that you entered is not your password.")
	proof := k.answer(t, k.browser, "/account/two-factor/passkeys/begin")
	require.Equal(t, http.StatusOK, k.post(t, "/account/passkeys/begin", "current", passphrase, "proof", proof).status)
	at := "/account/passkeys/" + h.text(t, `SELECT id FROM passkey`)
	require.Contains(t, k.post(t, at+"/remove").body, "Switch off two-factor sign-in first")
	proof = k.answer(t, k.browser, "/account/two-factor/passkeys/begin")
	require.Contains(t, k.follow(t, k.post(t, "/account/two-factor/disable", "current", passphrase, "proof", proof)).body, "Two-factor sign-in is off.")
	require.Contains(t, k.follow(t, k.post(t, at+"/remove")).body, "no longer signs in")
}

func TestPasskeysOfOthersCannotBeChanged(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	h.keyed(t, h.ann)
	at := "/account/passkeys/" + h.text(t, `SELECT id FROM passkey`)
	bob := h.as(t, h.bob)
	require.NotContains(t, bob.get(t, "/account/passkeys").body, "ann")
	require.Equal(t, http.StatusNotFound, bob.post(t, at+"/rename", "name", "Mine").status)
	require.Equal(t, http.StatusNotFound, bob.post(t, at+"/remove").status)
	require.Equal(t, "ann's laptop", h.text(t, `SELECT name FROM passkey`))

	ann := h.as(t, h.ann)
	require.Contains(t, ann.post(t, at+"/rename", "name", "").body, "Name is empty.")
	require.Contains(t, ann.follow(t, ann.post(t, at+"/rename", "name", "<b>Phone</b>")).body, "&lt;b&gt;Phone")
}

func TestThePagesSayWherePasskeysWork(t *testing.T) {
	t.Parallel()
	h := open(t, func(d *Deps) { d.PublicURL = "http://127.0.0.1:8080" })
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, "/account/passkeys").body, "http://localhost:8080 will do")
	require.NotContains(t, h.browser(t).get(t, "/sign-in").body, "Sign in with a passkey")
	require.Equal(t, http.StatusForbidden, ann.post(t, "/account/passkeys/begin", "current", passphrase).status)

	h = open(t, passkeys)
	ann = h.as(t, h.ann)
	for _, page := range []string{ann.get(t, "/account/passkeys").body, h.browser(t).get(t, "/sign-in").body} {
		require.Contains(t, page, `data-passkey="`+passkeySiteOfTests+`"`)
		require.Contains(t, page, "<noscript><p class=\"note warn\">Passkeys need JavaScript")
	}
	a := ann.post(t, "/account/passkeys", "name", "Laptop", "current", passphrase)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "Passkeys need JavaScript", "so says the answer to a form that no script filled in")
}

func TestChallengesAreLimited(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	b := h.browser(t)
	for i := 0; ; i++ {
		if a := b.post(t, "/sign-in/passkey/begin"); a.status != http.StatusOK {
			require.Equal(t, http.StatusTooManyRequests, a.status)
			require.Contains(t, a.body, "Too many attempts")
			break
		}
		require.Less(t, i, 2*limitPerLink.Requests)
	}
}

func TestAnOperatorRemovesLostPasskeys(t *testing.T) {
	t.Parallel()
	h := open(t, passkeys)
	k := h.keyed(t, h.bob)
	k.follow(t, k.post(t, "/account/two-factor/passkeys", "current", passphrase))
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, of(h.bob, "")).body, "Remove all passkeys")
	require.Contains(t, ann.follow(t, ann.post(t, of(h.bob, "/passkeys/reset"))).body, "All passkeys of bob were removed.")
	require.Equal(t, http.StatusSeeOther, h.browser(t).post(t, "/sign-in", "email", h.bob.Email, "password", passphrase).status)
	require.NotContains(t, ann.get(t, of(h.bob, "")).body, "Remove all passkeys")
}
