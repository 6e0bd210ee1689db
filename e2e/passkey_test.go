package e2e

import (
	"net"
	"os"
	"slices"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// TestPasskeysFromTheFirstToTheLast adds passkeys, signs in with one, asks for one after the password and removes them, in a real
// browser with a virtual device.
func TestPasskeysFromTheFirstToTheLast(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off"}, addr: freeAddr(t)}
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	site := "http://localhost:" + port // a name: an IP address has no passkeys
	s.settings = append(s.settings, "CAPI_PUBLIC_URL="+site)
	v := s.serve(t)
	p := newPerson(t, b, site, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1280, Height: 800}, ColorScheme: playwright.ColorSchemeLight,
	})
	p.createsFirstAccount(v, "Lab")
	device := p.device()

	p.open("/console/account")
	p.press("link", "Passkeys…")
	p.check("no-passkeys")
	p.fill("Name", "Laptop")
	p.fill("Your password", "something else entirely")
	p.press("button", "Add a passkey")
	p.sees("is not your password")
	p.check("passkey-wrong-password")
	p.fill("Your password", passphrase)
	p.press("button", "Add a passkey")
	p.sees("The passkey was added.")
	p.looksWellInEveryWindow("/console/account/passkeys", "/console/account/two-factor", "/console/account")
	p.open("/console/account/passkeys")
	p.check("passkey-added")
	p.fill("Name", "Again")
	p.fill("Your password", passphrase)
	p.press("button", "Add a passkey")
	p.sees("This device already has a passkey for your account.")

	p.signsOut()
	p.looksWellInEveryWindow("/console/sign-in")
	p.check("sign-in")
	p.press("button", "Sign in with a passkey")
	p.sees("Get started with")
	p.open("/console/account/two-factor")
	p.fill("Your password", passphrase)
	p.press("button", "Use my passkeys, without an app")
	p.sees("Your recovery codes")

	p.signsOut()
	p.signsIn("ada@example.com", passphrase)
	p.looksWellInEveryWindow("/console/sign-in/code")
	p.check("passkey-after-password")
	device.verifies(false)
	p.press("button", "Use a passkey")
	p.sees("The browser got no passkey")
	device.verifies(true)
	require.NoError(t, p.named("button", "Use a passkey").Focus())
	require.NoError(t, p.Keyboard().Press("Enter"))
	p.sees("Get started with")

	p.open("/console/account/passkeys")
	p.press("button", "Remove Laptop")
	p.press("button", "Remove")
	p.sees("Switch off two-factor sign-in first")
	p.open("/console/account/two-factor")
	p.fill("Your password", passphrase)
	p.check("two-factor-with-passkeys")
	p.press("button", "Switch off")
	p.sees("Two-factor sign-in is off.")
	p.open("/console/account/passkeys")
	p.press("button", "Rename Laptop")
	p.fill("New name", "Old laptop")
	p.press("button", "Rename")
	p.sees("The passkey was renamed.")
	p.press("button", "Remove Old laptop")
	p.check("remove-passkey")
	p.press("button", "Remove")
	p.sees("no longer signs in")

	p.signsOut()
	p.press("button", "Sign in with a passkey") // the device still offers it
	p.sees("The passkey was not accepted.")
	p.check("passkey-refused")

	plain := newPlainPerson(t, b, site)
	plain.open("/console/sign-in")
	require.Contains(t, plain.text("main"), "Passkeys need JavaScript")
	elsewhere := newPerson(t, b, "http://"+s.addr, playwright.BrowserNewContextOptions{})
	elsewhere.open("/console/sign-in")
	elsewhere.press("button", "Sign in with a passkey")
	elsewhere.sees("Passkeys work at " + site + " only.")
	v.stop(t)
}

// looksWellInEveryWindow opens the pages in each window, light and dark, and then returns to the window before.
func (p *person) looksWellInEveryWindow(pages ...string) {
	p.t.Helper()
	before := *p.ViewportSize()
	for _, size := range append(slices.Clone(inEveryWindow), before) {
		require.NoError(p.t, p.SetViewportSize(size.Width, size.Height))
		for _, page := range pages {
			p.open(page)
			p.looksWell(page)
		}
	}
}

// device is a virtual device with passkeys in a browser window.
type device struct {
	p       *person
	session playwright.CDPSession
	id      any
}

// device adds a device to the window.
func (p *person) device() *device {
	p.t.Helper()
	session, err := p.Context().NewCDPSession(p.Page)
	require.NoError(p.t, err)
	_, err = session.Send("WebAuthn.enable", map[string]any{})
	require.NoError(p.t, err)
	made, err := session.Send("WebAuthn.addVirtualAuthenticator", map[string]any{"options": map[string]any{
		"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true,
		"automaticPresenceSimulation": true,
	}})
	require.NoError(p.t, err)
	return &device{p, session, made.(map[string]any)["authenticatorId"]}
}

// verifies sets whether the device recognises its user from now on.
func (d *device) verifies(recognised bool) {
	d.p.t.Helper()
	_, err := d.session.Send("WebAuthn.setUserVerified", map[string]any{"authenticatorId": d.id, "isUserVerified": recognised})
	require.NoError(d.p.t, err)
}
