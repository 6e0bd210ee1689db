package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

func TestOperatorsChooseWhatAWorkspaceSees(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	page := "/operator/workspaces/" + h.acme.String() + "/wall"
	require.Contains(t, ann.get(t, "/operator").body, page)
	require.Contains(t, ann.get(t, page).body, "every field")
	visible := func() []string {
		ws, err := h.Workspaces.Get(t.Context(), h.acme)
		require.NoError(t, err)
		return ws.VisibleFields
	}
	ann.follow(t, ann.post(t, page, "show", "chosen", "field", "country", "field", "domain"))
	require.Equal(t, []string{"id", "name", "domain", "country", "created_at", "updated_at"}, visible())
	require.Contains(t, ann.get(t, in(h.acme, "/settings")).body, "locked until the workspace owns a company: Website, LinkedIn")
	ann.post(t, page, "show", "chosen")
	require.Equal(t, []string{"id", "name", "created_at", "updated_at"}, visible())
	for _, form := range []url.Values{{"show": {"chosen"}, "field": {"domian"}}, {"show": {"nonsense"}}} {
		refused := ann.send(t, http.MethodPost, page, form)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status)
		require.Contains(t, refused.body, `class="fault"`)
	}
	require.Len(t, visible(), 4, "what is refused changes nothing")
	ann.post(t, page, "show", "all")
	require.Equal(t, []string{"all"}, visible())
	ann.post(t, page, "show", "default")
	require.Empty(t, visible())
	require.Equal(t, http.StatusNotFound, bob.get(t, page).status)
	require.Equal(t, http.StatusNotFound, bob.post(t, page, "show", "all").status)
	require.Contains(t, ann.get(t, in(h.acme, "/audit")).body, "visible_fields")
}

func TestThePagesShowNoLockedValue(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := &company.Company{ID: id.New[id.Company](), Name: "Guarded Ltd", Attributes: map[string]any{"x": "zqsecret attribute"}}
	for i := range company.Fields {
		switch f := &company.Fields[i]; {
		case f.Name == "domain":
			c.Domain = "zqsecret-domain.test"
		case f.Name != "name" && f.Name != "country_code" && f.Text != nil:
			*f.Text(c) = "zqsecret " + f.Name
		case f.List != nil && f.Name != "naics_codes":
			*f.List(c) = []string{"zqsecret " + f.Name}
		case f.Int != nil:
			*f.Int(c) = new(int64(1733))
		}
	}
	other := &company.Company{ID: id.New[id.Company](), Name: "Other Ltd", Domain: "zqsecret-domain.test"}
	h.put(t, c, other)
	h.connect(t, c, other, "zqsecret category")
	ann := h.as(t, h.ann)
	list := ann.listOfAll(t, "", "All").String()
	match := ann.post(t, in(h.acme, "/lists/"+list+"/matches"), "domains", "zqsecret-domain.test").header.Get("Location")
	pages := []string{
		"/companies/" + c.ID.String(), "/companies/" + other.ID.String(), "/lists/" + list, "/search?company=" + c.ID.String(),
		"/search?query=guarded", "/exports/new", match[len(basePath)+len(in(h.acme, "")):],
	}
	var all strings.Builder
	for _, p := range pages {
		all.WriteString(ann.get(t, in(h.acme, p)).body)
	}
	seen := all.String()
	require.Contains(t, seen, "zqsecret category")
	require.Contains(t, seen, "1,733")
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.acme, []string{"id"}))
	for _, p := range pages {
		if p == pages[len(pages)-1] {
			continue // it repeats the domain that was typed
		}
		body := ann.get(t, in(h.acme, p)).body
		require.NotContains(t, body, "zqsecret", p)
		require.NotContains(t, body, "1,733", p)
	}
	require.NotContains(t, ann.get(t, "/palette?q=guarded").body, "zqsecret")
	require.NotContains(t, ann.get(t, pages[0]).body, "unknown", "a locked value is not called unknown")
}

func TestThePagesCountForTheDailyLimit(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := h.companies(t, 4)
	ann := h.as(t, h.ann)
	page := "/operator/workspaces/" + h.acme.String() + "/wall"
	refused := ann.post(t, page, "show", "default", "daily", "few")
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, "whole number")
	ann.follow(t, ann.post(t, page, "show", "default", "daily", "3"))
	require.Contains(t, ann.get(t, page).body, `value="3"`)
	for range 2 {
		for _, c := range made[:3] {
			require.Equal(t, http.StatusOK, ann.get(t, in(h.acme, "/companies/"+c.ID.String())).status)
		}
	}
	for _, path := range []string{in(h.acme, "/companies/"+made[3].ID.String()), in(h.acme, "/search")} {
		a := ann.get(t, path)
		require.Equal(t, http.StatusTooManyRequests, a.status, path)
		require.Contains(t, a.body, "The day ends at")
		require.NotContains(t, a.body, made[3].Name)
	}
	require.Equal(t, http.StatusOK, ann.get(t, in(h.acme, "/search?query=c1.example")).status, "it was shown before")
	ann.post(t, page, "show", "default", "daily", "")
	require.Equal(t, http.StatusOK, ann.get(t, in(h.acme, "/search")).status)
}
