package console

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
)

func (h *fixture) companies(t *testing.T, n int) []*company.Company {
	t.Helper()
	made := make([]*company.Company, n)
	for i := range made {
		made[i] = &company.Company{ID: id.New[id.Company](), Name: fmt.Sprint("Company ", i), Domain: fmt.Sprintf("c%d.example", i)}
	}
	h.put(t, made...)
	return made
}

func TestListIsMadeFilledAndDeleted(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := h.companies(t, 30)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, in(h.acme, "/lists")).body, "No lists yet")
	a := ann.post(t, in(h.acme, "/lists"), "name", "Prospects")
	path := strings.TrimPrefix(a.location(), basePath)
	require.Contains(t, ann.get(t, path).body, "The list is empty")

	a = ann.follow(t, ann.post(t, path+"/matches", "domains", "https://www.c1.example/about\nC2.example; nowhere.example, c3.example\n\nnowhere.example plain"))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "4 domains read, 3 matched, 3 companies added.")
	require.Contains(t, a.body, ">nowhere.example<")
	again := ann.follow(t, ann.post(t, path+"/matches", "domains", "c1.example"))
	require.Contains(t, again.body, "1 domain read, 1 matched, no company added.")
	require.Contains(t, ann.post(t, path+"/matches", "domains", "no domains here").body, "Paste at least one domain")
	require.Contains(t, ann.post(t, path+"/matches", "domains", strings.Repeat("a.example ", 1)+manyDomains(domainsMax+1)).body, "At most 10,000")

	a = ann.post(t, path+"/remove", "company", made[1].ID.String(), "company", made[2].ID.String(), "company", "nonsense")
	require.Equal(t, http.StatusSeeOther, a.status)
	page := ann.get(t, path).body
	require.Contains(t, page, "Removed 2 companies.")
	require.Contains(t, page, "Company 3")
	require.NotContains(t, page, "Company 1<")
	page = ann.undoes(t, page).body
	require.Contains(t, page, "Added 2 companies.")
	require.Contains(t, page, "Company 1<")
	ann.post(t, path+"/remove", "company", made[9].ID.String())
	require.Contains(t, ann.get(t, path).body, "Nothing was removed.", "it is not on the list")

	search := ann.get(t, in(h.acme, "/search?query=Company")).body
	require.Contains(t, search, "Company 1<")
	require.NotContains(t, search, "left out")
	page = ann.follow(t, ann.post(t, path+"/exclusion", "excluded", "1")).body
	require.Contains(t, page, "Include again")
	require.Equal(t, 1, strings.Count(page, `class="notice`), "it is said once")
	require.Contains(t, ann.get(t, in(h.acme, "/lists")).body, "Left out")
	search = ann.get(t, in(h.acme, "/search?query=Company")).body
	require.NotContains(t, search, "Company 1<")
	require.Contains(t, search, "3 more matches are left out")
	page = ann.follow(t, ann.post(t, path+"/exclusion", "excluded", "0")).body
	require.Contains(t, page, "no longer left out")
	require.Contains(t, page, "Leave out everywhere")
	require.Contains(t, ann.get(t, in(h.acme, "/search?query=Company")).body, "Company 1<")

	ann.post(t, path+"/rename", "name", "Customers")
	require.Contains(t, ann.get(t, path).body, "<bdi>Customers</bdi>")
	ann.post(t, path+"/rename", "name", " ")
	require.Contains(t, ann.get(t, path).body, "The list was not renamed: ")
	require.Equal(t, basePath+in(h.acme, "/lists"), ann.post(t, path+"/delete").location())
	page = ann.get(t, in(h.acme, "/lists")).body
	require.Equal(t, http.StatusNotFound, ann.get(t, path).status)
	page = ann.undoes(t, page).body
	require.Contains(t, page, "Restored the list &#34;Customers&#34;.")
	require.Contains(t, page, "Company 1<")
	require.Equal(t, http.StatusNotFound, ann.post(t, path+"/restore").status, "it is not deleted")
	ann.post(t, in(h.acme, "/lists"), "name", "")
	require.Contains(t, ann.get(t, in(h.acme, "/lists")).body, "The list was not created: Name is empty.")
}

// undoes presses Undo on the page and returns the next one.
func (b *browser) undoes(t *testing.T, page string) answer {
	t.Helper()
	_, notice, found := strings.Cut(page, `class="notice row"`)
	require.True(t, found, "there is no notice: %s", page)
	notice, _, _ = strings.Cut(notice, "</form>")
	action := regexp.MustCompile(`action="` + basePath + `([^"]+)"`).FindStringSubmatch(notice)
	require.NotNil(t, action, "there is no Undo in %s", notice)
	var form []string
	for _, m := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(notice, -1) {
		form = append(form, m[1], m[2])
	}
	return b.follow(t, b.post(t, html.UnescapeString(action[1]), form...))
}

func manyDomains(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "d%d.example\n", i)
	}
	return b.String()
}

func TestUploadedFileIsMatched(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 5)
	ann := h.as(t, h.ann)
	path := strings.TrimPrefix(ann.post(t, in(h.acme, "/lists"), "name", "Upload").location(), basePath)
	sent := ann.upload(t, path+"/matches", "domains.csv",
		[]byte("\ufeffdomain,name\r\n\"c1.example\",Company 1\r\nc2.example,\"Two, Inc.\"\r\n<b>x.example,?\r\n"), "c3.example")
	require.Equal(t, http.StatusSeeOther, sent.status)
	at := strings.TrimPrefix(sent.location(), basePath)
	page := ann.get(t, at).body
	require.Contains(t, page, "3 companies added.")
	require.Contains(t, page, "&lt;b&gt;x.example")
	sheet := ann.get(t, at+"?format=csv")
	require.Contains(t, sheet.header.Get("Content-Disposition"), "unmatched.csv")
	require.Equal(t, "line,unmatched\r\n4,\"<b>x.example,?\"\r\n", sheet.body)
}

// upload sends a form with a file and with typed domains.
func (b *browser) upload(t *testing.T, path, name string, content []byte, typed string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, form.WriteField("domains", typed))
	require.NoError(t, form.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.h.url+basePath+path, &body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	res, err := b.client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(page)}
}

func TestEveryKindOfTableIsReadForAList(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 5)
	ann := h.as(t, h.ann)
	path := strings.TrimPrefix(ann.post(t, in(h.acme, "/lists"), "name", "Upload").location(), basePath)
	book := excelize.NewFile()
	for cell, value := range map[string]string{
		"A1": "Company", "B1": "Website", "A2": "One", "B2": "https://www.c1.example/about", "A3": "Two", "B3": "c2.example",
		"A4": "Three", "A5": "Four", "B5": "nowhere.example",
	} {
		require.NoError(t, book.SetCellValue("Sheet1", cell, value))
	}
	var workbook bytes.Buffer
	require.NoError(t, book.Write(&workbook))
	for name, test := range map[string]struct {
		file      string
		content   []byte
		want      string
		unmatched string
	}{
		"a workbook":           {"a.xlsx", workbook.Bytes(), "3 domains read, 2 matched", "4,"},
		"a text of domains":    {"a.txt", []byte("c1.example\nc2.example; c3.example\nAcme Corp\n"), "3 domains read, 3 matched", "3,Acme Corp"},
		"JSON":                 {"a.json", []byte(`[{"name":"One","domain":"c1.example"},{"name":"Two"}]`), "1 domain read, 1 matched", "Two"},
		"CSV without a header": {"a.csv", []byte("c1.example\nc2.example\nc3.example\n"), "3 domains read, 3 matched", ""},
		"semicolons":           {"a.csv", []byte("Firma;Domain\nEins;c1.example\nZwei;c2.example\n"), "2 domains read, 2 matched", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := ann.upload(t, path+"/matches", test.file, test.content, "")
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
			at := strings.TrimPrefix(a.location(), basePath)
			page := ann.get(t, at).body
			require.Contains(t, page, test.want)
			require.Contains(t, page, "<bdi>"+test.file+"</bdi>")
			require.Contains(t, ann.get(t, at+"?format=csv").body, test.unmatched)
		})
	}
	for name, test := range map[string]struct{ file, content, says string }{
		"a picture":          {"a.xlsx", "\x89PNG\r\n\x1a\n0000", "PNG image"},
		"only names":         {"a.csv", "Company,City\nAcme,Berlin\nGlobex,Paris\n", "no column of the file has domains"},
		"a file of nothing":  {"a.txt", "", "There is no domain in the file."},
		"only other words":   {"a.txt", "Acme\nGlobex\n", "There is no domain in the file."},
		"too many at a time": {"a.txt", manyDomains(domainsMax + 1), "At most 10,000"},
	} {
		t.Run(name, func(t *testing.T) {
			a := ann.upload(t, path+"/matches", test.file, []byte(test.content), "")
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, test.says)
		})
	}
}

func TestAPastedDomainAddsTheCompanyThatItMeans(t *testing.T) {
	t.Parallel()
	h := open(t)
	named := func(name string, employees int64) *company.Company {
		return &company.Company{ID: id.New[id.Company](), Name: name, Domain: "amazon.example", EmployeeCount: &employees}
	}
	farm, main, small := named("Just Ryt Foods", 9_000_000), named("Amazon.example, Inc.", 1_500_000), named("Amazon", 12)
	h.put(t, farm, main, small)
	ann := h.as(t, h.ann)
	path := strings.TrimPrefix(ann.post(t, in(h.acme, "/lists"), "name", "One").location(), basePath)
	a := ann.post(t, path+"/matches", "domains", "amazon.example\nhttps://www.amazon.example/about")
	at := strings.TrimPrefix(a.location(), basePath)
	page := ann.get(t, at).body
	require.Contains(t, page, "1 domain read, 1 matched, 1 company added.")
	require.Contains(t, page, "1 domain has several companies")
	require.Regexp(t, main.ID.String()+`" checked`, page)
	require.NotRegexp(t, farm.ID.String()+`" checked`, page)
	require.Contains(t, ann.get(t, in(h.acme, "/exports/new?list="+path[strings.LastIndex(path, "/")+1:])).body, "1 company")

	stranger := h.companies(t, 1)[0]
	ann.post(t, at, "company", main.ID.String(), "company", small.ID.String(), "company", stranger.ID.String())
	page = ann.get(t, path).body
	require.Contains(t, page, main.ID.String())
	require.Contains(t, page, small.ID.String())
	require.NotContains(t, page, farm.ID.String())
	require.NotContains(t, page, stranger.ID.String(), "only what was offered can be chosen")
	ann.post(t, at, "company", small.ID.String())
	page = ann.get(t, path).body
	require.NotContains(t, page, main.ID.String())
	require.Contains(t, page, small.ID.String())
}

func TestPagesOfAListShowEveryCompanyOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 60)
	ann := h.as(t, h.ann)
	path := in(h.acme, "/lists/"+ann.listOfAll(t, "?query=company", "All of them").String())
	seen := map[string]bool{}
	for path != "" {
		page := ann.get(t, path).body
		for _, m := range regexp.MustCompile(`name="company" value="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			require.False(t, seen[m[1]])
			seen[m[1]] = true
		}
		next := regexp.MustCompile(`rel="next" href="` + basePath + `([^"]+)"`).FindStringSubmatch(page)
		if path = ""; next != nil {
			path = next[1]
		}
	}
	require.Len(t, seen, 60)
}

func TestSearchIsSavedToRunAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	ann := h.as(t, h.ann)
	search := "?countries=United+States&employee_count_min=10&sort_by=name"
	a := ann.post(t, in(h.acme, "/searches"+search), "name", "Big <US>")
	back, err := url.Parse(a.location())
	require.NoError(t, err)
	require.Equal(t, "United States", back.Query().Get("countries"), "the redirect leads back to the search")
	require.Contains(t, ann.get(t, in(h.acme, "/search")).body, "Saved &#34;Big &lt;US&gt;&#34;. Open it under Searches.")
	lists := ann.get(t, in(h.acme, "/lists")).body
	require.Contains(t, lists, "Big &lt;US&gt;")
	require.Contains(t, lists, `href="search?countries=United+States&amp;employee_count_min=10&amp;saved=`)
	require.Contains(t, lists, `href="exports/new?countries=United+States`)
	saved := regexp.MustCompile(`action="(searches/[^"]+/delete)"`).FindStringSubmatch(lists)
	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/"+saved[1])).status)
	require.Equal(t, http.StatusNotFound, ann.post(t, in(h.acme, "/"+saved[1])).status)
	require.Equal(t, basePath+in(h.acme, "/search?naics_codes=x"), ann.post(t, in(h.acme, "/searches?naics_codes=x"), "name", "x").location())
}
