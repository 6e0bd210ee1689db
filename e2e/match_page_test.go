package e2e

import (
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

const twins = `{"name":"Twin Ltd","domain":"twin.example","country":"France","city":"Lyon","employee_count":70}
{"name":"Twin Ltd","domain":"twin-two.example","country":"Spain","city":"Madrid","employee_count":7}
{"name":"Smith, Jones & Sons","domain":"smith.example","country":"Ireland"}
`

// TestAListIsMatchedInTheBrowser pastes and uploads lists, decides an ambiguous row, and goes back and forth.
func TestAListIsMatchedInTheBrowser(t *testing.T) {
	b := chrome(t)
	s := newFixture(t, 100)
	s.load(t, fewCompanies+twins)
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{Viewport: &playwright.Size{Width: 1280, Height: 800}})
	at := p.createsFirstAccount(v, "")

	p.open(at + "/match")
	p.audit("form of a match")
	const pasted = "Smith, Jones & Sons\nTwin Ltd\nhill.example\nUnheard Of, Inc."
	require.NoError(t, p.Locator("#rows").Fill(pasted))
	p.press("button", "Match")
	p.sees("4 rows read: 2 matched, 1 ambiguous, 1 unmatched.")
	p.sees("0 owned already, 2 new.")
	p.audit("match with a row to decide")
	require.NotContains(t, p.text("main"), "@")
	require.Equal(t, "2", p.attribute(`meter[aria-label="Domain"]`, "value"))
	require.Equal(t, "2", p.attribute(`meter[aria-label="Domain"]`, "max"))
	require.Equal(t, "0", p.attribute(`meter[aria-label="Founded"]`, "value"))
	box, err := p.Locator(`meter[aria-label="Domain"]`).BoundingBox()
	require.NoError(t, err)
	require.Greater(t, box.Width, 50.0, "the coverage is drawn")
	p.press("button", "Add what I chose") // none of them
	p.sees("Nothing was added, because no company was chosen.")
	require.NoError(t, p.Locator("label.check", playwright.PageLocatorOptions{HasText: "Spain"}).Locator("input").Check())
	p.press("button", "Add what I chose")
	p.sees("Added 1 company that you chose.")
	p.sees("0 owned already, 3 new.")
	p.sees("3 rows with their companies")
	p.sees("You chose it")
	require.Zero(t, p.count(p.Locator("fieldset")), "nothing is left to decide")
	p.audit("match that is decided")
	decided := p.URL()

	p.press("link", "Match another list")
	p.sees("Paste domains")
	_, err = p.GoBack()
	require.NoError(t, err)
	require.Equal(t, decided, p.URL())
	p.sees("0 owned already, 3 new.")
	_, err = p.Reload()
	require.NoError(t, err)
	p.sees("0 owned already, 3 new.")

	p.press("link", "Export for 3 credits…")
	p.sees("The companies that a list matched.")
	_, err = p.GoBack()
	require.NoError(t, err)
	p.sees("Matched companies")

	p.open(at + "/match")
	require.NoError(t, p.Locator("#file").SetInputFiles([]string{
		s.write(t, "accounts.csv", "id,company,country\nk1,Twin Ltd,France\nk2,\"Smith, Jones & Sons\",Ireland\nk3,,\n"),
	}))
	p.press("button", "Match")
	p.sees("3 rows read: 2 matched, 0 ambiguous, 1 unmatched.")
	require.NoError(t, p.Locator("summary", playwright.PageLocatorOptions{HasText: "Put on a list"}).Click())
	p.fill("Name of the new list", "Accounts")
	p.press("button", "Create list")
	p.sees("Smith, Jones & Sons")
	p.sees("Twin Ltd")

	p.open(at + "/match")
	p.press("button", "Match")
	p.sees("Paste at least one company, or choose a file.")
	v.stop(t)
}
