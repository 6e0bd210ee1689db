package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// TestConsoleWithoutScript searches, filters, buys and keeps lists on a phone whose browser runs no script.
func TestConsoleWithoutScript(t *testing.T) {
	s, v, scripted, at := searchFixture(t, playwright.BrowserNewContextOptions{})
	lab := strings.TrimSuffix(at, "/search")
	s.addDouble(t)
	p := newPerson(t, scripted.Context().Browser(), v.url, playwright.BrowserNewContextOptions{
		JavaScriptEnabled: new(false), Viewport: &playwright.Size{Width: 360, Height: 740}, AcceptDownloads: new(true),
	})
	p.open(at)
	p.fill("Email", "ada@example.com")
	p.fill("Password", "correct horse battery")
	p.press("button", "Sign in")
	p.arrives("")

	t.Run("filters and price", func(t *testing.T) {
		p.t = t
		p.unfolds()
		require.NoError(t, p.Locator("#query").Fill("widget"))
		require.NoError(t, p.Locator("#facet-countries").GetByText("Spain").Click())
		p.press("button", "Search")
		p.finds("20")
		require.Contains(t, p.text("#price .cost"), "20")
		require.Contains(t, p.text("#price"), "Balance after")
		p.unfolds()
		p.press("button", "Exclude Industry 2")
		p.finds("18")
		require.Contains(t, p.URL(), "exclude_industries=Industry+2")
		p.press("link", "Remove Country Spain")
		require.NoError(t, p.Locator("#chips .chip").Last().WaitFor())
		_, err := p.Locator("#sort").SelectOption(playwright.SelectOptionValues{Labels: &[]string{"Most employees"}})
		require.NoError(t, err)
		p.press("button", "Sort")
		require.Contains(t, p.text("#results tbody tr"), "Widget Works 59")
		p.press("link", "Next page")
		p.press("link", "First page")
		_, err = p.GoBack()
		require.NoError(t, err)
		require.Contains(t, p.URL(), "cursor=")
		p.press("link", "Clear all")
		p.finds("65")
	})

	t.Run("an export is priced, bought and downloaded", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget&countries=Spain")
		p.press("link", "Export…")
		p.fill("Maximum companies", "5")
		p.press("button", "Update price")
		require.Contains(t, p.text("#price .cost"), "5")
		p.press("button", "Review price")
		p.press("button", "Buy for 5 credits")
		p.comes(regexp.MustCompile(`/exports/[0-9a-f-]{36}`))
		require.Eventually(t, func() bool {
			_, err := p.Reload()
			require.NoError(t, err)
			return strings.Contains(p.text("#export-state"), "completed")
		}, 20*time.Second, 200*time.Millisecond)
		require.Equal(t, 6, strings.Count(p.downloads("Download CSV"), "\n"), "a header and five companies")
		p.press("link", "Receipt")
		p.sees("5 credits")
		p.open(lab + "/credits")
		require.Equal(t, "35", p.text(".big"))
		p.open(at + "?show=owned")
		require.Equal(t, 5, p.count(p.Locator("#results tbody tr")))
	})

	t.Run("rows go on a list, which is changed, undone and exported", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget&sort_by=name")
		for row := range 3 {
			require.NoError(t, p.Locator("input[name=company]").Nth(row).Check())
		}
		require.NoError(t, p.Locator("#picked-name").Fill("Prospects"))
		p.press("button", "Add to list")
		p.sees(`Added 3 companies to "Prospects"`)
		p.open(lab + "/lists")
		p.press("link", "Prospects")
		require.NoError(t, p.Locator("#members input[name=company]").First().Check())
		p.press("button", "Remove selected")
		p.sees("Removed 1 company.")
		require.Equal(t, 2, p.count(p.Locator("#members tbody tr")))
		p.press("button", "Undo")
		p.sees("Added 1 company.")
		require.Equal(t, 3, p.count(p.Locator("#members tbody tr")))

		p.fill("Paste domains", "hill.example, nowhere.example")
		p.press("button", "Match and add")
		p.sees("1 domain has several companies")
		require.NoError(t, p.Locator("fieldset input[name=company]").Nth(1).Check())
		p.press("button", "Use the ticked companies")
		require.Equal(t, 5, p.count(p.Locator("#members tbody tr")))

		require.NoError(t, p.Locator("summary").GetByText("Delete").Click())
		p.press("button", "Delete list")
		p.sees(`Deleted the list "Prospects".`)
		p.press("button", "Undo")
		p.sees(`Restored the list "Prospects".`)
		require.Equal(t, 5, p.count(p.Locator("#members tbody tr")))
		p.press("link", "Export…")
		require.Equal(t, "5", p.text("#price dd"))
	})

	t.Run("searches are saved and forgotten", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget")
		require.NoError(t, p.Locator("#menu-searches > summary").Click())
		require.NoError(t, p.Locator("#search-name").Fill("Widgets"))
		p.press("button", "Save search")
		require.NoError(t, p.Locator("#menu-searches > summary").Click())
		p.press("button", "Delete")
		p.sees(`Deleted the saved search "Widgets".`)
		p.press("button", "Undo")
		require.Contains(t, p.text("#menu-searches > summary"), "Widgets")
	})

	t.Run("a token, a theme and the way out", func(t *testing.T) {
		p.t = t
		p.open(lab + "/tokens")
		p.fill("Name", "laptop")
		p.press("button", "Create")
		require.Regexp(t, `^cornect_\w{38}$`, p.text("#secret"))
		p.open("/console/account")
		_, err := p.field("Theme").SelectOption(playwright.SelectOptionValues{Labels: &[]string{"Dark"}})
		require.NoError(t, err)
		p.press("button", "Save")
		require.Equal(t, "dark", p.attribute("html", "data-theme"))
		require.NoError(t, p.Locator(".top .menu > summary").Click())
		p.press("button", "Sign out")
		p.sees("Sign in")
	})
	p.t = t
	v.stop(t)
}
