package console

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

// secretOf is what a company has in each field that can be locked. No other text of a page contains it.
func secretOf(field string, n int) string {
	switch f := company.FieldNamed(field); {
	case f.Int != nil && field == "employee_count":
		return strconv.Itoa(1733 + n)
	case f.Int != nil:
		return strconv.Itoa(1833 + n)
	case field == "naics_codes":
		return fmt.Sprintf("5223%02d", 70+n)
	case field == "domain":
		return fmt.Sprintf("zqdomain%dx.test", n)
	case field == "country_code":
		return "DE"
	}
	return fmt.Sprintf("zq%s%dx", strings.ReplaceAll(field, "_", ""), n)
}

// guarded puts companies with a secret in every field into the catalog; each has the next one as its vendor.
func (h *fixture) guarded(t *testing.T) (all []*company.Company) {
	t.Helper()
	for n := range 3 {
		c := &company.Company{ID: id.New[id.Company](), Name: fmt.Sprintf("Guarded %d", n), Attributes: map[string]any{"x": secretOf("attributes", n)}}
		for i := range company.Fields {
			switch f := &company.Fields[i]; {
			case f.Name != "name" && f.Text != nil:
				*f.Text(c) = secretOf(f.Name, n)
			case f.List != nil:
				*f.List(c) = []string{secretOf(f.Name, n)}
			case f.Int != nil:
				v, err := strconv.ParseInt(secretOf(f.Name, n), 10, 64)
				require.NoError(t, err)
				*f.Int(c) = &v
			}
		}
		all = append(all, c)
	}
	h.put(t, all...)
	for n := range all {
		h.connect(t, all[n], all[(n+1)%len(all)], secretOf("connections", n))
	}
	return all
}

// doors are the addresses at which somebody looks for values of companies, by the page's route: all of them, if it is not listed.
func doors(h *fixture, t *testing.T, all []*company.Company) (ids map[string]string, extra map[string][]string) {
	t.Helper()
	caller := auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite}
	ann := h.as(t, h.ann)
	ids = h.belongings(t)
	l := ann.listOfAll(t, "", "All").String()
	ids["list_id"], ids["company_id"], ids["facet"] = l, all[0].ID.String(), "countries"
	e, _, err := h.Exports.Create(t.Context(), caller, export.Request{Name: "x", Source: export.SourceList, List: must(t, l)})
	require.NoError(t, err)
	_, err = h.Exports.Cancel(t.Context(), caller, e.ID)
	require.NoError(t, err)
	ids["export_id"] = e.ID.String()
	saved, err := h.Lists.SaveSearch(t.Context(), h.acme, list.Search{Name: "x", Filters: query.Filters{Query: "guarded"}})
	require.NoError(t, err)
	ids["search_id"] = saved.ID.String()
	ids["match_id"] = path.Base(ann.post(t, in(h.acme, "/match"), "rows", "Guarded 0\nGuarded 1\nGuarded 2").location())
	ids["quote_id"] = path.Base(strings.Split(ann.post(t, in(h.acme, "/quotes"), "name", "x", "query", "guarded").location(), "?")[0])
	const w = "/w/{workspace_id}"
	extra = map[string][]string{
		w + "/search": {
			"", "?query=guarded", "?company=" + all[0].ID.String(), "?query=zq", "?missing=domain", "?has=website&sort_by=name", "?sort_by=employee_count",
			"?in=list_id:" + l, "?saved=" + ids["search_id"], "?not_in=match_id:" + ids["match_id"],
		},
		w + "/search/values/{facet}":       {"?begins=zq", ""},
		w + "/exports/new":                 {"", "?query=guarded", "?list=" + l, "?match=" + ids["match_id"], "?again=" + ids["export_id"]},
		w + "/exports/{export_id}/receipt": {"", "?format=csv", "?format=json"},
		"/palette":                         {"?q=guarded", "?q=zq"},
	}
	extra[w+"/compare"] = []string{"?set=owned&set=list_id:" + l, "?set=owned&set=list_id:" + l + "&set=match_id:" + ids["match_id"]}
	for _, p := range query.Params {
		if p.Facet != "" {
			for _, page := range []string{w + "/pivot", w + "/pivot/csv"} {
				extra[page] = append(extra[page], "?rows="+p.Facet+"&columns=known", "?rows=founded_year&columns="+p.Facet)
			}
			extra[w+"/search/complete"] = append(extra[w+"/search/complete"], "?facet="+p.Name+"&begins=zq", "?facet="+p.Name+"&begins=1", "?facet="+p.Name+"&begins=D")
		}
	}
	return ids, extra
}

func must(t *testing.T, text string) id.List {
	t.Helper()
	l, err := id.Parse[id.List](text)
	require.NoError(t, err)
	return l
}

var noValues = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}T[0-9:.]+Z|(?s:<option.*?</option>)`)

// bare returns a page without what may look like a value.
func bare(page string) string { return noValues.ReplaceAllString(page, "") }

// shows reports whether a bare page contains the value of a company's field.
func shows(page, field string, n int) bool {
	secret := secretOf(field, n)
	switch field {
	case "country_code":
		return strings.Contains(page, ">DE<") || strings.Contains(page, `"DE"`)
	case "employee_count": // a page writes 1,733
		return strings.Contains(page, secret) || strings.Contains(page, secret[:1]+","+secret[1:])
	default:
		return strings.Contains(page, secret)
	}
}

// Every page and every form of a workspace is attacked for every field: with it locked alone, and with all. A new route takes part
// without being listed.
func TestNoPageShowsALockedField(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.guarded(t)
	ids, extra := doors(h, t, all)
	ann := h.as(t, h.ann)
	pages := func(t *testing.T) map[string]string {
		seen := map[string]string{}
		for _, rt := range routes() {
			if rt.method != http.MethodGet || rt.access != member && rt.access != owner && rt.path != "/palette" {
				continue
			}
			if strings.HasSuffix(rt.path, "/events") || strings.HasSuffix(rt.path, "/lists/{list_id}/matches/{match_id}") {
				continue // a stream of an export's progress; the domains that somebody has typed
			}
			more := extra[rt.path]
			if more == nil {
				more = []string{""}
			}
			for _, m := range more {
				at := fillPath(rt.path, ids) + m
				a := ann.get(t, at)
				require.Less(t, a.status, http.StatusInternalServerError, "%s: %s", at, a.body)
				if a.status == http.StatusSeeOther {
					a = ann.get(t, strings.TrimPrefix(a.location(), basePath))
				}
				seen[at] = a.body
			}
		}
		require.Greater(t, len(seen), 25)
		return seen
	}
	lockable := company.LockedBy([]string{"id"}).Names()
	var open strings.Builder
	for _, body := range pages(t) {
		open.WriteString(bare(body))
	}
	for _, field := range lockable {
		if field != "country_code" && field != "naics_codes" { // pages write the country's name, and the codes with their titles
			require.True(t, shows(open.String(), field, 0), "without a wall, no page shows %s: the attack would prove nothing", field)
		}
	}
	attack := func(t *testing.T, locked ...string) {
		for at, body := range pages(t) {
			body = bare(body)
			for _, field := range locked {
				for n := range all {
					require.False(t, shows(body, field, n), "%s shows %s of company %d", at, field, n)
				}
			}
		}
	}
	for _, field := range lockable {
		t.Run(field, func(t *testing.T) {
			var others []string
			for _, f := range lockable {
				if f != field {
					others = append(others, f)
				}
			}
			require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.acme, others))
			attack(t, field)
		})
	}
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.acme, []string{"id"}))
	attack(t, lockable...)
	for p, form := range acceptedForms(t, h, ids) { // what answers a form is no way around either
		if !strings.HasPrefix(p, "/w/") || strings.HasSuffix(p, "/delete") || strings.HasSuffix(p, "/leave") || strings.HasSuffix(p, "/remove") {
			continue
		}
		if form == nil {
			form = url.Values{}
		}
		a := ann.send(t, http.MethodPost, fillPath(p, ids), form)
		body := a.body
		if a.status == http.StatusSeeOther {
			body += ann.get(t, strings.TrimPrefix(a.location(), basePath)).body
		}
		body = bare(body)
		for _, field := range lockable {
			require.False(t, shows(body, field, 0), "%s shows %s", p, field)
		}
	}
}

func TestAFilterOfALockedFieldIsNotOfferedAndAnAddressWithItSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.guarded(t)
	saved, err := h.Lists.SaveSearch(t.Context(), h.acme, list.Search{Name: "x", Filters: query.Filters{Countries: []string{"Germany"}}})
	require.NoError(t, err)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search")).body
	for _, offered := range []string{`id="add-countries"`, `id="add-technologies"`, "connection_category", "Most employees", "Name or description", `id="by-employee_count"`} {
		require.Contains(t, page, offered)
	}
	require.NotContains(t, page, "so no filters")
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.acme, []string{"id"}))
	page = ann.get(t, in(h.acme, "/search")).body
	for _, gone := range []string{`id="add-countries"`, `id="add-technologies"`, "connection_category", "Most employees", "Name or description", `id="by-employee_count"`, "note warn"} {
		require.NotContains(t, page, gone)
	}
	require.Contains(t, page, "so no filters: Country, State or region, City, Industry")
	require.Contains(t, page, `id="add-naics_codes"`, "sectors and known values can be asked for")
	require.Contains(t, page, `id="add-has"`)
	require.Contains(t, page, `id="employee_count_min"`)
	require.Regexp(t, `<option value="" selected>\s*Name, A to Z`, page, "the order that the results have")

	page = ann.get(t, in(h.acme, "/search?countries=Germany&query=guarded")).body
	require.Contains(t, page, "<strong>Country:</strong>")
	require.Contains(t, page, "is locked: the workspace sees it only for companies that it owns")
	require.Contains(t, page, `<input type="hidden" name="countries" value="Germany"`, "it is not dropped in silence")
	require.NotContains(t, page, "Guarded 0")
	page = ann.get(t, in(h.acme, "/search?in=saved_search_id:"+saved.ID.String())).body
	require.Contains(t, page, "its filter countries is locked")
	values := ann.get(t, in(h.acme, "/search/values/countries"))
	require.Equal(t, http.StatusUnprocessableEntity, values.status)
	require.Contains(t, values.body, "is locked")
	require.Equal(t, "[]", ann.get(t, in(h.acme, "/search/complete?facet=countries&begins=zq")).body)
	require.Contains(t, ann.get(t, in(h.acme, "/exports/new?countries=Germany")).body, "is locked")
	require.Contains(t, ann.get(t, in(h.acme, "/search?sort_by=employee_count")).body, "sorted by name instead", "an order that was asked for")
}

func TestADailyLimitShowsWhatIsLeftOfIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := h.companies(t, 4)
	ann, bob := h.as(t, h.ann), h.as(t, h.bob)
	ids := h.belongings(t)
	token := in(h.acme, "/tokens/"+ids["token_id"])
	require.NotContains(t, ann.get(t, token).body, "Companies today")
	ann.follow(t, ann.post(t, token+"/daily", "daily", "1500"))
	require.Contains(t, ann.get(t, token).body, "0 of 1,500 shown, 1,500 left")
	require.Contains(t, ann.get(t, in(h.acme, "/tokens")).body, "0 of 1,500 shown")
	require.Contains(t, ann.follow(t, ann.post(t, token+"/daily", "daily", "none")).body, "must be a whole number from 1, or empty for no limit")
	require.Equal(t, http.StatusForbidden, bob.post(t, token+"/daily", "daily", "9").status)
	require.Contains(t, ann.get(t, token).body, "0 of 1,500 shown", "what is refused changes nothing")
	ann.post(t, token+"/daily", "daily", "")
	require.NotContains(t, ann.get(t, token).body, "Companies today")

	for _, page := range []string{"/credits", "/settings"} {
		require.NotContains(t, ann.get(t, in(h.acme, page)).body, "left until")
	}
	require.NoError(t, h.Workspaces.SetDailyCompanies(t.Context(), h.acme, 3))
	ann.get(t, in(h.acme, "/companies/"+made[3].ID.String()))
	for _, page := range []string{in(h.acme, "/credits"), in(h.acme, "/settings"), "/operator/workspaces/" + h.acme.String() + "/wall"} {
		require.Contains(t, ann.get(t, page).body, "1 of 3 shown, 2 left", page)
	}
	require.Contains(t, bob.get(t, in(h.acme, "/credits")).body, "1 of 3 shown, 2 left", "for members, too")
}
