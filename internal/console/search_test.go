package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// figuresIn returns the five numbers of the price on a page.
func figuresIn(t *testing.T, page string) []string {
	t.Helper()
	_, rest, found := strings.Cut(page, `<dl class="figures">`)
	require.True(t, found)
	list, _, _ := strings.Cut(rest, "</dl>")
	var numbers []string
	for _, m := range regexp.MustCompile(`<dd>([^<]*)`).FindAllStringSubmatch(list, -1) {
		numbers = append(numbers, strings.TrimSpace(m[1]))
	}
	return numbers
}

func TestSearchShowsThePriceOfItsMatches(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 400)...)
	ann := h.as(t, h.ann)
	require.Equal(t, []string{"400", "0", "400", "400", "600"}, figuresIn(t, ann.get(t, in(h.acme, "/search")).body))
	h.bought(t, auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite})
	a := ann.get(t, in(h.acme, "/search"))
	require.Equal(t, []string{"400", "1", "399", "399", "600"}, figuresIn(t, a.body))
	require.Contains(t, a.body, "400 matches, 1 already yours, cost 399 credits, 600 credits left.")

	ann.headers.Set("Accept-Language", "de-DE,de;q=0.9")
	h.put(t, companytest.Slice(2, 1200)...)
	a = ann.get(t, in(h.acme, "/search"))
	require.Equal(t, []string{"1.600", "1", "1.599", "1.599", "600"}, figuresIn(t, a.body))
	require.Contains(t, a.body, "Short by")
}

func TestPriceCoversAtMostOneFile(t *testing.T) {
	t.Parallel()
	h := open(t)
	for first := 0; first < export.RowsMax+500; first += 3500 {
		batch := make([]*company.Company, 3500)
		for i := range batch {
			n := int64(first + i + 1)
			batch[i] = &company.Company{ID: id.New[id.Company](), Name: fmt.Sprint("Company ", n), EmployeeCount: &n}
		}
		h.put(t, batch...)
	}
	h.grant(t, h.acme, credit.Grant{Amount: 20_000, Note: "x", Actor: credit.ActorSystem})
	_, _, err := h.Exports.Create(t.Context(), auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite}, export.Request{
		Name: "largest", Source: export.SourceSearch, Filters: json.RawMessage(`{}`), Terms: export.Terms{Limit: 1200}, Format: format.CSV,
		Sort: query.Sort{By: query.ByEmployeeCount, Desc: true},
	})
	require.NoError(t, err)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search")).body
	require.Equal(t, []string{"10,500", "1,200", "9,300", "8,800", "11,000"}, figuresIn(t, page), "matches = yours + new; the file costs less")
	require.Contains(t, page, "this one has the first 10,000 of 10,500, most employees first. 1,200 of them are already yours, the other 8,800 cost 8,800 credits.")
	require.Contains(t, page, "/exports/new?only_new=1", "the way to all of them")
	page = ann.get(t, in(h.acme, "/search?order=employee_count+asc")).body
	require.Equal(t, []string{"10,500", "1,200", "9,300", "9,300", "10,500"}, figuresIn(t, page))
	require.Contains(t, page, "fewest employees first. 700 of them are already yours")

	page = ann.get(t, in(h.acme, "/exports/new")).body
	require.Equal(t, []string{"10,000", "1,200", "8,800", "8,800", "11,000"}, figuresIn(t, page), "New export shows the file")
	require.Contains(t, page, "10,000 of 10,500 matches in the file, 1,200 already yours, cost 8,800 credits")
	require.Contains(t, page, "the first 10,000 of 10,500, most employees first")
}

func TestScriptsGetThePartsThatChange(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	ann := h.as(t, h.ann)
	whole := ann.get(t, in(h.acme, "/search?countries=Germany"))
	ann.headers.Set(fragmentHeader, "1")
	part := ann.get(t, in(h.acme, "/search?countries=Germany&countries=&industries="))
	require.NotContains(t, part.body, "<html")
	require.Equal(t, basePath+in(h.acme, "/search?countries=Germany"), part.header.Get(addressHeader))
	region := regexp.MustCompile(`id="([\w-]+)" data-region`)
	var names []string
	for _, m := range region.FindAllStringSubmatch(part.body, -1) {
		names = append(names, m[1])
		require.Contains(t, whole.body, m[0], "the page has the element that the fragment replaces")
	}
	require.Subset(t, names, []string{"price", "chips", "tabs", "results", "kept", "actions", "sorting", "company", "facet-industries", "band-employee_count"})
	require.Len(t, names, len(region.FindAllString(whole.body, -1)), "every replaceable element is updated")
}

func TestFacetThatIsNarrowedShowsTheAlternatives(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 500)...)
	page := h.as(t, h.ann).get(t, in(h.acme, "/search?countries=DE&employee_count_min=11&employee_count_max=50")).body
	_, bars, _ := strings.Cut(page, `id="facet-countries"`)
	bars, _, _ = strings.Cut(bars, "</ul>")
	require.Regexp(t, `value="DE" checked`, bars, "with the value of the request")
	require.Contains(t, bars, `value="United States"`)
	require.NotContains(t, bars, `value="Germany"`, "DE is not listed a second time as Germany")
	_, bands, _ := strings.Cut(page, `id="band-employee_count"`)
	bands, _, _ = strings.Cut(bands, "</ul>")
	require.Contains(t, bands, `aria-current="true"`)
	require.Contains(t, bands, "51 – 200")
}

func TestSearchesAskForKnownFields(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 200)...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search?has=employee_count&missing=linkedin_url")).body
	require.Contains(t, page, "<b>Has</b> <bdi>Employees</bdi>")
	require.Contains(t, page, "<b>Missing</b> <bdi>LinkedIn</bdi>")
	_, bars, _ := strings.Cut(page, `id="facet-has"`)
	bars, _, _ = strings.Cut(bars, "</ul>")
	require.Contains(t, bars, `name="has" value="employee_count" checked`)
	require.Contains(t, bars, `name="missing" value="linkedin_url" checked`)
	require.Contains(t, bars, `<button name="exclude" value="has:domain"`)
	require.Contains(t, ann.get(t, in(h.acme, "/search?has=domian")).body, "did you mean domain?")
	require.Contains(t, ann.get(t, in(h.acme, "/search/complete?facet=has&begins=linked")).body, `"label":"LinkedIn"`)
}

// TestEnterInASearchFieldAppliesTheFilters checks the form's default button, which is its first one: with the button of a facet
// value in its place, Enter would exclude that value.
func TestEnterInASearchFieldAppliesTheFilters(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 200)...)
	_, form, found := strings.Cut(h.as(t, h.ann).get(t, in(h.acme, "/search?query=bank")).body, `<form id="search"`)
	require.True(t, found)
	_, button, found := strings.Cut(form, "<button")
	require.True(t, found)
	require.True(t, strings.HasPrefix(button, ` type="submit" class="sr">Apply filters<`), button[:min(len(button), 100)])
}

func TestEveryFacetValueCanBeExcluded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 500)...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/search")).body
	for _, param := range []string{"countries", "states", "cities", "industries", "naics_codes", "technologies", "technology_categories"} {
		_, bars, _ := strings.Cut(page, `id="facet-`+param+`"`)
		bars, _, _ = strings.Cut(bars, "</ul>")
		require.Contains(t, bars, `<button name="exclude" value="`+param+`:`, "a button of the form, without a script")
	}
	clicked := "/search?countries=United+States&countries=Germany&exclude=countries%3AGermany"
	clean := basePath + in(h.acme, "/search?countries=United+States&exclude_countries=Germany")
	require.Equal(t, clean, ann.get(t, in(h.acme, clicked)).location(), "the address states the search")
	page = ann.get(t, strings.TrimPrefix(clean, basePath)).body
	_, bars, _ := strings.Cut(page, `id="facet-countries"`)
	bars, _, _ = strings.Cut(bars, "</ul>")
	require.Contains(t, bars, `name="exclude_countries" value="Germany" checked`)
	require.Contains(t, bars, `name="countries" value="United States" checked`)
	require.NotContains(t, bars, `name="countries" value="Germany"`)
	require.Contains(t, page, "Not country")

	ann.headers.Set(fragmentHeader, "1")
	require.Equal(t, clean, ann.get(t, in(h.acme, clicked)).header.Get(addressHeader))
}

// TestAnAddressIsSearchedAsItSays covers the same value included and excluded: dropping either would widen the search.
func TestAnAddressIsSearchedAsItSays(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 200)...)
	ann := h.as(t, h.ann)
	for address, warning := range map[string]string{
		"countries=Germany&exclude_countries=DE":            "Country <bdi>“Germany”</bdi>: is both included and excluded, so no company with it matches",
		"naics_codes=522320&exclude_naics_codes=52":         "NAICS code <bdi>“522320”</bdi>: is both included and excluded, so no company with it matches",
		"keywords=mobile+payments&exclude_keywords=Mobile":  "Keyword <bdi>“mobile payments”</bdi>: is both included and excluded, so no company with it matches",
		"has=domain&missing=Domain":                         "Has <bdi>“domain”</bdi>: cannot be both known and missing, so no company matches",
		"naics_codes=31-33&exclude_naics_codes=31-33":       "NAICS code <bdi>“31-33”</bdi>: is both included and excluded, so no company with it matches",
		"industries=Software&exclude_industries=+software+": "Industry <bdi>“Software”</bdi>: is both included and excluded, so no company with it matches",
	} {
		t.Run(address, func(t *testing.T) {
			for _, page := range []string{"/search?", "/exports/new?"} {
				a := ann.get(t, in(h.acme, page+address))
				require.Equal(t, http.StatusOK, a.status)
				require.Equal(t, "0", figuresIn(t, a.body)[0])
				require.Contains(t, a.body, warning)
			}
		})
	}
	require.NotContains(t, ann.get(t, in(h.acme, "/search?naics_codes=52&exclude_naics_codes=522320")).body, "both included and excluded")
}

func TestAnAddressThatCannotBeReadFindsNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 10)...)
	ann := h.as(t, h.ann)
	for _, page := range []string{"/search", "/exports/new", "/search/complete"} {
		for _, address := range []string{"?countries=%zz", "?countries=Germany;has=domain"} {
			require.Equal(t, http.StatusUnprocessableEntity, ann.get(t, in(h.acme, page+address)).status, page+address)
		}
	}
	for _, action := range []string{"/search/picked", "/searches"} {
		a := ann.post(t, in(h.acme, action+"?exclude_bogus=1"), "name", "All", "all", "1")
		require.Equal(t, basePath+in(h.acme, "/search?exclude_bogus=1"), a.location())
		require.Contains(t, ann.get(t, in(h.acme, "/search?exclude_bogus=1")).body, "Nothing was saved, because the search is not valid.")
	}
	lists := ann.get(t, in(h.acme, "/lists")).body
	require.Contains(t, lists, "No lists yet")
	require.Contains(t, lists, "No saved searches yet")
}

func TestInvalidFilterIsReportedBesideIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 10)...)
	ann := h.as(t, h.ann)
	for search, message := range map[string]string{
		"?employee_count_min=many":                     "must be a whole number",
		"?employee_count_min=9&employee_count_max=2":   "<strong>Employees from:</strong> <bdi>“9” must not be greater than Employees to, which is 2</bdi>",
		"?not_on=018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f": "was deleted",
		"?show=everything":                             "must be new or owned",
		"?naics_codes=abc":                             "“abc” must be a NAICS code",
		"?exclude_bogus=1":                             "“exclude_bogus” is not a filter",
		"?sort_by=colour":                              "must be one of",
		"?countries=Germny":                            "use <bdi>Germany</bdi> instead",
		"?query=nothingislikethis":                     "No company matches all of these filters",
		"?connections=vendor%3Anowhere.example":        "no company has a connection to this domain",
	} {
		t.Run(search, func(t *testing.T) {
			a := ann.get(t, in(h.acme, "/search"+search))
			require.Equal(t, http.StatusOK, a.status)
			require.Contains(t, a.body, message)
			require.Contains(t, a.body, `aria-disabled="true"`, "there is nothing to export")
		})
	}
	require.Equal(t, http.StatusUnprocessableEntity, ann.get(t, in(h.acme, "/search?cursor=bad")).status)
}

// listOfAll puts every match of a search on a new list with the name, or the newest one that has it.
func (b *browser) listOfAll(t *testing.T, search, name string) id.List {
	t.Helper()
	a := b.post(t, in(b.h.acme, "/search/picked"+search), "all", "1", "do", "list", "name", name)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	lists, err := b.h.Lists.List(t.Context(), b.h.acme, id.List{}, 1)
	require.NoError(t, err)
	require.Equal(t, name, lists[0].Name)
	return lists[0].ID
}

func TestPagesOfASearchShowEveryCompanyOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 60)...)
	ann := h.as(t, h.ann)
	seen := map[string]bool{}
	for path := in(h.acme, "/search?sort_by=name"); path != ""; {
		page := ann.get(t, path).body
		for _, m := range regexp.MustCompile(`name="company" value="([0-9a-f-]{36})"`).FindAllStringSubmatch(page, -1) {
			require.False(t, seen[m[1]])
			seen[m[1]] = true
		}
		path = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page); m != nil {
			path = in(h.acme, "/search") + strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	require.Len(t, seen, 60)
}

func TestFiltersAreCompletedFromTheIndex(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 300)...)
	ann := h.as(t, h.ann)
	complete := func(search string) (options []option) {
		a := ann.get(t, in(h.acme, "/search/complete?"+search))
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.NoError(t, json.Unmarshal([]byte(a.body), &options))
		return options
	}
	found := complete("facet=countries&begins=united")
	require.NotEmpty(t, found)
	for _, o := range found {
		require.True(t, strings.HasPrefix(o.Value, "United "), o.Value)
	}
	require.Equal(t, found, complete("facet=countries&begins=UNITED&countries=Germany"), "a filter on the same field does not narrow the values")
	require.NotEqual(t, found, complete("facet=countries&begins=united&employee_count_max=10"))
	require.NotEmpty(t, complete("facet=exclude_industries&begins=s"))
	require.Equal(t, "52 Finance and insurance", complete("facet=naics_codes&begins=52")[0].Label)
	require.Empty(t, complete("facet=countries&begins="))
	require.Empty(t, complete("facet=countries&begins=u&employee_count_min=x"))
	require.Equal(t, http.StatusUnprocessableEntity, ann.get(t, in(h.acme, "/search/complete?facet=colour&begins=u")).status)
}

func TestSearchIsCopiedAsOneLineOfShell(t *testing.T) {
	t.Parallel()
	h := open(t, func(d *Deps) { d.PublicURL = "https://capi.example" })
	page := h.as(t, h.ann).get(t, in(h.acme, "/search?sort_by=name&query="+url.QueryEscape(`it's "x"`))).body
	require.Contains(t, page, "https://capi.example/api/v1/companies/search")
	require.Contains(t, page, `-d &#39;{&#34;query&#34;:&#34;it&#39;\&#39;&#39;s \&#34;x\&#34;&#34;,&#34;sort_by&#34;:&#34;name&#34;}&#39;`)
}

func TestCurlQuotesAnySearch(t *testing.T) {
	t.Parallel()
	require.Equal(t, `'it'\''s; rm -rf $HOME `+"`x`'", shellQuote("it's; rm -rf $HOME `x`"))
}
