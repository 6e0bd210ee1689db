package e2e

import (
	"encoding/csv"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// chooses selects the option with the text in the menu with the label.
func (p *person) chooses(label, option string) {
	p.t.Helper()
	_, err := p.field(label).SelectOption(playwright.SelectOptionValues{Labels: &[]string{option}})
	require.NoError(p.t, err, "%s in %s", option, label)
}

// chips returns the filters that the search page shows, in one line.
func (p *person) chips() string {
	p.t.Helper()
	return strings.Join(strings.Fields(p.text("#chips")), " ")
}

// goesBack presses the Back button.
func (p *person) goesBack() {
	p.t.Helper()
	_, err := p.GoBack()
	require.NoError(p.t, err)
}

// namedSets is searchFixture with a list of the companies in Spain, a saved search of those in France, and an export of nine.
func namedSets(t *testing.T) (v *server, p *person, at, list string) {
	t.Helper()
	_, v, p, at = searchFixture(t, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1440, Height: 900}, ColorScheme: playwright.ColorSchemeLight, AcceptDownloads: new(true),
	})
	p.open(at + "?countries=Spain")
	require.NoError(t, p.Locator("input[name=all]").Check())
	require.NoError(t, p.Locator("#picked-name").Fill("Spanish prospects"))
	p.press("button", "Add to list")
	p.sees(`Added 20 companies`)
	p.open(at + "?countries=France")
	require.NoError(t, p.Locator("#menu-searches > summary").Click())
	require.NoError(t, p.Locator("#search-name").Fill("French ones"))
	p.press("button", "Save search")
	p.sees(`Saved "French ones"`)
	p.open(strings.TrimSuffix(at, "/search") + "/exports/new?query=widget&founded_year_max=1958")
	p.press("button", "Review price")
	p.press("button", "Buy for 9 credits")
	p.open(strings.TrimSuffix(at, "/search") + "/lists")
	list = regexp.MustCompile(`[0-9a-f-]{36}$`).FindString(p.attribute(`main a[href^="lists/"]`, "href"))
	return v, p, at, list
}

// withAndWithoutScript runs the test for the person, and for one whose browser runs no script.
func (p *person) withAndWithoutScript(v *server, test func(t *testing.T, p *person)) {
	p.t.Helper()
	t := p.t
	state, err := p.Context().StorageState()
	require.NoError(t, err)
	plain := newPerson(t, p.Context().Browser(), v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1440, Height: 900}, JavaScriptEnabled: new(false), StorageState: state.ToOptionalStorageState(),
		AcceptDownloads: new(true),
	})
	for name, who := range map[string]*person{"with script": p, "without script": plain} {
		t.Run(name, func(t *testing.T) {
			who.t = t
			test(t, who)
		})
	}
	p.t = t
}

func TestATableIsWorkedWithInABrowser(t *testing.T) {
	v, p, at, _ := namedSets(t)
	p.withAndWithoutScript(v, func(t *testing.T, p *person) {
		p.open(at + "?query=widget")
		p.press("button", "Table")
		p.sees("Matches as a table")
		require.Contains(t, p.text(".chips"), "widget", "it starts from the search")
		p.chooses("Rows", "City")
		p.chooses("Columns", "Country")
		p.chooses("Count", "New, a credit each")
		p.press("button", "Show table")
		p.arrives("query=widget&rows=cities&columns=countries&show=new")
		cell := p.Locator("table.pivot tbody td a").First()
		count := p.text("table.pivot tbody td a")
		require.NoError(t, cell.Focus())
		require.NoError(t, cell.Press("Enter"))
		require.NoError(t, p.Locator("#tab-new").WaitFor())
		at, err := url.Parse(p.URL())
		require.NoError(t, err)
		require.Equal(t, "new", at.Query().Get("show"))
		require.Len(t, at.Query()["cities"], 1)
		require.Len(t, at.Query()["countries"], 1)
		require.Equal(t, "New "+count, strings.Join(strings.Fields(p.text("#tab-new")), " "))
		p.goesBack()
		p.arrives("query=widget&rows=cities&columns=countries&show=new")
		require.Equal(t, count, p.text("table.pivot tbody td a"))

		came, err := p.ExpectDownload(func() error { return p.named("button", "Download CSV").Click() })
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, came.SaveAs(path))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, []string{"cities", "France", "Germany", "Spain"}, rows[0][:4])
		require.Equal(t, p.text("table.pivot tfoot tr:last-child td:last-child"), rows[len(rows)-1][len(rows[0])-1])

		p.chooses("Columns", "City")
		p.press("button", "Show table")
		p.sees("must be another one than rows")
	})
	for _, width := range []int{360, 1440} {
		require.NoError(t, p.SetViewportSize(width, 740))
		p.open(strings.TrimSuffix(at, "/search") + "/pivot?rows=technologies&columns=employee_count")
		p.looksWell("table")
		p.check("table")
	}
	v.stop(t)
}

func TestSetsAreChosenByNameInABrowser(t *testing.T) {
	v, p, at, list := namedSets(t)
	in := "in=" + url.QueryEscape("list_id:"+list)
	p.withAndWithoutScript(v, func(t *testing.T, p *person) {
		p.open(at + "?query=widget")
		p.unfolds()
		p.press("button", "Lists, searches, exports…")
		p.sees("Spanish prospects")
		p.sees("French ones")
		require.NoError(t, p.field("Name contains").Fill("spanish"))
		require.NoError(t, p.field("Name contains").Press("Enter"))
		require.NoError(t, p.Locator("table").GetByText("French ones").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateDetached}))
		require.NoError(t, p.field("In Spanish prospects").Focus())
		require.NoError(t, p.Keyboard().Press("Space"))
		p.press("button", "Apply to the search")
		p.finds("20")
		require.Contains(t, p.chips(), "In Spanish prospects")

		require.NoError(t, p.Locator("#query").Fill("widgets"))
		require.NoError(t, p.Locator("#query").Press("Enter"))
		p.finds("20")
		require.Contains(t, p.chips(), "In Spanish prospects", "Enter keeps the set")
		p.open(at + "?" + in)
		p.unfolds()
		require.NoError(t, p.Locator("#employee_count_max").Fill("200"))
		require.NoError(t, p.Locator("#employee_count_max").Press("Enter"))
		require.NoError(t, p.Locator("#chips .chip").Nth(1).WaitFor())
		p.goesBack()
		p.finds("20")
		require.Contains(t, p.chips(), "In Spanish prospects", "Back keeps the set")
		p.press("link", "Remove In Spanish prospects")
		p.finds("64")
		p.goesBack()
		p.finds("20")
		p.press("link", "Export…")
		p.sees("Spanish prospects")
		require.Equal(t, "20", p.text("#price dd"))
	})
	p.open(at + "?not_in=" + url.QueryEscape("list_id:"+list))
	p.finds("44")
	p.press("link", "Next page")
	require.NoError(t, p.named("link", "First page").WaitFor())
	require.Contains(t, p.chips(), "Not in Spanish prospects", "paging keeps the set")
	require.NoError(t, p.Locator("#menu-searches > summary").Click())
	require.NoError(t, p.Locator("#search-name").Fill("Elsewhere"))
	p.press("button", "Save search")
	p.sees(`Saved "Elsewhere"`)
	p.open(at)
	require.NoError(t, p.Locator("#menu-searches > summary").Click())
	p.press("link", "Elsewhere")
	p.finds("44")
	require.Contains(t, p.chips(), "Not in Spanish prospects", "a saved search keeps the set")
	for _, width := range []int{360, 1440} {
		require.NoError(t, p.SetViewportSize(width, 740))
		p.open(at + "/sets?" + in)
		p.looksWell("sets")
	}
	v.stop(t)
}

func TestSetsAreComparedInABrowser(t *testing.T) {
	v, p, at, list := namedSets(t)
	p.withAndWithoutScript(v, func(t *testing.T, p *person) {
		p.open(at + "?founded_year_min=1955")
		p.press("button", "Compare")
		p.sees("Choose a second set")
		p.fill("Set B", "spanish")
		p.fill("Set C", "Companies that you own")
		p.press("button", "Compare")
		require.NoError(t, p.Locator("svg.venn").WaitFor())
		require.Equal(t, 7, p.count(p.Locator("main tbody tr")), "every region of three sets")
		region := p.Locator("svg.venn a").First()
		said, err := region.GetAttribute("aria-label")
		require.NoError(t, err)
		require.Regexp(t, `^Companies only in A: \d+, \d+ credits$`, said)
		count := regexp.MustCompile(`\d+`).FindString(said)
		compared := p.URL()
		require.NoError(t, region.Focus())
		require.NoError(t, p.Keyboard().Press("Enter"))
		p.finds(count)
		require.Contains(t, p.chips(), "not (Spanish prospects or owned)")
		p.goesBack()
		require.NoError(t, p.Locator("svg.venn").WaitFor())
		require.Equal(t, compared, p.URL())
		require.NoError(t, p.Locator("main tbody tr").First().GetByRole("link", playwright.LocatorGetByRoleOptions{Name: "Export"}).Click())
		p.sees("New export")
		require.Equal(t, count, p.text("#price dd"), "the export is of the region")
	})
	for _, width := range []int{360, 1440} {
		require.NoError(t, p.SetViewportSize(width, 740))
		for name, sets := range map[string]url.Values{
			"compared": {"set": {"list_id:" + list, "owned", `{"search":{"countries":["Spain","France"]}}`}}, "compared two": {"set": {"list_id:" + list, "owned"}},
		} {
			p.open(strings.TrimSuffix(at, "/search") + "/compare?" + sets.Encode())
			p.looksWell(name)
			p.check(strings.ReplaceAll(name, " ", "-"))
		}
	}
	v.stop(t)
}
