package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/mail/mailtest"
)

// pageBytesMax is the size limit of a page with its script and style sheets, before compression.
const pageBytesMax = 100_000

// inEveryWindow are the windows in which every page is opened: a phone, a laptop and a large screen.
var inEveryWindow = []playwright.Size{{Width: 360, Height: 740}, {Width: 1440, Height: 900}, {Width: 2560, Height: 1300}}

// TestEveryPageInEveryWindow opens every page of the console in each window, light and dark.
func TestEveryPageInEveryWindow(t *testing.T) {
	s, v, p, at := searchFixture(t, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1440, Height: 900}, ColorScheme: playwright.ColorSchemeLight,
	})
	pages := p.everyPage(s, v, at)
	guest := newPerson(t, p.Context().Browser(), v.url, playwright.BrowserNewContextOptions{ColorScheme: playwright.ColorSchemeLight})
	p.open("/console/account")
	linked := map[string]string{} // the pattern of each link, and a page that has it
	for _, size := range inEveryWindow {
		for _, name := range slices.Sorted(maps.Keys(pages)) {
			t.Run(fmt.Sprint(size.Width, " ", name), func(t *testing.T) {
				who := p
				if strings.HasPrefix(name, "guest ") {
					who = guest
				}
				who.t = t
				require.NoError(t, who.SetViewportSize(size.Width, size.Height))
				who.open(pages[name])
				who.looksWell(name)
				for _, link := range who.links() {
					linked[patternOf(link)] = name
				}
			})
		}
	}
	t.Run("every link leads to one of these pages", func(t *testing.T) {
		known := map[string]bool{}
		for _, path := range pages {
			known[patternOf(path)] = true
		}
		for pattern, on := range linked {
			require.True(t, known[pattern], "the link %s on the page %q", pattern, on)
		}
		require.Greater(t, len(linked), 25)
	})
	t.Run("the theme of the account overrules that of the system", func(t *testing.T) {
		p.t = t
		for _, c := range []struct{ system, theme, background string }{
			{"light", "Dark", "rgb(15, 19, 24)"}, {"dark", "Light", "rgb(255, 255, 255)"}, {"dark", "As my system", "rgb(15, 19, 24)"},
		} {
			scheme := playwright.ColorScheme(c.system)
			require.NoError(t, p.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: &scheme}))
			p.open("/console/account")
			_, err := p.field("Theme").SelectOption(playwright.SelectOptionValues{Labels: &[]string{c.theme}})
			require.NoError(t, err)
			p.press("button", "Save")
			p.sees("Saved")
			for _, name := range []string{"account", "search", "credits"} {
				p.open(pages[name])
				background, err := p.Evaluate(`() => getComputedStyle(document.body).backgroundColor`)
				require.NoError(t, err)
				require.Equal(t, c.background, background, "%s in %s", c.theme, c.system)
			}
			p.accessible("credits "+c.theme, "color-contrast")
		}
	})
	p.t = t
	v.stop(t)
}

// TestMailPagesInEveryWindow opens the pages that differ when a mail server is configured, in each window, light and dark.
func TestMailPagesInEveryWindow(t *testing.T) {
	b := chrome(t)
	mailbox := mailtest.Start(t, mail.Clear)
	sent := mailbox.Options()
	s := newFixture(t, 100, "CAPI_SMTP_HOST="+sent.Host, fmt.Sprint("CAPI_SMTP_PORT=", sent.Port), "CAPI_SMTP_TLS=none",
		"CAPI_SMTP_FROM="+sent.From)
	s.load(t, fewCompanies)
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{ColorScheme: playwright.ColorSchemeLight})
	lab := p.createsFirstAccount(v, "")
	guest := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{ColorScheme: playwright.ColorSchemeLight})
	for _, size := range inEveryWindow {
		t.Run(strconv.Itoa(size.Width), func(t *testing.T) {
			p.t, guest.t = t, t
			for _, who := range []*person{p, guest} {
				require.NoError(t, who.SetViewportSize(size.Width, size.Height))
			}
			guest.open("/console/sign-in")
			guest.looksWell("sign-in")
			guest.press("link", "Forgot your password?")
			guest.sees("Enter the email address of your account.")
			guest.looksWell("forgot")
			guest.fill("Email", "ada")
			_, err := guest.Evaluate(`() => { for (const form of document.forms) form.noValidate = true; }`)
			require.NoError(t, err)
			guest.press("button", "Send the link")
			guest.sees("is not an email address")
			guest.looksWell("forgot with a fault")
			guest.fill("Email", "ada@example.com")
			guest.press("button", "Send the link")
			guest.sees("If an account with a password has this address")
			guest.looksWell("link sent")

			p.open(lab + "/members")
			p.fill("Email", fmt.Sprintf("bob%d@example.com", size.Width))
			p.press("button", "Invite by email")
			p.sees("An email with a link is on its way.")
			p.looksWell("members, invited by email")
			guest.open(p.text("#invitation-link"))
			guest.looksWell("join, before the address is confirmed")
			guest.press("button", "Send the link")
			guest.sees("We have sent a link to ")
			guest.looksWell("join, link sent")
			require.NoError(t, guest.Context().ClearCookies())
			guest.open(linkTo(t, mailbox, fmt.Sprintf("bob%d@example.com", size.Width), 2))
			guest.sees("Create account")
			p.fill("Email", "ada@example.com")
			p.press("button", "Invite by email")
			p.sees("Invitation for ada@example.com")
			guest.open(linkTo(t, mailbox, "ada@example.com", 1))
			guest.sees("ada@example.com has an account.")
			guest.looksWell("join, with an account")
			p.open(lab + "/exports/new?query=fintech")
			p.press("button", "Review price")
			p.sees("Email me when it is ready or has failed")
			p.looksWell("quote with an email")
		})
	}
	p.t = t
	v.stop(t)
}

// linkTo waits for the given number of invitations in messages to the address, and returns the link of the last one.
func linkTo(t *testing.T, mailbox *mailtest.Server, address string, n int) (link string) {
	t.Helper()
	require.Eventually(t, func() bool {
		found := 0
		for _, m := range mailbox.Messages() {
			to, err := m.Link("/console/join")
			if m.To == address && err == nil && strings.HasPrefix(m.Header.Get("Subject"), "Invitation") {
				found, link = found+1, to
			}
		}
		return found >= n
	}, 30*time.Second, 50*time.Millisecond, address)
	return link
}

// everyPage buys, saves, uploads and invites, and returns the address of every page by a name.
func (p *person) everyPage(s *fixture, v *server, search string) map[string]string {
	t := p.t
	lab := strings.TrimSuffix(search, "/search")
	here := func() string { return strings.TrimPrefix(p.URL(), v.url) }
	arrive := func(pattern string) string {
		return strings.TrimPrefix(p.comes(regexp.MustCompile(pattern)), v.url)
	}
	s.addDouble(t)
	pages := map[string]string{
		"search": search, "search found": search + "?query=widget&employee_count_min=20&exclude_countries=France",
		"search nothing": search + "?query=widget&cities=Oakland", "search faults": search + "?employee_count_min=x&founded_year_min=2000&founded_year_max=1990",
		"search warnings": search + "?query=wigdet+OR+-x&countries=Atlantis", "search beside": search + "?query=widget&company=first",
		"search owned": search + "?show=owned", "search in sets": search + "?in=owned&not_in=%7B%22search%22%3A%7B%22countries%22%3A%5B%22Spain%22%5D%7D%7D",
		"sets": search + "/sets", "table": lab + "/pivot?query=widget", "table faults": lab + "/pivot?rows=cities&columns=cities", "compare": lab + "/compare",
		"compared": lab + "/compare?set=owned&set=%7B%22search%22%3A%7B%7D%7D",
		"values":   lab + "/search/values/cities?query=widget", "lists": lab + "/lists", "new match": lab + "/match",
		"exports": lab + "/exports", "new export": lab + "/exports/new?query=fintech", "new export short": lab + "/exports/new",
		"new export faults": lab + "/exports/new?limit=0&countries=Atlantis", "credits": lab + "/credits",
		"credits by month": lab + "/credits?span=12m&from=2020-01-01&reason=refund", "tokens": lab + "/tokens", "webhooks": lab + "/webhooks", "destinations": lab + "/destinations", "notifications": lab + "/notifications", "members": lab + "/members",
		"audit log": lab + "/audit", "settings": lab + "/settings", "welcome": lab, "account": "/console/account",
		"workspaces": "/console/workspaces", "operator": "/console/operator", "imports": "/console/operator/imports",
		"import": "/console/operator/imports/1", "new upload": "/console/operator/uploads/new", "all audit log": "/console/operator/audit",
		"doctor": "/console/operator/doctor", "people": "/console/operator/people", "two-factor": "/console/account/two-factor", "passkeys": "/console/account/passkeys", "go to": "/console/palette", "home": "/console/", "missing": "/console/nowhere",
		"another workspace": "/console/w/0197a000-0000-7000-8000-000000000000/search",
		"guest sign-in":     "/console/sign-in", "guest used link": "/console/join?link=USED",
	}
	p.open(lab + "/exports/new?query=widget")
	p.press("button", "Review price")
	pages["quote short"] = arrive(`/quotes/.{36}`)
	p.open(pages["new export"])
	p.press("button", "Review price")
	pages["quote"] = arrive(`/quotes/.{36}`)
	p.open(pages["new export"] + "&limit=1")
	p.press("button", "Review price")
	pages["quote bought"] = arrive(`/quotes/.{36}`)
	p.press("button", "Buy for 1 credit")
	pages["export"] = arrive(`/exports/.{36}`)
	pages["receipt"] = pages["export"] + "/receipt"
	require.NoError(t, p.Locator("#export-state").GetByText("completed").First().WaitFor())

	pages["orders"], pages["new order"] = lab+"/orders", lab+"/orders/new?query=widget"
	pages["new order faults"] = lab + "/orders/new?max_credits=x&countries=Atlantis"
	p.open(pages["new order"])
	p.fill("Credits of a run, at most", "1")
	p.press("button", "Create order")
	pages["order"] = arrive(`/orders/.{36}`)
	p.press("button", "Run now")
	p.sees("cost more than the limit of 1.")

	if s3test.Built() {
		store := s3test.Start(t)
		p.open(pages["destinations"])
		p.fill("Name", "Data lake")
		for label, value := range map[string]string{
			"Bucket": store.NewBucket(t), "Region": "us-east-1", "Server": store.Endpoint, "Access key ID": s3test.AccessKey, "Secret access key": s3test.SecretKey,
		} {
			p.fill(label, value)
		}
		p.press("button", "Test and create")
		p.sees("Exports can be delivered to Data lake now.")
		pages["destination"] = lab + "/destinations/" + path.Base(p.attribute(`main a[href*="/destinations/"]`, "href"))
		p.open(pages["quote"])
		_, err := p.field("Deliver to").SelectOption(playwright.SelectOptionValues{Labels: &[]string{"Data lake"}})
		require.NoError(t, err)
		p.press("button", "Buy for 1 credit")
		p.sees("delivered")
	}
	pages["presets"] = lab + "/presets"
	p.open(pages["presets"])
	p.fill("Name", "For the warehouse")
	require.NoError(t, p.GetByLabel("domain", playwright.PageGetByLabelOptions{Exact: new(true)}).First().Check())
	p.press("button", "Create preset")
	p.sees("For the warehouse")

	p.open(pages["tokens"])
	p.fill("Name", "laptop")
	require.NoError(t, p.field("Read and export").Check())
	p.press("button", "Create")
	v.status(t, p.text("#secret"))
	pages["token"] = arrive(`/tokens/.{36}`)
	p.check("new-token")
	p.open(pages["webhooks"])
	p.fill("Address", "http://10.0.0.1/hooks")
	p.press("button", "Create")
	p.sees("10.0.0.1 is not among them")
	p.check("webhook-faults")
	p.fill("Address", "http://127.0.0.1:1/hooks") // nothing listens there
	p.press("button", "Create")
	require.Contains(t, p.text("#secret"), "whsec_")
	pages["webhook"] = arrive(`/webhooks/.{36}`)
	p.check("new-webhook")
	p.press("button", "Send a test")
	p.sees("The test did not arrive")
	p.open(pages["members"])
	p.fill("Email", "bob@example.com")
	p.press("button", "Create invite link")
	pages["guest invitation"] = strings.TrimPrefix(p.text("#invitation-link"), v.url)
	p.check("new-invitation")

	for _, name := range []string{"Empty", "Prospects"} {
		p.open(pages["lists"])
		p.fill("New list name", name)
		p.press("button", "Create")
		pages["list "+name] = arrive(`/lists/.{36}`)
	}
	p.fill("Paste domains", "hill.example\nledger.example\nnowhere.example")
	p.press("button", "Match and add")
	pages["match"] = arrive(`/matches/`)
	p.open(search + "?query=widget")
	require.NoError(t, p.Locator("#menu-searches > summary").Click())
	require.NoError(t, p.Locator("#search-name").Fill("Widgets"))
	p.press("button", "Save search")
	p.sees(`Saved "Widgets"`)
	pages["search saved"] = here()
	p.open(search + "?query=ledger")
	pages["company"] = lab + "/" + p.attribute("#results a.name", "href")
	p.open(pages["people"])
	pages["person"] = p.attribute(`main a[href*="/operator/people/"]`, "href")
	p.open(pages["operator"])
	pages["what a workspace sees"] = p.attribute(`main a[href$="/wall"]`, "href")
	p.open(pages["new upload"])
	p.uploads(s.write(t, "leads.csv", leadList))
	p.sees("What an import does")
	pages["upload"] = here()
	return pages
}

// pattern replaces what differs between pages of one kind.
var pattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d+|values/\w+`)

// patternOf returns a path without its ids, numbers and parameters.
func patternOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	return strings.TrimSuffix(pattern.ReplaceAllString(path, "*"), "/")
}

// links returns the paths of the page's links to other pages of the console.
func (p *person) links() (paths []string) {
	p.t.Helper()
	found, err := p.Evaluate(`() => [...document.querySelectorAll("a[href]")].map(a => new URL(a.getAttribute("href"), document.baseURI).href)`) // a.href is no text in SVG
	require.NoError(p.t, err)
	for _, link := range found.([]any) {
		u, err := url.Parse(link.(string))
		require.NoError(p.t, err)
		isFile := u.Query().Has("format") && u.Path != "" && !strings.HasSuffix(u.Path, "/exports/new")
		for _, file := range []string{"/download", "/rejects", "/plan"} {
			isFile = isFile || strings.HasSuffix(u.Path, file)
		}
		if strings.HasPrefix(link.(string), p.site+"/console/") && !isFile {
			paths = append(paths, u.Path)
		}
	}
	return paths
}

// attribute returns the attribute of the first element that matches the selector.
func (p *person) attribute(selector, name string) string {
	p.t.Helper()
	value, err := p.Locator(selector).First().GetAttribute(name)
	require.NoError(p.t, err)
	return value
}

// measure returns how many pixels the page is wider than the window, its bytes with scripts and style sheets, and the first piece
// of template source that it shows.
const measure = `() => {
	const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter((r) => r.initiatorType !== "fetch")];
	const text = document.body.innerText.replace(/^.*curl[^]*?'\}?$/gm, "");
	return [
		document.documentElement.scrollWidth - document.documentElement.clientWidth,
		loaded.reduce((sum, r) => sum + r.decodedBodySize, 0),
		(text.match(/.{0,20}(@[a-z]\w+\(|\{ [\w.]+|\{\{).{0,20}/) || [""])[0],
	];
}`

// menus opens each menu and box, and returns those that are not within the window or cut their text off.
const menus = `async () => {
	const out = [];
	const outside = (name, box) => {
		const r = box.getBoundingClientRect();
		if (r.width === 0 || r.left < 0 || r.right > document.documentElement.clientWidth) out.push(name.trim() + ": " + Math.round(r.left) + " to " + Math.round(r.right));
		if (document.documentElement.scrollWidth > document.documentElement.clientWidth) out.push(name.trim() + " widens the page");
	};
	for (const menu of document.querySelectorAll("details.menu")) {
		if (!menu.checkVisibility()) continue;
		menu.open = true;
		outside(menu.querySelector("summary").innerText, menu.children[1]);
		menu.open = false;
	}
	for (const button of document.querySelectorAll("button[popovertarget]:not([popovertargetaction])")) {
		const box = document.getElementById(button.getAttribute("popovertarget"));
		box.showPopover();
		outside(button.innerText, box);
		if (box.scrollWidth > box.clientWidth) out.push(button.innerText.trim() + " does not wrap its text");
		box.hidePopover();
	}
	return out;
}`

// looksWell checks the page in the light and in the dark: it is accessible and no wider than the window, also with everything
// unfolded and in every menu, it is small, and it shows no template source.
func (p *person) looksWell(name string) {
	p.t.Helper()
	for _, unfolded := range []bool{false, true} {
		if unfolded {
			_, err := p.Evaluate(`() => { for (const d of document.querySelectorAll("details:not(.menu)")) d.open = true; }`)
			require.NoError(p.t, err)
		}
		found, err := p.Evaluate(measure)
		require.NoError(p.t, err)
		m := found.([]any)
		require.LessOrEqual(p.t, m[0], 0, "%s is wider than the window by these pixels", name)
		require.LessOrEqual(p.t, m[1], pageBytesMax, "%s is too large", name)
		require.Greater(p.t, m[1], 10_000, "the sheet and the script count")
		require.Empty(p.t, m[2], "%s shows the source of a template", name)
	}
	found, err := p.Evaluate(menus)
	require.NoError(p.t, err)
	require.Empty(p.t, found, "%s has menus outside of the window", name)
	p.accessible(name)
	require.NoError(p.t, p.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: playwright.ColorSchemeDark}))
	p.accessible(name+" in the dark", "color-contrast")
	require.NoError(p.t, p.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: playwright.ColorSchemeLight}))
	if p.t.Failed() {
		_, err := p.Screenshot(playwright.PageScreenshotOptions{
			Path: new(filepath.Join(screenshotsDir, strings.ReplaceAll(filepath.Base(p.t.Name()), " ", "-")+".png")),
		})
		require.NoError(p.t, err)
	}
}
