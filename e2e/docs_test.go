package e2e

import (
	"encoding/json"
	"io"
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

	"github.com/opencapi/capi/internal/testkit/required"
)

// validatePostman reads a collection from its input, checks it against the published schema, and prints the errors.
const validatePostman = `
const { PostmanValidator } = require("@har-sdk/validator");
const collection = JSON.parse(require("node:fs").readFileSync(0));
new PostmanValidator().verify(collection).then((errors) => console.log(JSON.stringify(errors)));`

func TestThePostmanCollectionFollowsThePublishedSchema(t *testing.T) {
	node, npm := found("node"), found("npm")
	if node == "" || npm == "" {
		required.Missing(t, "node", "node or npm is missing")
	}
	installModules(t, npm)
	v := newFixture(t, 0).serve(t)
	r, err := http.Get(v.url + "/docs/capi.postman_collection.json")
	require.NoError(t, err)
	defer r.Body.Close()
	require.Contains(t, r.Header.Get("Content-Disposition"), "attachment")
	published, err := io.ReadAll(r.Body)
	require.NoError(t, err)

	check := func(collection []byte) (errors []any) {
		cmd := exec.CommandContext(t.Context(), node, "-e", validatePostman)
		cmd.Dir = "browser"
		cmd.Stdin = strings.NewReader(string(collection))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%.1000s", out)
		require.NoError(t, json.Unmarshal(out, &errors), "%.1000s", out)
		return errors
	}
	require.Empty(t, check(published))
	broken := strings.Replace(string(published), `"mode": "raw"`, `"mode": "cooked"`, 1)
	require.NotEqual(t, string(published), broken)
	require.NotEmpty(t, check([]byte(broken)), "the schema refuses what is wrong")

	var c struct {
		Info struct{ Schema string }
		Item []struct {
			Item []struct{ Request struct{ Method string } }
		}
		Variable []struct{ Key, Value string }
	}
	require.NoError(t, json.Unmarshal(published, &c))
	require.Equal(t, "https://schema.getpostman.com/json/collection/v2.1.0/collection.json", c.Info.Schema)
	requests := 0
	for _, folder := range c.Item {
		requests += len(folder.Item)
	}
	require.Equal(t, 56, requests, "one for each operation")
	require.Equal(t, v.url+"/api/v1", c.Variable[0].Value)
}

// TestDocsFromGetAnAPITokenToTheFirstExport goes from the link in the header to a file that is paid for with the reader's own
// token, in each window and colour scheme.
func TestDocsFromGetAnAPITokenToTheFirstExport(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := newFixture(t, 1000)
	s.load(t, fewCompanies)
	v := s.serve(t)
	first := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{})
	first.createsFirstAccount(v, "")
	state, err := first.Context().StorageState()
	require.NoError(t, err)

	for _, window := range []struct {
		name   string
		width  int
		scheme *playwright.ColorScheme
	}{
		{"phone-light", 360, playwright.ColorSchemeLight},
		{"phone-dark", 360, playwright.ColorSchemeDark},
		{"desktop-light", 1440, playwright.ColorSchemeLight},
		{"wide-dark", 2560, playwright.ColorSchemeDark},
	} {
		t.Run(window.name, func(t *testing.T) {
			r := &reader{newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
				Viewport: &playwright.Size{Width: window.width, Height: 800}, ColorScheme: window.scheme, AcceptDownloads: new(true),
				StorageState: state.ToOptionalStorageState(),
			})}
			r.buysWithTheirOwnToken(s, window.name)
		})
	}
	t.Run("by keyboard", func(t *testing.T) {
		r := &reader{newPerson(t, b, v.url, playwright.BrowserNewContextOptions{StorageState: state.ToOptionalStorageState()})}
		r.usesTheKeyboard(s.token)
	})
	t.Run("without script", func(t *testing.T) {
		r := &reader{newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
			JavaScriptEnabled: new(false), StorageState: state.ToOptionalStorageState(),
		})}
		r.needsNoScript(s)
	})
}

// reader is a person who reads the documentation.
type reader struct{ *person }

func (r *reader) buysWithTheirOwnToken(s *fixture, window string) {
	t := r.t
	t.Helper()
	r.open("/docs")
	r.check("docs")
	r.press("link", "Get an API token")
	r.check("authentication")
	require.NoError(t, r.Locator("main article").GetByRole("link", playwright.LocatorGetByRoleOptions{Name: "Tokens"}).First().Click())
	r.fill("Name", window)
	require.NoError(t, r.field("Read and export").Check())
	r.press("button", "Create")
	token := r.text("#secret")
	require.Regexp(t, `^cornect_\w{38}$`, token)
	r.OnRequest(func(q playwright.Request) {
		if strings.Contains(q.URL(), token) {
			t.Errorf("the token is in the address %s", q.URL())
		}
		if strings.Contains(q.Headers()["authorization"], token) && !strings.HasPrefix(q.URL(), r.site+"/api/v1/") {
			t.Errorf("the token is sent to %s", q.URL())
		}
	})

	r.open("/docs/reference/search-companies")
	r.fill("Your API token", "cornect_with a space")
	r.press("button", "Use")
	r.sees("A token begins with cornect_")
	r.check("not-a-token")
	r.fill("Your API token", token)
	r.press("button", "Use")
	r.sees("Every sample of this tab now has your token.")
	r.fillsInTheFieldsOfTheBody()
	r.press("button", "Send")
	r.sees("200 OK")
	r.sees(`"total": 2`)
	r.sees("X-Request-Id")
	r.check("searched")

	r.open("/docs/quickstart")
	r.check("quickstart")
	require.Contains(t, r.text("main pre"), token, "the token is on every page of the tab")
	r.open("/docs/reference/get-credits")
	if window == "desktop-light" {
		r.runsEverySample(token, "balance")
		r.runsSamplesOfTheForm(&client{base: r.site, token: s.token}, token)
	}

	r.open("/docs/reference/create-export")
	require.NoError(t, r.Locator("#in-body").Fill(`{"name": "`+window+`", "search_filters": {"query": "fintech"}}`))
	r.press("button", "Send")
	require.NoError(t, r.Locator(".answer strong").GetByText("201 Created").WaitFor())
	r.check("bought")
	r.open("/docs/reference/get-export")
	require.Eventually(t, func() bool {
		r.press("button", "Send")
		r.sees("200 OK")
		return strings.Contains(r.text(".answer pre"), `"status": "completed"`)
	}, 30*time.Second, 200*time.Millisecond)
	r.open("/docs/reference/download-export")
	r.press("button", "Send")
	r.sees("download_url")
	r.check("link")
	came, err := r.ExpectDownload(func() error { return r.Locator(".answer pre a").First().Click() })
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "file.csv")
	require.NoError(t, came.SaveAs(path))
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(file), "Acme Payments")
	require.Contains(t, string(file), "Zürich Ledger")

	r.open("/docs/reference/get-list")
	require.NoError(t, r.Locator("[data-in=path]").Fill("0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f"))
	r.press("button", "Send")
	r.sees("404 Not Found")
	r.press("link", "What NOT_FOUND means")
	r.comes(regexp.MustCompile(`/docs/errors#error-NOT_FOUND$`))
	r.open("/docs/quickstart")
	tab, err := r.Context().NewPage()
	require.NoError(t, err)
	_, err = tab.Goto("/docs/quickstart")
	require.NoError(t, err)
	other, err := tab.Locator("main pre").First().InnerText()
	require.NoError(t, err)
	require.NotContains(t, other, token, "another tab does not know the token")
	require.NoError(t, tab.Close())
	r.press("button", "Clear")
	require.Contains(t, r.text("main pre"), "cornect_your_token_here")
	_, err = r.Reload()
	require.NoError(t, err)
	require.Contains(t, r.text("main pre"), "cornect_your_token_here")
}

// fillsInTheFieldsOfTheBody sets the body of a search by its fields and by its JSON, each of which follows the other.
func (r *reader) fillsInTheFieldsOfTheBody() {
	t := r.t
	t.Helper()
	json := r.Locator("#in-body")
	is := func(want string) {
		t.Helper()
		text, err := json.InputValue()
		require.NoError(t, err)
		require.JSONEq(t, want, text)
	}
	shows := func(field, want string) {
		t.Helper()
		text, err := r.Locator("#body-" + field).InputValue()
		require.NoError(t, err)
		require.Equal(t, want, text, field)
	}
	set := func(field, text string) {
		t.Helper()
		require.NoError(t, r.Locator("#body-"+field).Fill(text))
	}
	choose := func(id, option string) {
		t.Helper()
		_, err := r.Locator(id).SelectOption(playwright.SelectOptionValues{Labels: &[]string{option}})
		require.NoError(t, err)
	}
	shows("query", "fintech")
	shows("countries", "US")
	shows("employee_count_min", "50")
	set("employee_count_min", "")
	set("countries", "")
	set("limit", "7")
	is(`{"query": "fintech", "limit": 7}`)
	set("query", "")
	require.NoError(t, r.Locator("#body-query").Focus())
	require.NoError(t, r.Keyboard().Type("O'Brien"))
	require.Contains(t, r.text(".tab:visible pre"), "Brien", "the samples follow the fields")
	require.NoError(t, r.GetByText("more fields").First().Click())
	set("cities", "Berlin, São Paulo,")
	set("industries", "Data, Analytics & AI\n")
	choose("#body-sort_by", "name")
	choose("#body-facet_prices", "true")
	set("connections", `[{"connection_type": "customer"}]`)
	is(`{"query": "O'Brien", "limit": 7, "cities": ["Berlin", "São Paulo"], "industries": ["Data, Analytics & AI"], "sort_by": "name",
		"facet_prices": true, "connections": [{"connection_type": "customer"}]}`)
	r.check("fields")
	choose("#body-sort_by", "not sent")
	set("limit", "seven")
	set("connections", "[{")
	r.sees("This is not a number. The body below does not have it.")
	r.sees("This is not JSON")
	r.press("button", "Send")
	r.sees("Nothing was sent.")
	r.check("wrong-fields")

	require.NoError(t, json.Fill(`{"query": "fintech", "cities": ["Paris, Texas"], "limit": "many", "sort_by": "luck", "states": ["TX", 5]}`))
	shows("cities", "Paris, Texas\n")
	shows("limit", "")
	shows("sort_by", "")
	shows("states", "")
	shows("facet_prices", "")
	set("limit", "5")
	is(`{"query": "fintech", "cities": ["Paris, Texas"], "limit": 5, "sort_by": "luck", "states": ["TX", 5]}`)
	require.NoError(t, json.Fill("{"))
	r.sees("Not a JSON object.")
	shows("query", "fintech")
	disabled, err := r.Locator("#body-query").IsDisabled()
	require.NoError(t, err)
	require.True(t, disabled, "a field cannot be set in what is not an object")
	r.press("button", "Send")
	r.sees("The body is not a JSON object")
	r.check("not-json")
	require.NoError(t, json.Fill(`{"query": "fintech"}`))
	choose("#in-field", "facet_prefix.prefix")
	is(`{"query": "fintech", "facet_prefix": {"prefix": "soft"}}`)
	set("facet_prefix", "")
	set("has", "domain")
	is(`{"query": "fintech", "has": ["domain"]}`)
}

// runsEverySample runs what the page shows in each language, as it is.
func (r *reader) runsEverySample(token, want string) {
	r.t.Helper()
	for language, run := range map[string][]string{
		"curl": {"sh", "sample.sh"}, "JavaScript": {"node", "sample.mjs"}, "Python": {"python3", "sample.py"}, "Go": {"go", "run", "sample.go"},
	} {
		require.NoError(r.t, r.Locator(".tabs > label").GetByText(language, playwright.LocatorGetByTextOptions{Exact: new(true)}).First().Click())
		code := r.text(".tab:visible pre")
		require.Contains(r.t, code, token, language)
		if found(run[0]) == "" {
			require.False(r.t, required.Has(run[0]), "%s is required here, and missing", run[0])
			continue
		}
		dir := r.t.TempDir()
		require.NoError(r.t, os.WriteFile(filepath.Join(dir, run[len(run)-1]), []byte(code), 0o600))
		cmd := exec.CommandContext(r.t.Context(), run[0], run[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(r.t, err, "%s: %s", language, out)
		require.Contains(r.t, string(out), want, language)
	}
}

// runsSamplesOfTheForm fills in the form with what needs quoting in one language or another: the samples follow it, and run.
func (r *reader) runsSamplesOfTheForm(c *client, token string) {
	t := r.t
	t.Helper()
	const name = "O'Brien & \"Söhne\" `x` $HOME \\n 投资 {}"
	body, err := json.Marshal(map[string]any{"name": name})
	require.NoError(t, err)
	r.open("/docs/reference/create-list")
	require.NoError(t, r.Locator("#in-body").Fill(string(body)))
	r.runsEverySample(token, "company_count")
	require.NoError(t, r.Locator("#in-body").Fill("{"))
	require.Contains(t, r.text(".tab:visible pre"), "Brien", "what is not JSON changes no sample")
	var lists struct{ Items []struct{ Name string } }
	c.must(t, http.StatusOK, "GET", "/lists", nil, &lists)
	require.Len(t, lists.Items, 4, "one for each language")
	for _, list := range lists.Items {
		require.Equal(t, name, list.Name)
	}

	r.open("/docs/reference/list-transactions")
	_, err = r.Locator("#in-reason").SelectOption(playwright.SelectOptionValues{Values: &[]string{"grant"}})
	require.NoError(t, err)
	require.NoError(t, r.Locator("#in-limit").Fill("2"))
	require.Contains(t, r.text(".tab:visible pre"), "?reason=grant&limit=2")
	r.runsEverySample(token, "grant")
}

func (r *reader) usesTheKeyboard(token string) {
	t := r.t
	t.Helper()
	keys := func(all ...string) {
		for _, key := range all {
			require.NoError(t, r.Keyboard().Press(key))
		}
	}
	r.open("/docs")
	keys("/")
	require.NoError(t, r.Keyboard().Type("not enough credits"))
	require.NoError(t, r.Locator("#matches [aria-selected=true]").GetByText("insufficient_balance").WaitFor())
	r.check("search")
	r.checkOnAPhone("search")
	keys("ArrowDown")
	require.NotContains(t, r.text("#matches [aria-selected=true]"), "insufficient_balance")
	keys("ArrowUp", "Enter")
	r.comes(regexp.MustCompile(`/docs/errors#error-insufficient_balance$`))
	keys("/")
	require.NoError(t, r.Keyboard().Type("get balance"))
	require.NoError(t, r.Locator("#matches [aria-selected=true]").GetByText("Get the balance").WaitFor())
	keys("Enter")
	r.comes(regexp.MustCompile(`/docs/reference/get-credits$`))
	keys("/")
	require.NoError(t, r.Keyboard().Type("xyzzy"))
	require.NoError(t, r.Locator("#matches").GetByText("No page contains").WaitFor())
	keys("Escape")
	require.NoError(t, r.Locator("#matches").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	r.tabTo("#token")
	require.NoError(t, r.Keyboard().Type(token))
	keys("Enter")
	r.sees("Every sample of this tab now has your token.")
	r.tabTo("form.request button")
	keys("Enter")
	require.NoError(t, r.Locator(".answer strong").GetByText("200 OK").WaitFor())

	r.open("/docs/reference/search-companies")
	r.tabTo("fieldset.body summary")
	keys("Enter")
	r.tabTo("#body-sort_by")
	keys("ArrowDown")
	r.tabTo("#in-body")
	body, err := r.Locator("#in-body").InputValue()
	require.NoError(t, err)
	require.Contains(t, body, `"sort_by": "relevance"`)
	r.tabTo("form.request button")
	keys("Enter")
	require.NoError(t, r.Locator(".answer strong").GetByText("200 OK").WaitFor())
}

// tabTo presses Tab until the element has the focus.
func (r *reader) tabTo(selector string) {
	r.t.Helper()
	for range 150 {
		require.NoError(r.t, r.Keyboard().Press("Tab"))
		at, err := r.Evaluate(`selector => document.activeElement.matches(selector)`, selector)
		require.NoError(r.t, err)
		if at == true {
			return
		}
	}
	r.t.Fatalf("%s is not reached by keyboard", selector)
}

func (r *reader) needsNoScript(s *fixture) {
	t := r.t
	t.Helper()
	r.open("/docs")
	r.press("link", "Get an API token")
	require.NoError(t, r.Locator("main article").GetByRole("link", playwright.LocatorGetByRoleOptions{Name: "Tokens"}).First().Click())
	r.fill("Name", "no script")
	require.NoError(t, r.field("Read and export").Check())
	r.press("button", "Create")
	token := r.text("#secret")
	r.open("/docs/reference/create-export")
	shown := r.text("main")
	require.Contains(t, shown, "The form needs JavaScript. The samples above do the same.")
	require.Contains(t, shown, "on_insufficient_balance")
	visible, err := r.Locator("form.request, form.token").First().IsVisible()
	require.NoError(t, err)
	require.False(t, visible)
	sample := strings.ReplaceAll(r.text(".tab:visible pre"), "cornect_your_token_here", token)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", sample).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), `"export_job"`)
	require.NoError(t, r.Locator("#q").Fill("not enough credits"))
	r.press("button", "Search")
	require.NoError(t, r.Locator("ol.hits a").First().Click())
	require.Contains(t, r.URL(), "/docs/errors#error-insufficient_balance")
}

// TestEveryPageOfTheDocumentationIsAccessible audits the pages that llms.txt lists, on a phone, dark and light in turn.
func TestEveryPageOfTheDocumentationIsAccessible(t *testing.T) {
	b := chrome(t)
	v := newFixture(t, 0).serve(t)
	answer, err := http.Get(v.url + "/llms.txt")
	require.NoError(t, err)
	defer answer.Body.Close()
	list, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	pages := []string{"/docs/search?q=export", "/docs/nothing"}
	for _, m := range regexp.MustCompile(`\(http[^/]*//[^/]+(/docs\S*)\.md\)`).FindAllStringSubmatch(string(list), -1) {
		pages = append(pages, strings.TrimSuffix(m[1], "/index"))
	}
	require.Greater(t, len(pages), 45)
	var readers []*person
	for _, scheme := range []*playwright.ColorScheme{playwright.ColorSchemeDark, playwright.ColorSchemeLight} {
		readers = append(readers, newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
			Viewport: &playwright.Size{Width: 360, Height: 740}, ColorScheme: scheme,
		}))
	}
	for i, page := range pages {
		p := readers[i%2]
		p.open(page)
		p.audit(page)
		p.copyCoversNoText(page)
		if strings.HasPrefix(page, "/docs/reference/") {
			p.samplesFollow(page)
		}
	}
}

// copyCoversNoText fails if the button that copies a sample lies on its text, in what is visible of it at first.
func (p *person) copyCoversNoText(page string) {
	p.t.Helper()
	covered, err := p.Evaluate(`() => [...document.querySelectorAll(".copied")].filter((frame) => {
		const button = frame.querySelector("button").getBoundingClientRect(), range = document.createRange();
		range.selectNodeContents(frame.querySelector("pre"));
		return button.height > 0 && [...range.getClientRects()].some((line) =>
			line.top < button.bottom && line.bottom > button.top && line.left < button.right && line.right > button.left);
	}).map((frame) => frame.querySelector("pre").textContent.slice(0, 60))`)
	require.NoError(p.t, err)
	require.Empty(p.t, covered, page)
}

// samplesFollow fills in the form of an operation: each of the four samples must show it.
func (p *person) samplesFollow(page string) {
	p.t.Helper()
	missing, err := p.Evaluate(`() => {
		const wanted = [], body = document.getElementById("in-body");
		for (const input of document.querySelectorAll("form.request input[data-in]:not([data-in=header])")) {
			input.value = input.type === "number" ? "7" : "probe-" + input.name;
			wanted.push(input.value);
		}
		if (body) {
			body.value = '{"probe-body": true}';
			wanted.push("probe-body");
		}
		(body ?? document.querySelector("form.request")).dispatchEvent(new Event("input", { bubbles: true }));
		const samples = [...document.querySelectorAll(".panel .tabs pre code")];
		return [samples.length, ...samples.flatMap((code) => wanted.filter((text) => !code.textContent.includes(text)))];
	}`)
	require.NoError(p.t, err)
	if list := missing.([]any); len(list) != 1 || list[0] != 4 {
		p.t.Errorf("%s: number of samples, and what they do not show: %v", page, list)
	}
}
