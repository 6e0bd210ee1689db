package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// TestAPersonFromInvitationToRemoval invites a person, who creates a token, and removes them with everything that they have, in a real
// browser.
func TestAPersonFromInvitationToRemoval(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off"}}
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1280, Height: 800}, ColorScheme: playwright.ColorSchemeDark,
	})
	lab := p.createsFirstAccount(v, "Lab")
	p.open(lab + "/members")
	p.fill("Email", "bob@example.com")
	p.press("button", "Create invite link")

	bob := newPlainPerson(t, b, v.url)
	bob.open(strings.TrimPrefix(p.text("#invitation-link"), v.url))
	bob.fill("Your name", "Bob")
	bob.fill("Password", "a battery of horses")
	bob.press("button", "Create account")
	bob.open(lab + "/tokens")
	bob.fill("Name", "laptop")
	bob.press("button", "Create")
	token := bob.text("#secret")
	require.Equal(t, http.StatusOK, v.status(t, token))
	bob.open("/console/account")
	bob.fill("Email", "robert@example.com")
	bob.fill("Your password, if the email changes", "a battery of horses")
	bob.press("button", "Save")
	bob.sees("when an operator has confirmed the new address")

	p.open("/console/operator")
	p.press("link", "People")
	p.check("people")
	p.checkOnAPhone("people")
	p.fill("Name or email", "bob@")
	p.press("button", "Search")
	p.press("link", "Bob")
	p.check("person")
	p.checkOnAPhone("person")
	p.press("button", "Confirm the address")
	p.sees("Bob signs in as robert@example.com from now on.")
	require.NoError(t, p.Locator("[popovertarget=remove]").First().Click())
	p.sees("This signs out 1 browser, revokes 1 token, ends the membership in 1 workspace")
	p.check("remove-person")
	p.press("button", "Remove for good")
	p.sees("Bob was removed. Their sessions and tokens have ended.")

	require.Equal(t, http.StatusUnauthorized, v.status(t, token))
	bob.open("/console/account")
	bob.sees("No account yet?")
	bob.signsIn("robert@example.com", "a battery of horses")
	bob.sees("Wrong email or password.")
	v.stop(t)
}
