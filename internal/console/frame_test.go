package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
)

// hasFrame fails unless the page has the navigation of Acme with its balance.
func (h *fixture) hasFrame(t *testing.T, name string, a answer) {
	t.Helper()
	for _, page := range []string{"/search", "/lists", "/exports", "/credits", "/tokens", "/members"} {
		require.Contains(t, a.body, `href="`+basePath+in(h.acme, page)+`"`, name)
	}
	require.Contains(t, a.body, "1,000 credits</a>", name)
	require.Contains(t, a.body, `href="/docs"`, name)
}

func TestErrorsKeepTheNavigationOfTheWorkspace(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	second := h.workspace(t, "A second one", h.ann.ID) // it comes first by its name
	ann.get(t, in(h.acme, "/lists"))
	for name, test := range map[string]struct {
		a      answer
		status int
	}{
		"a path that does not exist":   {ann.get(t, "/nowhere"), http.StatusNotFound},
		"a page that does not exist":   {ann.get(t, in(h.acme, "/nowhere")), http.StatusNotFound},
		"a list that does not exist":   {ann.get(t, in(h.acme, "/lists/"+id.New[id.List]().String())), http.StatusNotFound},
		"a workspace of somebody else": {ann.get(t, in(h.elsewhere, "/lists")), http.StatusNotFound},
		"a cursor that is not valid":   {ann.get(t, in(h.acme, "/exports?cursor=x")), http.StatusUnprocessableEntity},
		"a form with errors":           {ann.post(t, in(h.acme, "/tokens"), "name", ""), http.StatusUnprocessableEntity},
		"the account":                  {ann.get(t, "/account"), http.StatusOK},
		"the workspaces":               {ann.get(t, "/workspaces"), http.StatusOK},
		"the operator's page":          {ann.get(t, "/operator"), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.status, test.a.status, name)
			h.hasFrame(t, name, test.a)
		})
	}
	ann.get(t, in(second, "/lists"))
	require.Contains(t, ann.get(t, "/account").body, `href="`+basePath+in(second, "/search")+`"`, "the last workspace counts")
	require.NotContains(t, h.browser(t).get(t, "/sign-in").body, "/docs\"", "there is no frame without a session")
}

func TestAFormThatIsRefusedLeadsBackToItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	path := strings.TrimPrefix(ann.post(t, in(h.acme, "/lists"), "name", "Mine").location(), basePath)
	huge := url.Values{"domains": {strings.Repeat("a.example ", bodySizeBytesMax/10+1)}}
	require.Equal(t, http.StatusRequestEntityTooLarge, ann.send(t, http.MethodPost, path+"/matches", huge).status)
	ann.headers.Set("Referer", h.url+basePath+path)
	a := ann.send(t, http.MethodPost, path+"/matches", huge)
	require.Equal(t, basePath+path, a.location())
	page := ann.get(t, path).body
	require.Contains(t, page, "The limit is 4 MiB.")
	h.hasFrame(t, "the list", answer{body: page})

	for _, referer := range []string{"https://evil.example" + basePath + path, "https://evil.example/", "nonsense"} {
		ann.headers.Set("Referer", referer)
		require.Equal(t, http.StatusRequestEntityTooLarge, ann.send(t, http.MethodPost, path+"/matches", huge).status, referer)
	}
}

var (
	untyped = regexp.MustCompile(`(?s)<pre.*?</pre>|<textarea.*?</textarea>|<[^>]*>`)
	source  = regexp.MustCompile(`@[a-zA-Z.]+\(|\{ | \}|\{\{|%!`)
)

func TestNoPageShowsTheSourceOfItsTemplate(t *testing.T) {
	t.Parallel()
	h := open(t)
	ids := h.belongings(t)
	h.put(t, companytest.Slice(1, 40)...)
	forms := acceptedForms(t, h, ids)
	ids["quote_id"] = forms["/w/{workspace_id}/exports"].Get("quote_id")
	ids["company_id"] = companytest.Slice(1, 1)[0].ID.String()
	ann := h.as(t, h.ann)
	seen := 0
	check := func(name string, a answer) {
		t.Helper()
		if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			seen++
			require.Empty(t, source.FindString(untyped.ReplaceAllString(a.body, " ")), name)
		}
	}
	for _, rt := range routes() {
		switch {
		case rt.method == http.MethodGet && !strings.HasSuffix(rt.path, "/events"):
			check(rt.path, ann.get(t, fillPath(rt.path, ids)))
		case rt.method == http.MethodPost && !strings.HasPrefix(rt.path, "/sign-out"):
			check("a refusal of "+rt.path, ann.send(t, rt.method, fillPath(rt.path, ids), nil))
		}
	}
	// States that only a form leads to.
	for _, path := range []string{"/w/{workspace_id}/tokens", "/w/{workspace_id}/invitations", "/w/{workspace_id}/quotes"} {
		form := forms[path]
		a := ann.send(t, http.MethodPost, fillPath(path, ids), form)
		check("after "+path, ann.follow(t, a))
	}
	token := strings.TrimPrefix(ann.post(t, in(h.acme, "/tokens"), "name", "One", "scope", "read").location(), basePath)
	ann.post(t, token+"/rotate", "hours", "24")
	page := ann.get(t, token)
	require.Contains(t, page.body, "Old secret works until")
	check("a token with an old secret", page)
	require.Greater(t, seen, 30)
	require.NotEmpty(t, source.FindString("works until @when(*t.OldUntil)."), "the test would find it")
}
