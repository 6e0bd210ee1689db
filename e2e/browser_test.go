package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

const (
	driverDir      = "browser/node_modules"
	screenshotsDir = "browser/screenshots"
)

// chrome starts a real Chromium that Playwright drives. Without Chromium, node or npm the test is skipped, or fails if
// CAPI_TEST_REQUIRE names browser.
func chrome(t *testing.T) playwright.Browser {
	t.Helper()
	chromium := found("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
	node, npm := found("node"), found("npm")
	if chromium == "" || node == "" || npm == "" {
		required.Missing(t, "browser", "chromium, node or npm is missing")
	}
	installModules(t, npm)
	t.Setenv("PLAYWRIGHT_NODEJS_PATH", node)
	dir, err := filepath.Abs(driverDir)
	require.NoError(t, err)
	pw, err := playwright.Run(&playwright.RunOptions{DriverDirectory: dir, SkipInstallBrowsers: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pw.Stop()) })
	b, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath: &chromium, Args: []string{"--no-sandbox"}, // the sandbox does not start in a container
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// installModules installs what browser/package.json lists, unless all of it is there.
func installModules(t *testing.T, npm string) {
	t.Helper()
	locked, err := os.ReadFile(filepath.Join(filepath.Dir(driverDir), "package-lock.json"))
	require.NoError(t, err)
	const mark = driverDir + "/.installed" // the lock file that was installed
	if installed, err := os.ReadFile(mark); err == nil && bytes.Equal(installed, locked) {
		return
	}
	install := exec.Command(npm, "ci", "--no-audit", "--no-fund")
	install.Dir = filepath.Dir(driverDir)
	out, err := install.CombinedOutput()
	require.NoError(t, err, "npm ci: %s", out)
	require.NoError(t, os.WriteFile(mark, locked, 0o600))
}

func found(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// person uses the console in a browser window of their own.
type person struct {
	playwright.Page
	t    *testing.T
	axe  string
	site string // the server's address
	shot int

	plain bool // the window runs no script, so every button and link that is pressed opens a page
}

// newPerson opens a browser window. The test fails on a script error, on content that the content policy blocks, and on a
// request to another host.
func newPerson(t *testing.T, b playwright.Browser, site string, options playwright.BrowserNewContextOptions) *person {
	t.Helper()
	options.BaseURL = &site
	window, err := b.NewContext(options)
	require.NoError(t, err)
	window.SetDefaultTimeout(15_000)
	page, err := window.NewPage()
	require.NoError(t, err)
	axe, err := os.ReadFile(filepath.Join(driverDir, "axe-core", "axe.min.js"))
	require.NoError(t, err)
	p := &person{Page: page, t: t, axe: string(axe), site: site}
	p.plain = options.JavaScriptEnabled != nil && !*options.JavaScriptEnabled
	page.OnConsole(func(m playwright.ConsoleMessage) {
		if m.Type() == "error" && !slices.ContainsFunc(harmless, func(s string) bool { return strings.Contains(m.Text(), s) }) {
			t.Errorf("%s: the console says %s", page.URL(), m.Text())
		}
	})
	page.OnPageError(func(err error) { t.Errorf("%s: %v", page.URL(), err) })
	page.OnRequest(func(r playwright.Request) {
		if !strings.HasPrefix(r.URL(), site+"/") && !strings.HasPrefix(r.URL(), "data:") {
			t.Errorf("%s requests another host: %s", page.URL(), r.URL())
		}
	})
	return p
}

// harmless are the errors in a browser's console that a test may cause: an answer of 4xx, a network that is off, and a file that the
// page still fetches when the test stops the server. The address of each request is checked apart from that.
var harmless = []string{"status of 4", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED"}

// passphrase is the password of the first account.
const passphrase = "correct horse battery"

var workspacePath = regexp.MustCompile(`/console/w/[0-9a-f-]{36}`)

// comes waits until the page at an address that matches is loaded, and returns the address. The library's own wait now and then misses
// a page that is loaded at once.
func (p *person) comes(to *regexp.Regexp) string {
	p.t.Helper()
	p.comesWhere(to.String(), to.MatchString)
	return p.URL()
}

func (p *person) comesWhere(what string, is func(address string) bool) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		state, err := p.Evaluate("document.readyState") // fails while the page changes
		if err == nil && state == "complete" && is(p.URL()) {
			return
		}
		require.True(p.t, time.Now().Before(end), "%s, but the address is %s", what, p.URL())
	}
}

// createsFirstAccount opens the server's first link and creates the account of Ada, with the workspace unless one exists. It returns
// the path of the workspace.
func (p *person) createsFirstAccount(v *server, workspace string) string {
	p.t.Helper()
	p.open(v.firstLink(p.t))
	p.fill("Your name", "Ada")
	p.fill("Email", "ada@example.com")
	p.fill("Password", passphrase)
	if workspace != "" {
		p.fill("Name of your first workspace", workspace)
	}
	p.press("button", "Create account")
	return workspacePath.FindString(p.comes(workspacePath))
}

// open goes to a path.
func (p *person) open(path string) {
	p.t.Helper()
	_, err := p.Goto(path)
	require.NoError(p.t, err)
}

// fill types into the field with the label.
func (p *person) fill(label, value string) {
	p.t.Helper()
	require.NoError(p.t, p.field(label).Fill(value), label)
}

func (p *person) field(label string) playwright.Locator {
	return p.GetByLabel(label, playwright.PageGetByLabelOptions{Exact: new(true)}).First()
}

// press clicks the element with the role and the name. Without script it waits for the page that this opens: what is read next could
// otherwise still be on the page before.
func (p *person) press(role playwright.AriaRole, name string) {
	p.t.Helper()
	click := func() error { return p.named(role, name).Click() }
	if !p.plain {
		require.NoError(p.t, click(), "%s %s", role, name)
		return
	}
	_, err := p.ExpectEvent("load", click) // ExpectNavigation may miss a page that is loaded at once
	require.NoError(p.t, err, "%s %s", role, name)
}

func (p *person) named(role playwright.AriaRole, name string) playwright.Locator {
	return p.GetByRole(role, playwright.PageGetByRoleOptions{Name: name, Exact: new(true)}).First()
}

// sees waits until the page shows the text.
func (p *person) sees(text string) {
	p.t.Helper()
	err := p.Locator("main").GetByText(text).First().WaitFor()
	if err != nil {
		body, broken := p.Locator("main").InnerText()
		require.NoError(p.t, err, "%s at %s, where there is:\n%s%v", text, p.URL(), body, broken)
	}
}

// text returns the trimmed text of the first element that matches the selector.
func (p *person) text(selector string) string {
	p.t.Helper()
	s, err := p.Locator(selector).First().InnerText()
	require.NoError(p.t, err, selector)
	return strings.TrimSpace(s)
}

// check saves a screenshot and audits the page.
func (p *person) check(name string) {
	p.t.Helper()
	p.shot++
	path := filepath.Join(screenshotsDir, fmt.Sprintf("%s-%02d-%s.png", filepath.Base(p.t.Name()), p.shot, name))
	_, err := p.Screenshot(playwright.PageScreenshotOptions{Path: &path})
	require.NoError(p.t, err)
	p.audit(name)
}

// audit runs axe-core on the page, and checks that the page is not wider than the window.
func (p *person) audit(name string) {
	p.t.Helper()
	wide, err := p.Evaluate(`() => document.documentElement.scrollWidth - document.documentElement.clientWidth`)
	require.NoError(p.t, err)
	if w, ok := wide.(int); !ok || w > 0 {
		p.t.Errorf("%s is %v pixels wider than the window", name, wide)
	}
	p.accessible(name)
}

// accessible runs axe-core on the page, with these rules or else all.
func (p *person) accessible(name string, rules ...string) {
	p.t.Helper()
	loaded, err := p.Evaluate(`() => Boolean(window.axe)`)
	require.NoError(p.t, err)
	if loaded != true {
		_, err = p.Evaluate(p.axe)
		require.NoError(p.t, err)
	}
	found, err := p.Evaluate(`async (rules) => (await axe.run({
		resultTypes: ["violations"], preload: false, ...(rules.length && { runOnly: rules }) })).violations.map(
		v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html.slice(0, 200) + " " + (n.any[0]?.message ?? "")).join(" | "))`, rules)
	require.NoError(p.t, err)
	for _, v := range found.([]any) {
		p.t.Errorf("%s at %s: %v", name, p.URL(), v)
	}
}
