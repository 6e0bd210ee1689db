package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

func TestSetsAreChosenByNameForASearch(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 400)...)
	h.buy(t, 30)
	ann := h.as(t, h.ann)
	list := "list_id:" + ann.listOfAll(t, "?employee_count_min=5", "Large <b>ones</b>").String()
	large := ann.matches(t, "/search?employee_count_min=5")
	ann.post(t, in(h.acme, "/searches?employee_count_min=5"), "name", "Large search")
	saved, err := h.Lists.Searches(t.Context(), h.acme)
	require.NoError(t, err)
	search := "saved_search_id:" + saved[0].ID.String()

	page := ann.get(t, in(h.acme, "/search/sets?query=a&not_in="+search)).body
	for _, name := range []string{"Large &lt;b&gt;ones&lt;/b&gt;", "Large search", "some", "Companies that you own"} {
		require.Contains(t, page, name)
	}
	require.Contains(t, page, `name="not_in" value="`+search+`" checked`)
	require.Contains(t, page, `<input type="hidden" name="query" value="a">`)
	found := ann.get(t, in(h.acme, "/search/sets?contains=SEARCH&in="+url.QueryEscape(list))).body
	require.Contains(t, found, "Large search")
	require.Contains(t, found, "Chosen")
	require.Contains(t, found, `name="in" value="`+list+`" checked`, "what is chosen is always shown, so that it can be taken out")
	require.Equal(t, 2, strings.Count(found, `value="`+list+`"`), "once for each column")
	gone := ann.get(t, in(h.acme, "/search/sets?in=list_id:01890000-0000-7000-8000-000000000000")).body
	require.Contains(t, gone, `name="in" value="list_id:01890000-0000-7000-8000-000000000000" checked`)
	require.Contains(t, ann.get(t, in(h.acme, "/search/sets?contains=zzz")).body, "No list, search or export has")

	at := "/search?in=" + url.QueryEscape(list) + "&not_in=owned"
	page = ann.get(t, in(h.acme, at)).body
	require.Contains(t, page, "<b>In</b> <bdi>Large &lt;b&gt;ones&lt;/b&gt;</bdi>")
	require.Contains(t, page, "<b>Not in</b> <bdi>owned</bdi>")
	require.Contains(t, page, `<input type="hidden" name="in" value="`+list+`">`, "the form keeps it")
	require.Equal(t, large, ann.matches(t, "/search?in="+url.QueryEscape(list)))
	require.Equal(t, large, ann.matches(t, "/search?in="+url.QueryEscape(search)))
	require.Equal(t, ann.matches(t, "/search?show=new&employee_count_min=5"), ann.matches(t, at))

	// Saved, opened again, on a list and exported.
	ann.post(t, in(h.acme, strings.Replace(at, "/search?", "/searches?", 1)), "name", "Not owned")
	saved, err = h.Lists.Searches(t.Context(), h.acme)
	require.NoError(t, err)
	require.Len(t, saved[0].Filters.In, 1)
	require.Equal(t, ann.matches(t, at), ann.matches(t, "/search?in=saved_search_id:"+saved[0].ID.String()))
	form := ann.get(t, in(h.acme, "/exports/new"+strings.TrimPrefix(at, "/search"))).body
	require.Contains(t, form, "Large &lt;b&gt;ones&lt;/b&gt;")
	require.Equal(t, ann.matches(t, at), figuresIn(t, form)[0])
	quote := ann.follow(t, ann.post(t, in(h.acme, "/quotes"), "in", list, "not_in", "owned", "name", "x")).body
	require.Contains(t, quote, "Large &lt;b&gt;ones&lt;/b&gt;")

	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, next)
	require.Contains(t, next[1], "in=list_id")
}

func TestADeletedSetIsAnErrorThatCanBeRemoved(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 20)...)
	ann := h.as(t, h.ann)
	list := ann.listOfAll(t, "", "Gone").String()
	ann.post(t, in(h.acme, "/searches?in=list_id:"+list), "name", "Of the list")
	saved, err := h.Lists.Searches(t.Context(), h.acme)
	require.NoError(t, err)
	ann.post(t, in(h.acme, "/lists/"+list+"/delete"))
	for _, set := range []string{"list_id:" + list, "saved_search_id:" + saved[0].ID.String(), "export_id:" + id.New[id.Export]().String()} {
		for _, path := range []string{"/search?in=", "/search?not_in=", "/pivot?not_in=", "/compare?set=owned&set="} {
			a := ann.get(t, in(h.acme, path+set))
			require.Equal(t, http.StatusOK, a.status, path)
			require.Contains(t, a.body, `role="alert"`, path+set)
		}
	}
	require.Contains(t, ann.get(t, in(h.acme, "/search?in=list_id:"+list)).body, "a list was deleted; remove this filter")

	eve := h.as(t, h.eve)
	other := ann.listOfAll(t, "", "Ann's").String()
	require.NotContains(t, eve.get(t, in(h.elsewhere, "/search?in=list_id:"+other)).body, "Ann&#39;s")
	require.NotContains(t, eve.get(t, in(h.elsewhere, "/search/sets")).body, "Ann&#39;s")
}

func TestEveryRegionOfComparedSetsLeadsToItsSearchAndItsExport(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 200)...)
	h.buy(t, 60)
	ann := h.as(t, h.ann)
	list := "list_id:" + ann.listOfAll(t, "?employee_count_max=2000", "Small").String()
	region := regexp.MustCompile(`(?s)<tr><td>([^<]+)</td><td class="num" data-label="Count">(\d+)</td><td [^>]*>(\d+)</td><td [^>]*>(\d+)</td>(.*?)</tr>`)
	link := regexp.MustCompile(`<a class="button" href="([^"]+)">`)
	for _, sets := range []url.Values{
		{"set": {list, "owned"}},
		{"set": {list, "owned", `{"search":{"founded_year_min":1990}}`}},
		{"set": {"owned", "owned"}},
	} {
		page := ann.get(t, in(h.acme, "/compare?"+sets.Encode())).body
		regions := region.FindAllStringSubmatch(page, -1)
		require.Len(t, regions, 1<<len(sets["set"])-1)
		for _, r := range regions {
			links := link.FindAllStringSubmatch(r[5], -1)
			if r[2] == "0" {
				require.Empty(t, links)
				continue
			}
			require.Len(t, links, 2)
			search, export := "/"+html.UnescapeString(links[0][1]), "/"+html.UnescapeString(links[1][1])
			require.Equal(t, r[2], ann.matches(t, search), r[1])
			figures := figuresIn(t, ann.get(t, in(h.acme, export)).body)
			require.Equal(t, []string{r[2], r[3], r[4]}, figures[:3], r[1])
			require.Contains(t, page, `<a href="`+links[0][1]+`" aria-label="Companies `+r[1]+": ", "the picture has the same link")
		}
	}
	page := ann.get(t, in(h.acme, "/compare?founded_year_min=1990&show=new&set=owned")).body
	require.Contains(t, page, "Founded from 1990, not owned", "the search that it came from is the first set")
	require.Contains(t, page, "in A and B</td><td class=\"num\" data-label=\"Count\">0<")
	require.Contains(t, ann.get(t, in(h.acme, "/compare?set=owned")).body, "Choose a second set")
	require.Contains(t, ann.get(t, in(h.acme, "/compare?set=owned&set=colour")).body, "no list, saved search or export is called “colour”")
}

func TestComparingNeverWidensASearchThatItCannotRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	ann := h.as(t, h.ann)
	list := "list_id:" + ann.listOfAll(t, "?employee_count_max=2000", "Small").String()
	for query, problem := range map[string]string{
		"countries=US&employee_count_min=abc&set=owned":              "Employees",
		"countris=US&set=owned":                                      "countris",
		"countries=US&show=zzz&set=owned":                            "zzz",
		"countries=US&set=owned&set=" + list + "&set=" + list:        "at most 3",
		"set=owned&set=" + list + "&set=owned&set=" + list:           "at most 3",
		"added_since=01890000-0000-7000-8000-000000000000&set=owned": "no such export",
	} {
		page := ann.get(t, in(h.acme, "/compare?"+query))
		require.Equal(t, http.StatusOK, page.status, query)
		require.Contains(t, page.body, problem, query)
		require.NotContains(t, page.body, "Regions of the sets", query)
	}
}

// Every set can be compared by its name, also those that the fields do not suggest and those of one name.
func TestEverySetIsComparedByItsName(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 20)...)
	ann := h.as(t, h.ann)
	oldest := "list_id:" + ann.listOfAll(t, "", "The <oldest> list").String()
	twins := []string{"list_id:" + ann.listOfAll(t, "", "Twin").String(), "list_id:" + ann.listOfAll(t, "", "Twin").String()}
	long := strings.Repeat("y", 150)
	for i := range 400 {
		_, err := h.Lists.Create(t.Context(), h.acme, long+strconv.Itoa(i))
		require.NoError(t, err)
	}
	h.buy(t, 5)
	compare := func(sets ...string) answer {
		return ann.get(t, in(h.acme, "/compare?"+url.Values{"set": sets}.Encode()))
	}
	page := compare("owned").body
	require.Less(t, len(page), 50_000, "with its sheets and scripts it stays below the limit of a page")
	require.Contains(t, page, "Only the newest are suggested")
	suggested := regexp.MustCompile(`<option value="([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(suggested), 100)
	seen := map[string]bool{}
	for _, s := range suggested {
		require.False(t, seen[s[1]], "two suggestions %s", s[1])
		seen[s[1]] = true
	}
	for _, typed := range []string{"OLDEST", "the <oldest> list"} {
		a := compare("owned", typed)
		require.Equal(t, http.StatusSeeOther, a.status, a.body)
		require.Contains(t, a.location(), url.Values{"set": {"owned", oldest}}.Encode())
		found := ann.follow(t, a).body
		require.Contains(t, found, "in A and B</td>")
		label := html.UnescapeString(regexp.MustCompile(`id="set-B"[^>]* value="([^"]+)"`).FindStringSubmatch(found)[1])
		require.Regexp(t, `^The <oldest> list \(list, 20 companies, \d{4}-\d\d-\d\d\)$`, label)
		require.Equal(t, a.location(), compare("owned", label).location(), "the form sends back what the field has")
	}
	page = compare("twin", "owned").body
	require.Contains(t, page, "2 sets are called “twin”; choose one below")
	for _, twin := range twins {
		label := regexp.MustCompile(`href="compare\?` + regexp.QuoteMeta(html.EscapeString(url.Values{"set": {twin, "owned"}}.Encode())) + `"><bdi>([^<]+)</bdi>`).FindStringSubmatch(page)
		require.NotNil(t, label)
		require.Contains(t, compare(label[1], "owned").location(), url.QueryEscape(twin))
	}
	require.Contains(t, compare("owned", long).body, "and 380 more")

	ann.post(t, in(h.acme, "/lists/"+strings.TrimPrefix(oldest, "list_id:")+"/delete"))
	page = compare("owned", oldest).body
	require.Contains(t, page, "<strong>Set B:</strong> <bdi>a list was deleted; choose another set</bdi>")
	require.Contains(t, page, "deleted list")
	require.Contains(t, page, `href="compare?set=owned"`, "it can be taken out")
	require.Contains(t, ann.get(t, in(h.acme, "/search/sets?in="+oldest)).body, "deleted list")
	require.Contains(t, ann.get(t, in(h.acme, "/search/sets?contains=twin")).body, "list, 20 companies, ")

	eve := h.as(t, h.eve)
	require.Contains(t, eve.get(t, in(h.elsewhere, "/compare?set=owned&set=twin")).body, "no list, saved search or export is called “twin”")
}

// The messages of sets name saved searches as people do, and show no ids.
func TestMessagesOfSetsArePlain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 20)...)
	ann := h.as(t, h.ann)
	gone := ann.listOfAll(t, "", "Gone").String()
	saved := func(name, in string) string {
		ref, ok := view.ParseSetText(in)
		require.True(t, ok)
		_, err := h.Lists.SaveSearch(t.Context(), h.acme, list.Search{Name: name, Filters: query.Filters{In: []query.SetRef{ref}}})
		require.NoError(t, err)
		all, err := h.Lists.Searches(t.Context(), h.acme)
		require.NoError(t, err)
		return "saved_search_id:" + all[0].ID.String()
	}
	inner := saved("Inner", "list_id:"+gone)
	outer, other := saved("Outer", inner), saved("Other", inner)
	ann.post(t, in(h.acme, "/lists/"+gone+"/delete"))
	for _, path := range []string{"/search?in=" + outer, "/pivot?in=" + outer, "/compare?set=owned&set=" + outer, "/compare?set=" + other + "&set=" + outer} {
		page := ann.get(t, in(h.acme, path)).body
		alert := regexp.MustCompile(`(?s)role="alert">(.*?)</div>`).FindStringSubmatch(page)
		require.NotNil(t, alert, path)
		require.Contains(t, alert[1], "it contains the saved search “Inner”: A list was deleted. Change or delete that saved search.", path)
		require.NotRegexp(t, `[0-9a-f]{8}-`, alert[1], path)
		require.NotContains(t, alert[1], "saved_search_id", path)
	}
}

func TestARegionLargerThanAFileSaysWhatItsExportBuys(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 10_100)...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/compare?"+url.Values{"set": {`{"search":{}}`, "owned"}}.Encode())).body
	require.Contains(t, page, "Export the first 10,000")
}
