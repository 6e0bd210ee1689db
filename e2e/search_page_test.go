package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// manyCompanies returns NDJSON of n companies that differ in every field that a search page filters by, and fewCompanies.
func manyCompanies(n int) string {
	var b strings.Builder
	b.WriteString(fewCompanies)
	for i := range n {
		fmt.Fprintf(&b, `{"name":"Widget Works %02d","domain":"widget%02d.example","country":"%s","state":"State %d","city":"City %d",`+
			`"industries":["Industry %d"],"technologies":["Tool %d"],"technology_categories":["Kind %d"],"naics_codes":["5223%d0"],`+
			`"employee_count":%d,"founded_year":%d,"description":"Makes widgets of the sort %d."}`+"\n",
			i, i, []string{"Germany", "France", "Spain"}[i%3], i%4, i%12, i%11, i%7, i%5, i%3, 10+i*7, 1950+i, i)
	}
	return b.String()
}

// searchFixture is a signed-in person at the search of their workspace, which has credits, over the companies.
func searchFixture(t *testing.T, options playwright.BrowserNewContextOptions) (s *fixture, v *server, p *person, at string) {
	t.Helper()
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s = &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off", "CAPI_WEBHOOK_ALLOW=127.0.0.0/8", "CAPI_DESTINATION_ALLOW=127.0.0.0/8"}}
	s.capi(t, "import", s.write(t, "companies.ndjson", manyCompanies(60)))
	v = s.serve(t)
	p = newPerson(t, b, v.url, options)
	lab := p.createsFirstAccount(v, "Lab")
	s.capi(t, "credit", "grant", "--workspace", path.Base(lab), "40")
	return s, v, p, lab + "/search"
}

// addDouble adds a company with the domain of Hill Farm, which an import alone would take for the same company.
func (s *fixture) addDouble(t *testing.T) {
	t.Helper()
	s.capi(t, "import", s.write(t, "double.ndjson", `{"name":"Hill Cheese","domain":"hill.example","country":"Germany"}`))
	s.capi(t, "import", "split", "2", "1")
}

// arrives waits until the address has exactly these parameters, given as a query.
func (p *person) arrives(query string) {
	p.t.Helper()
	want, err := url.ParseQuery(query)
	require.NoError(p.t, err)
	p.comesWhere(query, func(at string) bool {
		u, err := url.Parse(at)
		return err == nil && u.Query().Encode() == want.Encode()
	})
}

// unfolds opens every facet.
func (p *person) unfolds() {
	p.t.Helper()
	for {
		closed := p.Locator("details.filters:not([open]) > summary:visible, details.facet:not([open]) > summary:visible").First()
		if n, err := closed.Count(); err != nil || n == 0 {
			require.NoError(p.t, err)
			return
		}
		require.NoError(p.t, closed.Click())
	}
}

// enterCases are a value for each field of the search, and the address after Enter.
var enterCases = []struct{ field, value, want string }{
	{"query", "widget", "query=widget"},
	{"add-industries", "Industry 3", "industries=Industry+3"},
	{"add-countries", "France", "countries=France"},
	{"add-states", "State 1", "states=State+1"},
	{"add-cities", "City 1", "cities=City+1"},
	{"add-technologies", "Tool 2", "technologies=Tool+2"},
	{"add-technology_categories", "Kind 2", "technology_categories=Kind+2"},
	{"add-naics_codes", "522310", "naics_codes=522310"},
	{"add-has", "domain", "has=domain"},
	{"employee_count_min", "50", "employee_count_min=50"},
	{"employee_count_max", "90", "employee_count_max=90"},
	{"founded_year_min", "1960", "founded_year_min=1960"},
	{"founded_year_max", "1970", "founded_year_max=1970"},
	{"keywords", "widgets of", "keywords=widgets+of"},
	{"exclude_keywords", "sort 3", "exclude_keywords=sort+3"},
	{"connection_category", "vendor", "connections=vendor%3A"},
	{"connection_domain", "hill.example", "connections=%3Ahill.example"},
}

func TestEnterInEveryFieldAppliesItAlone(t *testing.T) {
	_, v, p, at := searchFixture(t, playwright.BrowserNewContextOptions{Viewport: &playwright.Size{Width: 1440, Height: 900}})
	state, err := p.Context().StorageState()
	require.NoError(t, err)
	plain := newPerson(t, p.Context().Browser(), v.url, playwright.BrowserNewContextOptions{
		JavaScriptEnabled: new(false), StorageState: state.ToOptionalStorageState(),
	})
	for name, who := range map[string]*person{"with script": p, "without script": plain} {
		for _, c := range enterCases {
			t.Run(name+"/"+c.field, func(t *testing.T) {
				who.t = t
				who.open(at)
				who.unfolds()
				field := who.Locator("#" + c.field)
				require.NoError(t, field.Fill(c.value))
				require.NoError(t, field.Press("Enter"))
				require.NoError(t, who.Locator("#chips .chip").WaitFor())
				require.Equal(t, 1, who.count(who.Locator("#chips .chip")), "nothing but the field is applied: %s", who.URL())
				require.NoError(t, who.Locator("#tab-new").Click())
				who.arrives(c.want + "&show=new") // a link has the search without empty parameters
			})
		}
	}
	p.t, plain.t = t, t
	v.stop(t)
}

func TestSearchPageIsWorkedWithInABrowser(t *testing.T) {
	s, v, p, at := searchFixture(t, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1440, Height: 900}, ColorScheme: playwright.ColorSchemeLight,
	})
	p.open(at)
	p.finds("64")
	rows := p.Locator("#results tbody tr")

	t.Run("Back and Forward follow each filter", func(t *testing.T) {
		p.t = t
		require.NoError(t, p.Locator("#query").PressSequentially("widgets", playwright.LocatorPressSequentiallyOptions{Delay: new(30.0)}))
		p.arrives("query=widgets")
		p.finds("60")
		_, err := p.Evaluate(`() => scrollTo(0, 200)`)
		require.NoError(t, err)
		require.NoError(t, p.Locator("#facet-countries input").First().Check())
		p.arrives("query=widgets&countries=France")
		p.finds("20")
		kept, err := p.Evaluate(`() => document.activeElement.value + " " + scrollY`)
		require.NoError(t, err)
		require.Equal(t, "France 200", kept, "focus and scroll position stay")
		p.press("link", "Employees")
		p.arrives("query=widgets&countries=France&sort_by=employee_count&sort_order=desc")
		sorted, err := p.Locator("th[aria-sort]").GetAttribute("aria-sort")
		require.NoError(t, err)
		require.Equal(t, "descending", sorted)
		require.Contains(t, p.text("#results tbody tr"), "Widget Works 58")
		p.press("link", "Employees")
		p.arrives("query=widgets&countries=France&sort_by=employee_count&sort_order=asc")
		for _, query := range []string{
			"query=widgets&countries=France&sort_by=employee_count&sort_order=desc", "query=widgets&countries=France", "query=widgets", "",
		} {
			_, err := p.GoBack()
			require.NoError(t, err)
			p.arrives(query)
		}
		p.finds("64")
		value, err := p.Locator("#query").InputValue()
		require.NoError(t, err)
		require.Empty(t, value, "the field follows")
		_, err = p.GoForward()
		require.NoError(t, err)
		p.arrives("query=widgets")
		p.finds("60")
	})

	t.Run("a lost connection leaves the page", func(t *testing.T) {
		p.t = t
		p.open(at)
		require.NoError(t, p.Context().SetOffline(true))
		require.NoError(t, p.Locator("#query").Fill("widget"))
		p.sees("No connection.")
		require.Equal(t, 25, p.count(rows), "the old rows stay")
		p.check("offline")
		p.press("button", "Retry")
		p.sees("No connection.")
		require.NoError(t, p.Context().SetOffline(false)) // the page notices by itself
		p.arrives("query=widget")
		p.finds("60")
		require.NoError(t, p.Locator("#lost").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})

	t.Run("half-typed words keep the old rows", func(t *testing.T) {
		p.t = t
		p.open(at)
		require.NoError(t, p.Locator("#query").PressSequentially("qqqq", playwright.LocatorPressSequentiallyOptions{Delay: new(20.0)}))
		require.Equal(t, 25, p.count(rows))
		p.sees("No company matches all of these filters")
	})

	t.Run("a half-typed word finds what begins so", func(t *testing.T) {
		p.t = t
		p.open(at)
		require.NoError(t, p.Locator("#query").PressSequentially("acm", playwright.LocatorPressSequentiallyOptions{Delay: new(20.0)}))
		p.arrives("query=acm")
		p.finds("1")
		p.press("link", "Acme Payments")
		require.NoError(t, p.Locator("#company > h2").GetByText("Acme Payments").WaitFor())
		require.Equal(t, 1, p.count(rows), "the list stays as it was")
		p.press("link", "Close")
		p.press("link", "Export…")
		p.sees("New export")
		require.Equal(t, "1", p.text("#price dd"), "what is shown is what is exported")
		p.open(at)
		require.NoError(t, p.Locator("#query").Fill("acm"))
		require.NoError(t, p.Locator("#query").Press("Enter"))
		p.sees("No company matches all of these filters")
	})

	t.Run("a company opens beside the list", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget&sort_by=name")
		p.press("link", "Widget Works 00")
		require.NoError(t, p.Locator("#company > h2").GetByText("Widget Works 00").WaitFor())
		require.Equal(t, 25, p.count(rows), "the list stays")
		p.check("company-beside")
		p.press("link", "Next")
		require.NoError(t, p.Locator("#company > h2").GetByText("Widget Works 01").WaitFor())
		require.NoError(t, p.Keyboard().Press("k"))
		require.NoError(t, p.Locator("#company > h2").GetByText("Widget Works 00").WaitFor())
		_, err := p.GoBack()
		require.NoError(t, err)
		_, err = p.GoBack()
		require.NoError(t, err)
		_, err = p.GoBack()
		require.NoError(t, err)
		p.arrives("query=widget&sort_by=name")
		require.NoError(t, p.Locator("#company > h2").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateDetached}))
		require.NoError(t, p.SetViewportSize(360, 740))
		p.press("link", "Widget Works 02")
		require.NoError(t, p.Locator("#company > h2").GetByText("Widget Works 02").WaitFor())
		visible, err := p.Locator("#results").IsVisible()
		require.NoError(t, err)
		require.False(t, visible, "in a narrow window the company takes the place of the list")
		p.check("company-phone")
		p.press("link", "Close")
		require.NoError(t, p.Locator("#results").WaitFor())
		require.NoError(t, p.SetViewportSize(1440, 900))
	})

	t.Run("rows are selected, listed and excluded", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget&sort_by=name")
		require.NoError(t, p.Locator("input[type=checkbox][name=company]").Nth(0).Check())
		require.NoError(t, p.Locator("input[type=checkbox][name=company]").Nth(2).Click(playwright.LocatorClickOptions{Modifiers: []playwright.KeyboardModifier{"Shift"}}))
		require.Equal(t, "3 selected", p.text("#picked-count"), "Shift selects a range")
		p.check("selection")
		p.press("link", "Next page")
		require.NoError(t, p.Locator("#results").GetByText("Widget Works 25").WaitFor())
		require.Equal(t, "3 selected, 3 on other pages", p.text("#picked-count"), "another page keeps them")
		require.NoError(t, p.Locator("input[type=checkbox][name=company]").Nth(0).Check())
		p.press("link", "Employees")
		require.NoError(t, p.Locator("#results").GetByText("Widget Works 59").WaitFor())
		require.Equal(t, "4 selected, 4 on other pages", p.text("#picked-count"), "and so does another order")
		p.press("button", "Clear")
		require.Empty(t, p.text("#picked-count"))
		p.open(at + "?query=widget&sort_by=name")
		for _, row := range []int{0, 2} {
			require.NoError(t, p.Locator("input[type=checkbox][name=company]").Nth(row).Check())
		}
		p.press("link", "Next page")
		require.NoError(t, p.Locator("#results").GetByText("Widget Works 25").WaitFor())
		require.NoError(t, p.Locator("input[type=checkbox][name=company]").Nth(0).Check())
		p.press("link", "First page")
		require.NoError(t, p.Locator("#results").GetByText("Widget Works 00").WaitFor())
		require.Equal(t, "3 selected, 1 on other pages", p.text("#picked-count"))
		require.NoError(t, p.Locator("#picked-name").Fill("Three"))
		p.press("button", "Add to list")
		p.sees(`Added 3 companies to "Three"`)
		require.NoError(t, p.Locator("input[type=checkbox][name=company]").First().Check())
		p.press("button", "Exclude")
		p.finds("59")
		require.Contains(t, p.text("#chips"), "Not on list")
		require.NoError(t, p.Locator("input[name=all]").Check())
		require.Equal(t, "All selected", p.text("#picked-count"))
		require.NoError(t, p.Locator("#picked button[value=export]").Click())
		p.sees("New export")
		require.Equal(t, "59", p.text("#price dd"))
		p.fill("Maximum companies", "7")
		p.finds("7")
		require.NoError(t, p.Context().SetOffline(true))
		p.fill("Maximum companies", "8")
		p.sees("No connection.")
		require.NoError(t, p.Context().SetOffline(false))
		p.finds("8")
	})

	t.Run("tabs count what is owned", func(t *testing.T) {
		p.t = t
		p.open(strings.TrimSuffix(at, "/search") + "/exports/new?countries=Spain")
		p.press("button", "Review price")
		p.press("button", "Buy for 20 credits")
		p.open(at)
		p.press("link", "Owned 20")
		p.arrives("show=owned")
		require.Equal(t, 20, p.count(rows))
		p.press("link", "New 44")
		p.arrives("show=new")
		p.press("link", "All 64")
		p.arrives("")
		require.Contains(t, p.text("#facet-countries"), "0 new", "a value says how many of its companies cost a credit")
	})

	t.Run("columns are chosen and remembered", func(t *testing.T) {
		p.t = t
		p.open(at)
		require.NoError(t, p.Locator("#menu-columns > summary").Click())
		for _, label := range []string{"Location", "Owned"} {
			require.NoError(t, p.Locator("#menu-columns").GetByLabel(label).Uncheck())
		}
		require.NoError(t, p.Locator("#menu-columns").GetByLabel("Technologies").Check())
		require.NoError(t, p.Locator("#menu-columns").GetByText("Apply").Click())
		require.NoError(t, p.Locator("th").GetByText("Technologies").WaitFor())
		p.open(at)
		require.Zero(t, p.count(p.Locator("th").GetByText("Location")))
		p.check("columns")
	})

	t.Run("keys lead around", func(t *testing.T) {
		p.t = t
		p.open(at + "?sort_by=name")
		require.NoError(t, p.Keyboard().Press("/"))
		focused, err := p.Evaluate(`() => document.activeElement.id`)
		require.NoError(t, err)
		require.Equal(t, "query", focused)
		require.NoError(t, p.Locator("#query").Blur())
		require.NoError(t, p.Keyboard().Press("j"))
		require.NoError(t, p.Keyboard().Press("j"))
		require.NoError(t, p.Keyboard().Press("x"))
		require.Equal(t, "1 selected", p.text("#picked-count"))
		require.NoError(t, p.Keyboard().Press("?"))
		require.NoError(t, p.Locator("#keys").WaitFor())
		p.check("keys")
		require.NoError(t, p.Keyboard().Press("Escape"))
		require.NoError(t, p.Keyboard().Press("Escape"))
		require.NoError(t, p.Keyboard().Press("e"))
		p.comes(regexp.MustCompile(`/exports/new`))
	})

	t.Run("saved searches are opened and renamed", func(t *testing.T) {
		p.t = t
		p.open(at + "?query=widget")
		require.NoError(t, p.Locator("#menu-searches > summary").Click())
		require.NoError(t, p.Locator("#search-name").Fill("Widgets"))
		p.press("button", "Save search")
		p.sees(`Saved "Widgets"`)
		p.open(at)
		require.NoError(t, p.Locator("#menu-searches > summary").Click())
		p.check("searches")
		p.press("link", "Widgets")
		p.finds("60")
		require.Contains(t, p.text("#menu-searches > summary"), "Widgets")
	})

	p.t = t
	_ = s
	v.stop(t)
}

// count returns the number of elements.
func (p *person) count(of playwright.Locator) int {
	p.t.Helper()
	n, err := of.Count()
	require.NoError(p.t, err)
	return n
}
