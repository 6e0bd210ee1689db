package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// rowsIn returns the ids of the companies in the table of a page.
func rowsIn(page string) (ids []string) {
	for _, m := range regexp.MustCompile(`name="company" value="([0-9a-f-]{36})"`).FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// tabsIn returns the counts of the tabs by name.
func tabsIn(page string) map[string]string {
	tabs := map[string]string{}
	for _, m := range regexp.MustCompile(`<a id="tab-(\w+)"[^>]*>\w+ <span[^>]*>([^<]*)<`).FindAllStringSubmatch(page, -1) {
		tabs[m[1]] = m[2]
	}
	return tabs
}

// buy exports the first companies of a search.
func (h *fixture) buy(t *testing.T, n int) {
	t.Helper()
	_, _, err := h.Exports.Create(t.Context(), auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite}, export.Request{
		Name: "some", Source: export.SourceSearch, Filters: json.RawMessage(`{}`), Terms: export.Terms{Limit: n}, Format: format.CSV,
		Sort: query.Sort{By: query.ByEmployeeCount, Desc: true},
	})
	require.NoError(t, err)
}

func TestTabsSplitTheMatchesByOwner(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	h.buy(t, 30)
	ann := h.as(t, h.ann)
	counts := map[string]string{"all": "100", "new": "70", "owned": "30"}
	for show, want := range map[string]struct {
		figures []string
		owned   bool
	}{
		"":      {[]string{"100", "30", "70", "70", "900"}, false},
		"new":   {[]string{"100", "30", "70", "70", "900"}, false},
		"owned": {[]string{"100", "30", "70", "0", "970"}, true},
	} {
		t.Run("show="+show, func(t *testing.T) {
			page := ann.get(t, in(h.acme, strings.TrimSuffix("/search?show="+show, "?show="))).body
			require.Equal(t, counts, tabsIn(page))
			require.Equal(t, want.figures, figuresIn(t, page))
			yours := strings.Count(page, `class="badge good">yours<`)
			switch show {
			case "new":
				require.Zero(t, yours)
			case "owned":
				require.Equal(t, pageSize, yours)
			}
			require.Len(t, rowsIn(page), pageSize)
		})
	}
	seen := map[string]bool{}
	for path := in(h.acme, "/search?show=owned"); path != ""; {
		page := ann.get(t, path).body
		for _, c := range rowsIn(page) {
			require.False(t, seen[c])
			seen[c] = true
		}
		path = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page); m != nil {
			path = in(h.acme, "/search") + strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	require.Len(t, seen, 30)

	form := ann.get(t, in(h.acme, "/exports/new?show=owned")).body
	require.Equal(t, []string{"30", "30", "0", "0", "970"}, figuresIn(t, form))
	form = ann.get(t, in(h.acme, "/exports/new?show=new")).body
	require.Equal(t, []string{"70", "0", "70", "70", "900"}, figuresIn(t, form))
	require.Contains(t, form, `name="only_new" value="1" checked`)
}

func TestSelectedRowsAreListedExportedAndExcluded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 60)...)
	ann := h.as(t, h.ann)
	rows := rowsIn(ann.get(t, in(h.acme, "/search?sort_by=name")).body)
	do := func(search string, form ...string) string {
		a := ann.post(t, in(h.acme, "/search/picked"+search), form...)
		require.Equal(t, http.StatusSeeOther, a.status, a.body)
		return strings.TrimPrefix(a.location(), basePath)
	}

	back := do("?sort_by=name", "company", rows[0], "company", rows[2], "do", "list", "name", "Two")
	require.Equal(t, in(h.acme, "/search?sort_by=name"), back)
	require.Contains(t, ann.get(t, back).body, "Added 2 companies to &#34;Two&#34;, which has 2 now.")

	form := ann.get(t, do("?sort_by=name", "company", rows[1], "do", "export")).body
	require.Contains(t, form, "Selection of 1 company")
	require.Equal(t, "1", figuresIn(t, form)[0])
	require.Equal(t, in(h.acme, "/exports/new?countries=US"), do("?countries=US", "all", "1", "do", "export"), "a search is exported as one")

	back = do("?sort_by=name", "company", rows[0], "do", "exclude")
	page := ann.get(t, back).body
	require.Equal(t, "59", figuresIn(t, page)[0])
	require.NotContains(t, rowsIn(page), rows[0])
	require.Contains(t, page, "<b>Not on list</b> <bdi>Excluded</bdi>")
	at, err := url.Parse(back)
	require.NoError(t, err)
	again, err := url.Parse(do("?"+at.RawQuery, "company", rows[1], "do", "exclude"))
	require.NoError(t, err)
	require.Equal(t, at.RawQuery, again.RawQuery, "the same list keeps both")
	require.Equal(t, "58", figuresIn(t, ann.get(t, back).body)[0])
	require.Equal(t, "58", figuresIn(t, ann.get(t, in(h.acme, "/exports/new?"+at.RawQuery)).body)[0], "what is excluded is not exported")
	require.Equal(t, "58", figuresIn(t, ann.follow(t, ann.get(t, in(h.acme, "/search?query=&"+at.RawQuery))).body)[0])

	do("?sort_by=name", "do", "list", "name", "None")
	require.Contains(t, ann.get(t, in(h.acme, "/search")).body, "Nothing is selected.")
	do("", "company", rows[0], "do", "list")
	require.Contains(t, ann.get(t, in(h.acme, "/search")).body, "Choose a list, or type the name of a new one.")
	foreign, err := h.Lists.Create(t.Context(), h.elsewhere, "Foreign")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound,
		ann.post(t, in(h.acme, "/search/picked"), "company", rows[0], "do", "list", "list_id", foreign.ID.String()).status)
	require.Contains(t, ann.get(t, in(h.acme, "/search?not_on="+foreign.ID.String())).body, "was deleted", "as if it did not exist")

	do("?show=new", "all", "1", "do", "list", "name", "New ones")
	lists, err := h.Lists.List(t.Context(), h.acme, id.List{}, 1)
	require.NoError(t, err)
	require.Equal(t, "New ones", lists[0].Name)
	require.Equal(t, 60, lists[0].Len, "all matches of the tab")
}

func TestHeadersSortTheTable(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 40)...)
	ann := h.as(t, h.ann)
	path := in(h.acme, "/search")
	for _, want := range []struct{ id, state, query string }{
		{"by-name", "ascending", "sort_by=name&sort_order=asc"},
		{"by-name", "descending", "sort_by=name&sort_order=desc"},
		{"by-founded_year", "descending", "sort_by=founded_year&sort_order=desc"},
		{"by-founded_year", "ascending", "sort_by=founded_year&sort_order=asc"},
	} {
		m := regexp.MustCompile(`<a id="` + want.id + `" href="([^"]+)"`).FindStringSubmatch(ann.get(t, path).body)
		require.NotNil(t, m)
		path = in(h.acme, "/search") + strings.ReplaceAll(m[1], "&amp;", "&")
		require.True(t, strings.HasSuffix(path, "?"+want.query), path)
		page := ann.get(t, path).body
		require.Regexp(t, `aria-sort="`+want.state+`"[^>]*><a id="`+want.id, page)
		require.Equal(t, 1, strings.Count(page, "aria-sort="))
	}
	require.Regexp(t, `aria-sort="descending"[^>]*><a id="by-employee_count"`, ann.get(t, in(h.acme, "/search")).body, "the default")
}

func TestColumnsAreRememberedByPerson(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, &company.Company{ID: id.New[id.Company](), Name: "Nothing known"})
	ann := h.as(t, h.ann)
	heads := func(b *browser) (labels []string) {
		for _, m := range regexp.MustCompile(`<th[^>]*>(?:<a[^>]*>)?([^<]+)`).FindAllStringSubmatch(b.get(t, in(h.acme, "/search")).body, -1) {
			labels = append(labels, m[1])
		}
		return labels
	}
	usual := []string{"Company", "Industry", "Location", "Employees", "Founded", "Description", "Owned"}
	require.Equal(t, usual, heads(ann))
	require.Regexp(t, `<td class="num" data-label="Employees">\s*<bdi>–</bdi>`, ann.get(t, in(h.acme, "/search")).body, "an unknown value")
	a := ann.post(t, in(h.acme, "/search/columns?countries=US"), "column", "technologies", "column", "updated_at", "column", "nonsense")
	require.Equal(t, basePath+in(h.acme, "/search?countries=US"), a.location())
	require.Equal(t, []string{"Company", "Technologies", "Updated"}, heads(ann))
	require.Equal(t, usual, heads(h.as(t, h.bob)), "another person's choice")
	ann.post(t, in(h.acme, "/search/columns"), "reset", "1")
	require.Equal(t, usual, heads(ann))
}

func TestFacetValuesHavePricesAndUnknownOnes(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 12 {
		c := &company.Company{ID: id.New[id.Company](), Name: "C" + strconv.Itoa(i), Country: []string{"Germany", "France", ""}[i%3]}
		if i%3 > 0 {
			c.EmployeeCount = new(int64(1000 - i))
		}
		h.put(t, c)
	}
	h.buy(t, 2) // the two with the most employees: one in France, one without a country
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search")).body
	_, bars, _ := strings.Cut(page, `id="facet-countries"`)
	bars, _, _ = strings.Cut(bars, "</div>")
	require.Regexp(t, `<bdi>Germany</bdi> ?<b>4 ?</b>`, bars)
	require.Regexp(t, `<bdi>France</bdi> ?<b>4 <small>3 new</small></b>`, bars)
	require.Regexp(t, `href="\?missing=country"[^>]*><bdi>unknown</bdi> ?<b>4 <small>3 new</small></b>`, bars)
	_, bands, _ := strings.Cut(page, `id="band-employee_count"`)
	bands, _, _ = strings.Cut(bands, "</div>")
	require.Regexp(t, `<bdi>501 – 1,000</bdi> ?<b>8 <small>6 new</small></b>`, bands)
	require.Regexp(t, `href="\?missing=employee_count"[^>]*><bdi>unknown</bdi> ?<b>4 ?</b>`, bands)

	page = ann.get(t, in(h.acme, "/search?missing=employee_count")).body
	require.Equal(t, "4", figuresIn(t, page)[0])
	_, bands, _ = strings.Cut(page, `id="band-employee_count"`)
	bands, _, _ = strings.Cut(bands, "</div>")
	require.Regexp(t, `href="\?employee_count_max=1000&amp;employee_count_min=501"`, bands, "a band in place of the unknown ones")
	require.Regexp(t, `href="\?" data-live aria-current="true"[^>]*><bdi>unknown`, bands, "and back")
	require.Contains(t, page, `id="facet-states" data-region data-empty`, "a facet without values is folded")
}

func TestEveryValueOfAFacetCanBeFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := make([]*company.Company, 130)
	for i := range made {
		made[i] = &company.Company{ID: id.New[id.Company](), Name: "C", City: "City " + strconv.Itoa(i)}
	}
	h.put(t, made...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search?query=c")).body
	require.Contains(t, page, `href="`+basePath+in(h.acme, `/search/values/cities?query=c"`))
	seen := map[string]bool{}
	for from := "0"; ; {
		page := ann.get(t, in(h.acme, "/search/values/cities?query=c&from="+from)).body
		for _, m := range regexp.MustCompile(`name="cities" value="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			require.False(t, seen[m[1]])
			seen[m[1]] = true
		}
		m := regexp.MustCompile(`name="from" value="(\d+)"`).FindStringSubmatch(page)
		if m == nil {
			break
		}
		from = m[1]
	}
	require.Len(t, seen, 130)
	page = ann.get(t, in(h.acme, "/search/values/cities?query=c&begins=city+12&cities=City+3")).body
	require.Contains(t, page, `name="cities" value="City 3" checked`, "what is ticked stays")
	require.Equal(t, 12, strings.Count(page, `name="cities"`), "City 12, City 120 to City 129, and the ticked one")
	require.Contains(t, page, `<input type="hidden" name="query" value="c">`)
	require.Contains(t, page, `<button name="exclude" value="cities:City 12"`)
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/search/values/employee_count")).status)
	require.Equal(t, basePath+in(h.acme, "/search?naics_codes=x"), ann.get(t, in(h.acme, "/search/values/cities?naics_codes=x")).location())
}

// An address that always led to itself would end in a page of the browser's.
func TestAnExclusionThatCannotBeReadIsAnErrorOnThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 5)...)
	ann := h.as(t, h.ann)
	require.Equal(t, basePath+in(h.acme, "/search?exclude_countries=Germany"), ann.get(t, in(h.acme, "/search?exclude=countries%3AGermany")).location())
	for _, pressed := range []string{"nope", "countries:", "employee_count_min:5", "countries:Germany&exclude=nope"} {
		page := ann.get(t, in(h.acme, "/search?exclude="+pressed))
		require.Equal(t, http.StatusOK, page.status, pressed)
		require.Contains(t, page.body, "must be a filter and a value, such as countries:Germany")
	}
}

func TestSavedAndRecentSearchesAreOnThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	ann := h.as(t, h.ann)
	menu := func(b *browser, search string) string {
		_, menu, found := strings.Cut(b.get(t, in(h.acme, "/search"+search)).body, `id="menu-searches"`)
		require.True(t, found)
		menu, _, _ = strings.Cut(menu, "</details>")
		return menu
	}
	require.NotContains(t, menu(ann, ""), "Recent")
	menu(ann, "?countries=Germany&employee_count_min=10")
	menu(ann, "?query=bank&sort_by=name")
	recent := menu(ann, "")
	require.Less(t, strings.Index(recent, `href="?query=bank"`), strings.Index(recent, `href="?countries=Germany&amp;employee_count_min=10"`), "newest first")
	require.Contains(t, recent, "<bdi>Germany, Employees from 10</bdi>")
	ann.headers.Set(fragmentHeader, "typing")
	ann.get(t, in(h.acme, "/search?query=ban"))
	ann.headers.Del(fragmentHeader)
	require.NotContains(t, menu(ann, ""), `href="?query=ban"`, "half a word is no search")
	require.NotContains(t, menu(h.as(t, h.bob), ""), "Recent", "they are a person's own")

	back := strings.TrimPrefix(ann.post(t, in(h.acme, "/searches?query=bank&show=new"), "name", "Banks").location(), basePath)
	saved := regexp.MustCompile(`saved=([0-9a-f-]{36})`).FindStringSubmatch(back)[1]
	opened := menu(ann, strings.TrimPrefix(back, in(h.acme, "/search")))
	require.Contains(t, opened, `value="Banks"`)
	require.NotContains(t, opened, "Update to these filters", "nothing has changed")
	require.Contains(t, menu(ann, "?query=banks&saved="+saved), "Update to these filters")
	require.Contains(t, menu(h.as(t, h.bob), ""), `href="?query=bank&amp;saved=`+saved+`&amp;show=new"`, "a workspace shares them")

	path := in(h.acme, "/searches/"+saved)
	ann.post(t, path+"?query=x&saved="+saved, "do", "rename", "name", "Lenders")
	require.Contains(t, menu(ann, ""), `href="?query=bank&amp;saved=`+saved+`&amp;show=new" data-live><bdi>Lenders</bdi>`)
	for _, wrong := range []string{"?employee_count_min=abc", "?in=garbage", "?show=zzz", "?in=saved_search_id:" + saved} {
		before := ann.get(t, in(h.acme, "/search?saved="+saved)).body
		refused := ann.post(t, path+wrong, "do", "update", "name", "Lenders")
		require.Equal(t, http.StatusSeeOther, refused.status, wrong)
		require.NotContains(t, ann.get(t, in(h.acme, "/searches")).body, "Updated", wrong)
		require.Equal(t, before, ann.get(t, in(h.acme, "/search?saved="+saved)).body, wrong)
	}
	ann.post(t, path+"?query=loans&saved="+saved, "do", "update", "name", "Lenders")
	require.Contains(t, menu(ann, ""), `href="?query=loans&amp;saved=`+saved+`"`)
	ann.post(t, path+"?query=loans&saved="+saved, "do", "rename", "name", " ")
	require.Contains(t, ann.get(t, in(h.acme, "/search")).body, "The search was not changed: ")
	require.Equal(t, basePath+in(h.acme, "/search?query=loans"), ann.post(t, path+"?query=loans&saved="+saved, "do", "delete", "name", "x").location())
	page := ann.get(t, in(h.acme, "/search")).body
	require.NotContains(t, page, "<bdi>Lenders</bdi>")
	require.Contains(t, ann.undoes(t, page).body, `value="Lenders"`, "it is saved again, and open")
	require.NotContains(t, menu(ann, "?query=loans&saved="+saved), "Update", "a deleted one is forgotten")
}

func TestAHalfTypedWordIsCountedAndPricedAsTheBeginningOfOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, name := range []string{"Salesforce", "Salesforce Ventures", "Sales Gurus", "Other"} {
		h.put(t, &company.Company{ID: id.New[id.Company](), Name: name})
	}
	ann := h.as(t, h.ann)
	search := in(h.acme, "/search?query=salesf")
	require.Equal(t, "0", figuresIn(t, ann.get(t, search).body)[0], "a whole word")
	ann.headers.Set(fragmentHeader, "typing")
	a := ann.get(t, search)
	require.Equal(t, []string{"2", "0", "2", "2", "998"}, figuresIn(t, a.body))
	require.Equal(t, "2", a.header.Get(matchesHeader))
	require.Equal(t, basePath+search, a.header.Get(addressHeader), "the address has the word")
	export := regexp.MustCompile(`class="button primary" href="([^"]+)"`).FindStringSubmatch(a.body)[1]
	ann.headers.Del(fragmentHeader)
	page := ann.get(t, strings.TrimPrefix(strings.ReplaceAll(export, "&amp;", "&"), basePath)).body
	require.Equal(t, "2", figuresIn(t, page)[0], "what is shown is what is exported")
	require.Contains(t, ann.get(t, search+"&prefix=true").body, `<input type="hidden" name="prefix" value="true">`, "filters keep it")
}

func TestACompanyOpensBesideTheList(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 30)...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search?sort_by=name")).body
	rows := rowsIn(page)
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page)[1]
	preview := func(search string) string {
		a := ann.get(t, in(h.acme, "/search"+strings.ReplaceAll(search, "&amp;", "&")))
		require.Equal(t, http.StatusOK, a.status)
		_, side, found := strings.Cut(a.body, `<aside id="company"`)
		require.True(t, found)
		side, _, _ = strings.Cut(side, "</aside>")
		return side
	}
	link := func(side, id string) string {
		m := regexp.MustCompile(`id="` + id + `" href="([^"]+)"`).FindStringSubmatch(side)
		if m == nil {
			return ""
		}
		return m[1]
	}
	require.Contains(t, page, `href="companies/`+rows[0]+`"`, "a link to the company's own page")
	side := preview("?sort_by=name&company=" + rows[0])
	require.Empty(t, link(side, "company-previous"))
	require.Equal(t, "?company="+rows[1]+"&amp;sort_by=name", link(side, "company-next"))
	require.Equal(t, "?sort_by=name", link(side, "company-close"))
	require.Contains(t, side, basePath+in(h.acme, "/companies/"+rows[0]))
	side = preview("?sort_by=name&company=" + rows[24])
	require.Equal(t, "?company="+rows[23]+"&amp;sort_by=name", link(side, "company-previous"))
	over := link(side, "company-next")
	require.Equal(t, strings.Replace(next, "?", "?company=first&amp;", 1), over, "on to the next page")
	second := rowsIn(ann.get(t, in(h.acme, "/search"+strings.ReplaceAll(next, "&amp;", "&"))).body)
	require.Contains(t, preview(over), in(h.acme, "/companies/"+second[0]))
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/search?company="+id.New[id.Company]().String())).status)
	require.NotContains(t, preview("?company=nonsense"), "<h2")
}

// A form without script sends every field that nobody filled in. The addresses of pages do not have them.
func TestAddressesOfPagesHaveNoEmptyParameters(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 3)
	ann := h.as(t, h.ann)
	for _, path := range []string{"/search", "/search/sets", "/search/values/industries", "/pivot", "/compare"} {
		a := ann.get(t, in(h.acme, path+"?query=&industries=&industries=a+%26+b&countries=&has=domain&employee_count_min="))
		require.Equal(t, http.StatusSeeOther, a.status, path)
		require.Equal(t, basePath+in(h.acme, path+"?has=domain&industries=a+%26+b"), a.location())
		page := ann.follow(t, a)
		require.Equal(t, http.StatusOK, page.status, path)
		require.NotRegexp(t, `href="[^"]*[?;][a-z_]+=(&amp;[^"]*)?"`, page.body, path)
		require.Equal(t, basePath+in(h.acme, path), ann.get(t, in(h.acme, path+"?query=&countries=")).location(), path)
	}
}
