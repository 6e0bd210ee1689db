package console

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/search"
)

func TestAListIsMatchedDecidedListedAndExported(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 5)
	h.put(t, &company.Company{Name: "Twin", City: "Bonn", Domain: "twin-bonn.example"}, &company.Company{Name: "Twin", City: "Lyon"})
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, in(h.acme, "/lists")).body, in(h.acme, "/match"))
	require.Contains(t, ann.get(t, in(h.acme, "/match")).body, "Paste domains")

	a := ann.follow(t, ann.post(t, in(h.acme, "/match"), "rows", "id,name,domain\nk-1,,c1.example\nk-2,Twin,\nk-3,Unheard <Of>,\n"))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "3 rows read: 1 matched, 1 ambiguous, 1 unmatched.")
	require.Contains(t, a.body, "Unheard &lt;Of&gt;")
	require.Contains(t, a.body, `<meter min="0" max="1" value="1" aria-label="Domain">`)
	at := regexp.MustCompile(in(h.acme, "/match/") + `[0-9a-f-]{36}`).FindString(a.body)
	choice := regexp.MustCompile(`name="row-1" value="([^"]+)"`).FindStringSubmatch(a.body)[1]

	page := ann.follow(t, ann.post(t, at+"/choose", "row-1", choice, "row-2", "", "row-3", "nonsense")).body
	require.Contains(t, page, "Added 1 company that you chose.")
	require.Contains(t, ann.follow(t, ann.post(t, at+"/choose", "row-3", "")).body, "Nothing was added, because no company was chosen.")
	require.Contains(t, page, "0 owned already, 2 new.")
	require.NotContains(t, page, "row-1", "it is decided")
	require.Contains(t, ann.follow(t, ann.post(t, at+"/list", "name", "From a match")).body, "Twin")
	require.Contains(t, ann.follow(t, ann.post(t, at+"/list", "name", " ")).body, "The list was not created")

	of := strings.TrimPrefix(at, in(h.acme, "/match/"))
	page = ann.get(t, in(h.acme, "/exports/new?match="+of)).body
	require.Contains(t, page, "The companies that a list matched.")
	quote := ann.post(t, in(h.acme, "/quotes"), "match", of, "format", "csv", "name", "Mine")
	require.Equal(t, http.StatusSeeOther, quote.status, quote.body)
	page = ann.follow(t, quote).body
	require.Contains(t, page, "The companies that a list matched.")
	quoteID := regexp.MustCompile(`name="quote_id" value="([^"]+)"`).FindStringSubmatch(page)[1]
	bought := ann.post(t, in(h.acme, "/exports"), "quote_id", quoteID, "name", "Mine")
	require.Equal(t, http.StatusSeeOther, bought.status)
	require.Contains(t, ann.follow(t, bought).body, "From a list that was matched.")

	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/match/nonsense")).status)
	elsewhere := in(h.elsewhere, "/match/"+of)
	require.Equal(t, http.StatusNotFound, h.as(t, h.eve).get(t, elsewhere).status, "a match of another workspace")
}

func TestAListIsReadFromAWorkbookAndFromLines(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 5)
	ann := h.as(t, h.ann)
	lines := ann.follow(t, ann.post(t, in(h.acme, "/match"), "rows", "c1.example\nhttps://www.c2.example/about\nCompany 3\nhttps://linkedin.com/company/x\n"))
	require.Contains(t, lines.body, "4 rows read: 3 matched, 0 ambiguous, 1 unmatched.")
	sheet := excelize.NewFile()
	for cell, value := range map[string]string{"A1": "Company name", "B1": "Website", "A2": "Company 4", "B2": "www.c4.example"} {
		require.NoError(t, sheet.SetCellValue("Sheet1", cell, value))
	}
	var file bytes.Buffer
	require.NoError(t, sheet.Write(&file))
	page := ann.follow(t, ann.upload(t, in(h.acme, "/match"), "book.xlsx", file.Bytes(), ""))
	require.Contains(t, page.body, "1 row read: 1 matched")

	for rows, counts := range map[string]string{
		"Company 1\nAcme, Inc.\nCompany 2":            "3 rows read: 2 matched",
		"Acme, Inc.\nCompany 1":                       "2 rows read: 1 matched",
		"Acme; Söhne\nCompany 1":                      "2 rows read: 1 matched",
		"c1.example, c2.example\nc3.example":          "3 rows read: 3 matched",
		"name,country\n\"Acme, Inc.\",\nCompany 1,\n": "2 rows read: 1 matched",
	} {
		require.Contains(t, ann.follow(t, ann.post(t, in(h.acme, "/match"), "rows", rows)).body, counts, rows)
	}
	left := ann.follow(t, ann.post(t, in(h.acme, "/match"), "rows", "name,country\nCompany 1,\n,Peru\n"))
	require.Contains(t, left.body, "1 row with nothing to match by, left out")

	prose := strings.Repeat("It makes many things, and sells them to others. ", 10)
	table := "domain,name\n" + strings.Repeat("c1.example,"+`"`+prose+`"`+"\n", 6)
	unread := ann.follow(t, ann.post(t, in(h.acme, "/match"), "rows", table))
	require.Contains(t, unread.body, "has a column &#34;name&#34; that was not read, because its values do not look like")

	for rows, message := range map[string]string{
		"":                                    "Paste at least one company",
		"colour\tsize\nred\t7\nblue\t9":       "No column has names",
		"Company 1\tPeru\nCompany 2\tPeru":    "Give the first row a header",
		strings.Repeat("x.example\n", 10_001): "At most 10,000 rows",
	} {
		refused := ann.post(t, in(h.acme, "/match"), "rows", rows)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status)
		require.Contains(t, refused.body, message)
	}
}

// Every row of a match can be seen with its company and why it is that one, also the rows that a person has decided.
func TestTheRowsOfAMatchAreShownWithTheirCompanies(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := h.companies(t, 120)[0]
	long := "Twin <of> & " + strings.Repeat("many & ", 14) + "more"
	var twins []*company.Company
	for i := range 6 {
		twins = append(twins, &company.Company{Name: long, City: "City " + strconv.Itoa(i), Domain: strings.Repeat("x", 50) + strconv.Itoa(i) + ".example"})
	}
	h.put(t, twins...)
	ann := h.as(t, h.ann)
	var list strings.Builder
	list.WriteString("id,name,domain,city\n,,,Nowhere\n") // the second line has nothing to match by
	for i := range 110 {
		fmt.Fprintf(&list, "k-%d,,c%d.example,\n", i, i+1)
	}
	for i := range 40 {
		fmt.Fprintf(&list, "t-%d,%s,,\n", i, long)
	}
	for i := range 220 {
		fmt.Fprintf(&list, "u-%d,%s,,\n", i, strings.Repeat("Unheard & ", 12))
	}
	created := ann.post(t, in(h.acme, "/match"), "rows", list.String())
	at := strings.TrimPrefix(created.location(), basePath)
	row := regexp.MustCompile(`(?s)<tr><td class="num" data-label="Line">(\d+)</td> ?<td><bdi>([^<]*)</bdi></td> ?<td><a class="name" href="([^"]+)"><bdi>([^<]+)</bdi></a>.*?</td> ?<td>([^<]*)</td>`)
	seen := map[string]bool{}
	next := at
	for pages := 0; next != ""; pages++ {
		require.Less(t, pages, 6)
		a := ann.get(t, next)
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Less(t, len(a.body), 55_000, "with its sheets and scripts it stays below the limit of a page")
		require.Contains(t, a.body, "110 rows with their companies")
		require.Contains(t, a.body, "40 rows that may mean several companies")
		rows := row.FindAllStringSubmatch(a.body, -1)
		for _, r := range rows {
			require.False(t, seen[r[2]], r[2])
			seen[r[2]] = true
			n, err := strconv.Atoi(strings.TrimPrefix(r[2], "k-"))
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(n+3), r[1], "the line of the list")
			require.Equal(t, "Company "+strconv.Itoa(n+1), r[4])
			require.Equal(t, "Domain, 95% sure", r[5])
			require.Contains(t, r[3], "/companies/")
		}
		next = ""
		if m := regexp.MustCompile(`rel="next" href="(\?rows=\d+)#rows"`).FindStringSubmatch(a.body); m != nil {
			next = at + m[1]
		}
	}
	require.Len(t, seen, 110)

	last := ann.get(t, at+"?undecided=30").body
	choice := regexp.MustCompile(`Line 152: .*?name="(row-\d+)" value="([^"]+)"`).FindStringSubmatch(last)
	require.NotNil(t, choice)
	chose := ann.post(t, at+"/choose?undecided=30", choice[1], choice[2])
	require.Contains(t, chose.location(), "?undecided=30#undecided", "the other rows of the page are next")
	page := ann.follow(t, chose).body
	require.Contains(t, page, "39 rows that may mean several companies")
	require.Contains(t, page, "40 ambiguous (1 decided)")
	decided := row.FindAllStringSubmatch(ann.get(t, at+"?rows=100").body, -1)
	require.Len(t, decided, 11)
	require.Equal(t, []string{"152", "t-39"}, decided[10][1:3])
	require.Equal(t, "You chose it", decided[10][5])
	other := ann.post(t, at+"/choose", "row-111", made.ID.String())
	require.Contains(t, ann.follow(t, other).body, "no company was chosen", "a row takes only one of its own candidates")
	for _, nonsense := range []string{"?rows=x", "?rows=-50", "?rows=100000", "?undecided=1e9"} {
		require.Equal(t, http.StatusOK, ann.get(t, at+nonsense).status, nonsense)
	}

	matched, err := h.Search.Match(t.Context(), auth.Caller{Workspace: h.acme, Person: h.ann.ID}, []search.MatchRow{{Key: "mine", Domain: "c1.example"}, {Key: "too", Domain: "c1.example"}})
	require.NoError(t, err)
	page = ann.get(t, in(h.acme, "/match/"+matched.ID.String())).body
	require.Contains(t, page, "The companies")
	require.Contains(t, page, "<bdi>mine, too</bdi>", "of a match that the API made, the keys are known")
}
