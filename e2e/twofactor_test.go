package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// TestTwoFactorSignInFromTheQRCodeToTheLastRecoveryCode sets two-factor sign-in up, signs in with it and switches it off, in a real
// browser: with the script, and without it on a phone in dark mode.
func TestTwoFactorSignInFromTheQRCodeToTheLastRecoveryCode(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off"}}
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1280, Height: 800}, AcceptDownloads: new(true), ColorScheme: playwright.ColorSchemeLight,
	})
	p.createsFirstAccount(v, "Lab")

	p.open("/console/account")
	p.press("link", "Two-factor sign-in…")
	p.check("two-factor-off")
	p.fill("Your password", passphrase)
	p.press("button", "Set up two-factor sign-in")
	p.sees("Scan this code")
	p.check("two-factor-setup")
	p.checkOnAPhone("two-factor-setup")
	app := &authenticator{t: t, secret: strings.ReplaceAll(p.text("#totp-secret"), " ", "")}
	p.fill("Code that the app shows", "000000")
	p.press("button", "Switch on")
	p.sees("is not the code that the app shows")
	p.check("two-factor-wrong-code")
	p.fill("Code that the app shows", app.code())
	p.press("button", "Switch on")
	p.sees("Your recovery codes")
	p.check("two-factor-codes")
	p.checkOnAPhone("two-factor-codes")
	codes := strings.Fields(p.text("#recovery-codes"))
	require.Len(t, codes, 10)
	require.Contains(t, p.downloads("Download"), strings.Join(codes, "\n"), "the file has the codes")

	p.signsOut()
	phone := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 360, Height: 740}, ColorScheme: playwright.ColorSchemeDark,
	})
	plain := newPlainPerson(t, b, v.url)
	for _, who := range []*person{p, phone} {
		who.signsIn("ada@example.com", passphrase)
		who.sees("Enter a code")
		who.check("enter-a-code")
		who.fill("Code or recovery code", "123 456")
		who.press("button", "Sign in")
		who.sees("The code is not valid")
		who.check("wrong-code")
		who.fill("Code or recovery code", app.code())
		require.NoError(t, who.Keyboard().Press("Enter"))
		who.sees("Get started with")
	}
	phone.open("/console/account/two-factor")
	phone.check("two-factor-on")
	plain.signsIn("ada@example.com", passphrase)
	plain.fill("Code or recovery code", codes[0])
	plain.press("button", "Sign in")
	plain.sees("You used a recovery code; 9 codes are left.")

	reset := regexp.MustCompile(`/console/join\?link=\S+`).FindString(s.capi(t, "person", "reset-password", "ada@example.com"))
	plain.open(reset)
	plain.fill("New password", "gravel moth teapot")
	plain.press("button", "Set password")
	plain.sees("Enter a code")
	plain.fill("Code or recovery code", codes[0])
	plain.press("button", "Sign in")
	plain.sees("The code is not valid")
	plain.fill("Code or recovery code", codes[1])
	plain.press("button", "Sign in")
	plain.sees("8 codes are left")

	phone.open("/console/sign-in") // the new password has signed it out
	phone.sees("No account yet?")
	plain.open("/console/account/two-factor")
	plain.fill("Your password", "gravel moth teapot")
	plain.fill("Code or recovery code", codes[2])
	plain.press("button", "Create new recovery codes")
	plain.sees("The earlier recovery codes no longer work.")
	fresh := strings.Fields(plain.text("#recovery-codes"))
	require.NotContains(t, fresh, codes[3])
	plain.fill("Your password", "gravel moth teapot")
	plain.fill("Code or recovery code", fresh[0])
	plain.press("button", "Switch off")
	plain.sees("Two-factor sign-in is off.")

	phone.signsIn("ada@example.com", "gravel moth teapot")
	phone.sees("Get started with")
	phone.open("/console/account")
	phone.check("account")
	v.stop(t)
}

// authenticator computes codes as an app does.
type authenticator struct {
	t      *testing.T
	secret string
	last   string
}

// code returns a code that was not returned before, and waits for it if necessary.
func (a *authenticator) code() string {
	a.t.Helper()
	require.Eventually(a.t, func() bool {
		// The server accepts the next code too, as the clock of an app may be fast.
		for _, at := range []time.Time{time.Now(), time.Now().Add(30 * time.Second)} {
			code, err := totp.GenerateCode(a.secret, at)
			require.NoError(a.t, err)
			if code > "" && !strings.Contains(a.last, code) {
				a.last += " " + code
				return true
			}
		}
		return false
	}, time.Minute, 100*time.Millisecond)
	return a.last[len(a.last)-6:]
}

// newPlainPerson opens a browser window that runs no script.
func newPlainPerson(t *testing.T, b playwright.Browser, site string) *person {
	t.Helper()
	return newPerson(t, b, site, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 800, Height: 800}, JavaScriptEnabled: new(false),
	})
}

func (p *person) signsIn(email, password string) {
	p.t.Helper()
	p.open("/console/sign-in")
	p.fill("Email", email)
	p.fill("Password", password)
	p.press("button", "Sign in")
}

func (p *person) signsOut() {
	p.t.Helper()
	require.NoError(p.t, p.Locator("details.menu summary").Click())
	p.press("button", "Sign out")
	p.sees("No account yet?")
}
