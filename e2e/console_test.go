package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

const fewCompanies = `{"name":"Acme Payments","domain":"acmepayments.example","country":"US","state":"California","city":"Oakland","industries":["Fintech"],"employee_count":120,"founded_year":2012,"description":"A fintech that moves money."}
{"name":"Zürich Ledger","domain":"ledger.example","country":"Switzerland","city":"Zürich","industries":["Fintech","Accounting"],"employee_count":40,"description":"Accounting for fintech firms."}
{"name":"Hill Farm","domain":"hill.example","country":"Germany","industries":["Farming"],"employee_count":9,"description":"Milk and honey."}
{"name":"<script>alert(1)</script>","domain":"bad.example","country":"US","industries":["Farming"],"description":"=HYPERLINK(\"http://evil.example\")"}
`

// TestConsoleFromTheFirstLinkToTheRevokedToken goes through everything a new user does, in a real browser.
func TestConsoleFromTheFirstLinkToTheRevokedToken(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off"}}
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1280, Height: 800}, AcceptDownloads: new(true), ColorScheme: playwright.ColorSchemeLight,
	})

	p.open(v.firstLink(t))
	p.check("first-link")
	lab := p.createsFirstAccount(v, "Lab")
	p.check("welcome")
	p.checkOnAPhone("welcome")
	p.press("link", "Search companies")
	p.sees("Matches")
	p.check("empty-search")

	p.press("link", "Tokens")
	p.check("empty-tokens")
	p.fill("Name", "laptop")
	require.NoError(t, p.field("Read and export").Check())
	p.press("button", "Create")
	token := p.text("#secret")
	require.Regexp(t, `^cornect_\w{38}$`, token)
	p.check("token")
	require.Equal(t, http.StatusOK, v.status(t, token))
	curl := exec.Command("sh", "-c", p.text("#curl"))
	answer, err := curl.Output()
	require.NoError(t, err, "the command on the token's page runs as it is")
	require.Contains(t, string(answer), `"total":`)
	require.Eventually(t, func() bool {
		_, err := p.Reload()
		require.NoError(t, err)
		shown, err := p.Locator("#requests tbody tr").Count()
		return err == nil && shown == 2
	}, 30*time.Second, 200*time.Millisecond, "the requests are on the token's page")
	p.check("token-requests")

	s.capi(t, "import", s.write(t, "companies.ndjson", fewCompanies))
	p.open(lab)
	p.press("link", "Grant credits")
	p.fill("Credits", "10")
	p.press("button", "Grant")
	p.sees("10")
	p.check("operator")

	p.open(lab + "/search")
	p.finds("4")
	p.check("search")
	p.fill("Name or description", "fintech")
	p.finds("2")
	require.Contains(t, p.URL(), "query=fintech", "the address holds the search")
	require.Contains(t, p.text("#price"), "8", "the balance afterwards")
	require.NoError(t, p.Locator("#facet-countries input").First().Check())
	p.finds("1")
	p.check("narrowed-search")
	_, err = p.Reload()
	require.NoError(t, err)
	p.finds("1")
	p.open(lab + "/search?query=fintech")
	p.finds("2")

	p.press("link", "Export…")
	p.check("new-export")
	p.fill("Name", "Fintechs")
	p.press("button", "Review price")
	p.check("quote")
	p.press("button", "Buy for 2 credits")
	require.NoError(t, p.Locator("#export-state").GetByText("completed").First().WaitFor(), "the page follows the job by itself")
	_, err = p.GoBack()
	require.NoError(t, err)
	p.sees("This quote was bought.")
	_, err = p.GoForward()
	require.NoError(t, err)
	p.check("export")
	file := p.downloads("Download CSV")
	require.Contains(t, file, "Acme Payments")
	require.Contains(t, file, "Zürich Ledger")
	require.Equal(t, 3, strings.Count(file, "\n"), "a header and two companies")
	p.press("link", "Receipt")
	p.sees("charged")
	p.check("receipt")

	p.open(lab + "/credits")
	p.sees("−2")
	require.Equal(t, "8", p.text(".big"))
	p.check("credits")

	p.open(lab + "/exports")
	p.check("exports")
	p.press("link", "Fintechs")
	p.press("link", "Export again")
	p.press("button", "Review price")
	p.press("button", "Export for free")
	require.NoError(t, p.Locator("#export-state").GetByText("completed").First().WaitFor())
	require.Equal(t, file, p.downloads("Download CSV"))
	p.open(lab + "/credits")
	require.Equal(t, "8", p.text(".big"), "what is owned is free")

	p.open(lab + "/search?query=script")
	p.finds("1")
	p.sees("<script>alert(1)</script>")
	p.press("link", "<script>alert(1)</script>")
	p.check("hostile-company")

	p.open(lab + "/members")
	p.fill("Email", "bob@example.com")
	p.press("button", "Create invite link")
	invitation := p.text("#invitation-link")
	p.check("invitation")
	p.open("/console/account")
	p.check("account")

	p.open(lab + "/tokens")
	require.NoError(t, p.Locator("summary", playwright.PageLocatorOptions{HasText: "Revoke"}).First().Click())
	p.press("button", "Revoke laptop")
	p.sees("Revoked")
	p.check("revoked-token")
	require.Equal(t, http.StatusUnauthorized, v.status(t, token))

	bob := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 360, Height: 740}, ColorScheme: playwright.ColorSchemeDark,
	})
	bob.open(strings.TrimPrefix(invitation, v.url))
	bob.check("phone-join")
	bob.fill("Your name", "Bob")
	bob.fill("Password", "a battery of horses")
	bob.press("button", "Create account")
	bob.finds("4") // the first steps of the workspace are done
	require.NoError(t, p.Keyboard().Press("Control+k"))
	require.NoError(t, p.Locator("dialog.palette [aria-selected=true]").WaitFor())
	require.NoError(t, p.Keyboard().Type("hill far"))
	require.NoError(t, p.Locator("dialog.palette").GetByText("hill.example").WaitFor())
	p.check("palette")
	p.checkOnAPhone("palette")
	require.NoError(t, p.Keyboard().Press("Enter"))
	p.sees("Milk and honey.")
	p.open(lab + "/members")
	p.opensEveryMenu("[popovertarget^=member]:not([popovertargetaction])", 2)
	bob.open(lab + "/members")
	bob.opensEveryMenu("[popovertarget^=member]:not([popovertargetaction])", 1)
	p.open(lab + "/lists")
	p.fill("New list name", "Prospects")
	p.press("button", "Create")
	p.fill("Paste domains", "hill.example\nnowhere.example")
	p.press("button", "Match and add")
	p.sees("1 matched")
	p.open("/console/operator/doctor")
	p.press("button", "Run checks")
	p.sees("All checks passed")
	p.check("doctor")
	v.stop(t)
}

// checkOnAPhone checks the page in a window of 360 pixels.
func (p *person) checkOnAPhone(name string) {
	p.t.Helper()
	size := *p.ViewportSize()
	require.NoError(p.t, p.SetViewportSize(360, 740))
	p.check("phone-" + name)
	require.NoError(p.t, p.SetViewportSize(size.Width, size.Height))
}

// opensEveryMenu opens the popover of each button, which must be in the window as a whole, and closes it with Escape.
func (p *person) opensEveryMenu(buttons string, want int) {
	p.t.Helper()
	all, err := p.Locator(buttons).All()
	require.NoError(p.t, err)
	require.Len(p.t, all, want)
	for _, button := range all {
		require.NoError(p.t, button.Click())
		box, err := p.Locator(":popover-open").BoundingBox()
		require.NoError(p.t, err)
		size := p.ViewportSize()
		require.True(p.t, box.X >= 0 && box.Y >= 0 && int(box.X+box.Width) <= size.Width && int(box.Y+box.Height) <= size.Height, "%v", box)
		require.Greater(p.t, box.Height, 80.0)
		p.check("member-menu")
		require.NoError(p.t, p.Keyboard().Press("Escape"))
		require.NoError(p.t, p.Locator(":popover-open").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	}
}

// finds waits until the page shows the number of matches.
func (p *person) finds(matches string) {
	p.t.Helper()
	figure := p.Locator("#price dd").First()
	require.Eventually(p.t, func() bool {
		text, err := figure.InnerText()
		return err == nil && strings.TrimSpace(text) == matches
	}, 30*time.Second, 20*time.Millisecond, "%s matches at %s", matches, p.URL())
}

// downloads clicks the link and returns the content of the file.
func (p *person) downloads(link string) string {
	p.t.Helper()
	came, err := p.ExpectDownload(func() error { return p.named("link", link).Click() })
	require.NoError(p.t, err)
	path := filepath.Join(p.t.TempDir(), "file")
	require.NoError(p.t, came.SaveAs(path))
	content, err := os.ReadFile(path)
	require.NoError(p.t, err)
	return string(content)
}

// firstLink returns the path of the link that a server without people prints at its start.
func (v *server) firstLink(t *testing.T) string {
	t.Helper()
	link := regexp.MustCompile(`http\S+(/console/join\?link=\S+)`)
	var m []string
	require.Eventually(t, func() bool {
		m = link.FindStringSubmatch(v.stdout.String())
		return m != nil
	}, 30*time.Second, 10*time.Millisecond)
	return m[1]
}

// status returns the status with which the API answers the token.
func (v *server) status(t *testing.T, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/api/v1/credits", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
