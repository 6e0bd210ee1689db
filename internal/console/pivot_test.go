package console

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

// links returns the links of a page with numbers as their text: the address below the workspace, and the number.
func numberLinks(page string) (links [][2]string) {
	for _, m := range regexp.MustCompile(`<td class="num[^"]*"><a href="(search[^"]*)">([\d,]+)</a>`).FindAllStringSubmatch(page, -1) {
		links = append(links, [2]string{"/" + html.UnescapeString(m[1]), strings.ReplaceAll(m[2], ",", "")})
	}
	return links
}

// matches returns the number of matches of a search.
func (b *browser) matches(t *testing.T, search string) string {
	t.Helper()
	b.headers.Set("X-Fragment", "1")
	defer b.headers.Del("X-Fragment")
	a := b.get(t, in(b.h.acme, search))
	require.Equal(t, http.StatusOK, a.status, a.body)
	return a.header.Get(matchesHeader)
}

func TestEveryCellOfATableLinksToTheSearchThatItCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := companytest.Slice(1, 300)
	h.put(t, made...)
	h.buy(t, 90)
	ann := h.as(t, h.ann)
	list := ann.listOfAll(t, "?employee_count_min=50", "Large").String()
	technology, industry := made[0].Technologies[0], made[0].Industries[0]
	for _, search := range []url.Values{
		{"rows": {"countries"}, "columns": {"employee_count"}},
		{"rows": {"technologies"}, "columns": {"countries"}, "show": {"owned"}, "technologies": {technology}},
		{"rows": {"industries"}, "columns": {"technologies"}, "industries": {industry, "Software"}, "technologies": {technology}, "exclude_countries": {"Germany"}},
		{"rows": {"founded_year"}, "columns": {"naics_codes"}, "show": {"new"}, "founded_year_min": {"1955"}, "naics_codes": {"54", "33"}},
		{"rows": {"known"}, "columns": {"cities"}, "not_on": {list}, "has": {"domain"}},
		{"rows": {"states"}, "columns": {"technology_categories"}, "in": {"list_id:" + list, "owned"}},
	} {
		t.Run(search.Encode(), func(t *testing.T) {
			page := ann.get(t, in(h.acme, "/pivot?"+search.Encode())).body
			links := numberLinks(page)
			require.NotEmpty(t, links, page)
			for i := 0; i < len(links); i += 1 + len(links)/25 {
				require.Equal(t, links[i][1], ann.matches(t, links[i][0]), links[i][0])
			}
			total := links[len(links)-1]
			require.Equal(t, total[1], ann.matches(t, total[0]))
		})
	}
}

func TestATableSaysWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	h := open(t)
	var all []*company.Company
	for i := range 60 {
		all = append(all, &company.Company{
			ID: companytest.Slice(1, 60)[i].ID, Name: "Co " + strconv.Itoa(i), Country: "Germany", City: "City " + strconv.Itoa(i%30), EmployeeCount: new(int64(5)),
		})
	}
	h.put(t, all...)
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/pivot?rows=cities&columns=employee_count")).body
	require.Contains(t, page, "City: the 20 with the most companies are shown, and 10 more values are not. 20 companies have none of those shown.")
	require.Equal(t, 20, strings.Count(page, "num h9"), "every city has the same number")

	long := "?rows=cities&columns=employee_count&query=" + strings.Repeat("co+", 300)
	require.Less(t, len(ann.get(t, in(h.acme, "/pivot"+long)).body), 70_000, "fewer rows, because each cell repeats the search")

	for at, message := range map[string]string{
		"?rows=cities&columns=cities":           "must be another one than rows",
		"?rows=colour":                          "cannot be colour; choose from the menu",
		"?rows=countries&rows=cities":           "cannot be countries, cities; choose from the menu",
		"?columns=states&columns=cities":        "cannot be states, cities; choose from the menu",
		"?employee_count_min=x":                 "must be a whole number",
		"?in=list_id:" + strings.Repeat("0", 8): "In",
	} {
		page := ann.get(t, in(h.acme, "/pivot"+at)).body
		require.Contains(t, page, `role="alert"`, at)
		require.Contains(t, page, message, at)
		require.Equal(t, http.StatusSeeOther, ann.get(t, in(h.acme, "/pivot/csv"+at)).status, "the page lists the errors")
	}
	require.Contains(t, ann.get(t, in(h.acme, "/pivot?countries=France")).body, "Nothing to count.")
}

func TestATableIsDownloadedAsCSV(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := companytest.Slice(1, 80)
	made[0].Country, made[0].CountryCode = "=cmd()", ""
	h.put(t, made...)
	ann := h.as(t, h.ann)
	a := ann.get(t, in(h.acme, "/pivot/csv?rows=countries&columns=employee_count&employee_count_min=1"))
	require.Equal(t, "text/csv; charset=utf-8", a.header.Get("Content-Type"))
	require.Contains(t, a.header.Get("Content-Disposition"), "countries-by-employee_count.csv")
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, "countries", rows[0][0])
	require.Equal(t, []string{"(other)", "(unknown)", "(total)"}, rows[0][len(rows[0])-3:])
	total := rows[len(rows)-1]
	require.Equal(t, ann.matches(t, "/search?employee_count_min=1"), total[len(total)-1])
	require.NotContains(t, a.body, "\n=cmd")

	at := "rows=countries&columns=employee_count&employee_count_min=1&countries=Germny&countries=" + url.QueryEscape(made[1].Country)
	page := ann.follow(t, ann.get(t, in(h.acme, "/pivot/csv?"+at))).body
	require.Contains(t, page, "Nothing was downloaded yet")
	require.Contains(t, page, "“Germny”: no such country is known")
	require.Contains(t, page, "Download CSV despite the warnings")
	require.Equal(t, http.StatusOK, ann.get(t, in(h.acme, "/pivot/csv?anyway=1&"+at)).status)
	nothing := ann.get(t, in(h.acme, "/pivot/csv?anyway=1&rows=countries&columns=employee_count&countries=Germny"))
	require.Contains(t, ann.follow(t, nothing).body, "Nothing was downloaded, because no company matches.", "a table of zeros would say nothing")
}

func TestATableOffersNoLockedField(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 20)...)
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.acme, []string{"id", "name", "industries"}))
	ann := h.as(t, h.ann)
	page := ann.get(t, in(h.acme, "/pivot")).body
	require.NotContains(t, page, `<option value="countries"`)
	require.Contains(t, page, `<option value="industries"`)
	require.Contains(t, page, `class="pivot"`)
	require.Contains(t, ann.get(t, in(h.acme, "/pivot?rows=countries&columns=industries")).body, "is locked")
}
