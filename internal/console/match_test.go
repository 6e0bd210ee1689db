package console

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/company"
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
