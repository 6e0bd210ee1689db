package docsite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/docsite"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
)

// site returns the handler of the documentation, without the rest of the server.
func site(t *testing.T, publicURL string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range docsite.Mounts(docsite.Deps{OpenAPI: api.OpenAPI, Status: httpx.Status, PublicURL: publicURL}) {
		mux.Handle(pattern, h)
	}
	return mux
}

func get(t *testing.T, h http.Handler, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Result()
}

func read(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	answer := get(t, h, path)
	require.Equal(t, http.StatusOK, answer.StatusCode, path)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}

// has is require.Contains, except that it does not print the whole page.
func has(t *testing.T, page, part string) {
	t.Helper()
	if !strings.Contains(page, part) {
		require.Fail(t, "not there: "+part)
	}
}

// found is what an HTML page refers to.
type found struct {
	links, resources []string
	ids              []string
}

func parse(t *testing.T, path, page string) found {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var f found
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		require.NotEqual(t, "style", n.Data, "%s has a style of its own", path)
		require.False(t, n.Data == "script" && n.FirstChild != nil, "%s has a script of its own", path)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style", "%s: <%s %s> is inline code", path, n.Data, a.Key)
			switch {
			case a.Key == "id":
				require.NotContains(t, f.ids, a.Val, "%s has an id twice", path)
				f.ids = append(f.ids, a.Val)
			case n.Data == "a" && a.Key == "href":
				f.links = append(f.links, a.Val)
			case a.Key == "href", a.Key == "src", a.Key == "srcset", a.Key == "action", a.Key == "data",
				a.Key == "data-index", a.Key == "data-script", a.Key == "poster":
				f.resources = append(f.resources, a.Val)
			}
		}
	}
	return f
}

func TestEveryPageIsLinkedAndNoLinkIsBroken(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	elsewhere := []string{"/openapi.json", "/console/", "/console/tokens"} // served by the API and the console
	pages, todo := map[string]found{}, []string{"/docs", "/docs/search?q=quote", "/docs/search"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, done := pages[path]; done || slices.Contains(elsewhere, path) {
			continue
		}
		answer := get(t, h, path)
		require.Equal(t, http.StatusOK, answer.StatusCode, path)
		pages[path] = found{}
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Less(t, len(body), 100<<10, "%s is too large", path)
		f := parse(t, path, string(body))
		pages[path] = f
		for _, link := range f.links {
			to, err := url.Parse(link)
			require.NoError(t, err, "%s: %s", path, link)
			switch {
			case to.Host != "":
				file, ours := strings.CutPrefix(link, "https://github.com/opencapi/capi/blob/main/")
				require.True(t, ours, "%s leads away, to %s", path, link)
				require.FileExists(t, "../../"+file, path)
			case to.Path != "":
				require.Equal(t, uint8('/'), to.Path[0], "%s: %s is relative", path, link)
				todo = append(todo, to.RequestURI())
			}
		}
	}
	for path, f := range pages {
		for _, link := range f.links {
			to, fragment, has := strings.Cut(link, "#")
			if !has || strings.Contains(to, "://") {
				continue
			}
			if to == "" {
				to = path
			}
			require.Contains(t, pages[to].ids, fragment, "%s: %s", path, link)
		}
	}
	for _, line := range strings.Split(read(t, h, "/llms.txt"), "\n") {
		if _, after, ok := strings.Cut(line, "(http://example.com"); ok {
			path, _, _ := strings.Cut(after, ")")
			require.Contains(t, pages, path, "no page links to this page")
		}
	}
	require.Greater(t, len(pages), 60)
}

func TestPagesLoadNothingFromOtherHostsAndHaveNoInlineCode(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	for _, path := range []string{"/docs", "/docs/reference/create-export", "/docs/quickstart", "/docs/search?q=x", "/docs/nothing"} {
		answer := get(t, h, path)
		policy := answer.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "http")
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		f := parse(t, path, string(body))
		require.NotEmpty(t, f.resources)
		for _, resource := range f.resources {
			require.True(t, strings.HasPrefix(resource, "/") && !strings.HasPrefix(resource, "//"), "%s loads %s", path, resource)
			if strings.HasPrefix(resource, "/docs/assets/") {
				loaded := get(t, h, resource)
				require.Equal(t, http.StatusOK, loaded.StatusCode, resource)
				require.Contains(t, loaded.Header.Get("Cache-Control"), "immutable", resource)
			}
		}
	}
	sheet := read(t, h, "/docs/assets/docsite.css")
	require.NotContains(t, sheet, "@import")
	require.NotRegexp(t, `url\(["']?(https?:)?//`, sheet)
}

func TestPagesShowTheAddressOfTheServer(t *testing.T) {
	t.Parallel()
	has(t, read(t, site(t, "https://api.acme.example"), "/docs/quickstart"), "https://api.acme.example/api/v1/companies/search")
	h := site(t, "")
	for _, host := range []string{"capi.internal:8080", "evil.example", `x"><script>alert(1)</script>`, "x;curl evil.example|sh"} {
		for _, path := range []string{"/docs/quickstart", "/docs/quickstart.md", "/llms-full.txt"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host = host // chosen by the client
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			has(t, w.Body.String(), docsite.Host+"/api/v1/companies/search")
			require.NotContains(t, w.Body.String(), host, path)
		}
	}
}

func TestEveryErrorCodeIsInTheTable(t *testing.T) {
	t.Parallel()
	page := read(t, site(t, ""), "/docs/errors.md")
	for _, e := range fault.Catalogue() {
		has(t, page, "| `"+string(e.Code)+"` |")
	}
}

func TestSearchFindsWordsPrefixesAndCodes(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	for question, first := range map[string]string{
		"idempotency": "/docs/idempotency", "QUOTE_EXPIRED": "QUOTE_EXPIRED", "backup": "/docs/self-hosting#backups",
		"create export": "/docs/reference/create-export", "rate lim": "/docs/rate-limits", "Rückerstattung": "No page contains",
		`"><script>`: "script",
	} {
		t.Run(question, func(t *testing.T) {
			page := read(t, h, "/docs/search?q="+url.QueryEscape(question))
			parse(t, question, page)
			_, results, _ := strings.Cut(page, "<main")
			has(t, results, first)
		})
	}
	has(t, read(t, h, "/docs/search?q="+strings.Repeat("%C3%A9", 5000)), "No page contains")
}

func TestTheChangelogIsByDayNewestFirst(t *testing.T) {
	t.Parallel()
	var before time.Time
	days := 0
	for line := range strings.Lines(read(t, site(t, ""), "/docs/changelog.md")) {
		heading, ok := strings.CutPrefix(strings.TrimSpace(line), "## ")
		if !ok {
			continue
		}
		day, err := time.Parse("2 January 2006", heading)
		require.NoError(t, err)
		require.True(t, days == 0 || day.Before(before), "%s comes after an older day", heading)
		before, days = day, days+1
	}
	require.Positive(t, days)
}

func TestUnknownPathsReturnANotFoundPage(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	for _, path := range []string{"/docs/nothing", "/docs/nothing.md", "/docs/../secret", "/docs/assets/none.js", "/docs/adr"} {
		require.Contains(t, []int{http.StatusNotFound, http.StatusTemporaryRedirect}, get(t, h, path).StatusCode, path)
	}
	moved := get(t, h, "/docs/quickstart/")
	require.Equal(t, http.StatusMovedPermanently, moved.StatusCode)
	require.Equal(t, "/docs/quickstart", moved.Header.Get("Location"))
	away := get(t, h, "/docs//evil.example/")
	require.NotContains(t, away.Header.Get("Location"), "//evil")
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	t.Parallel()
	h := site(t, "")
	first := get(t, h, "/docs/credits")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/docs/credits", nil)
	r.Header.Set("If-None-Match", first.Header.Get("ETag"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusNotModified, w.Code)
	require.Empty(t, w.Body.String())
}

func TestInvalidOpenAPIDocumentsAreErrors(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`{`, `{}`, `{"servers":[{"url":"/api/v1"}],"paths":{"/x":{"get":{}}}}`} {
		_, err := docsite.New(docsite.Deps{OpenAPI: func() []byte { return []byte(document) }, Status: httpx.Status})
		require.Error(t, err, document)
	}
}
