package console

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// hiddenIn returns the names and values of a page's hidden inputs.
func hiddenIn(page string) url.Values {
	values := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		values.Add(m[1], strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(m[2]))
	}
	return values
}

// quoted requests a quote and returns the form that buys it.
func (b *browser) quoted(t *testing.T, form ...string) url.Values {
	t.Helper()
	a := b.follow(t, b.post(t, in(b.h.acme, "/quotes"), form...))
	require.Equal(t, http.StatusOK, a.status, a.body)
	values := hiddenIn(a.body)
	require.NotEmpty(t, values.Get("quote_id"), a.body)
	return values
}

// buys buys a quote and returns the path of its export.
func (b *browser) buys(t *testing.T, form url.Values) string {
	t.Helper()
	a := b.send(t, http.MethodPost, in(b.h.acme, "/exports"), form)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	return strings.TrimPrefix(a.location(), basePath)
}

func (h *fixture) balance(t *testing.T, ws id.Workspace) int64 {
	t.Helper()
	n, err := h.Credits.Balance(t.Context(), ws)
	require.NoError(t, err)
	return n
}

func TestExportIsPricedConfirmedWatchedAndDownloaded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 300)...)
	ann := h.as(t, h.ann)
	form := ann.get(t, in(h.acme, "/exports/new?countries=US&sort_by=name&limit=40"))
	require.Equal(t, []string{"40", "0", "40", "40", "960"}, figuresIn(t, form.body))
	require.Equal(t, "US", hiddenIn(form.body).Get("countries"))

	buy := ann.quoted(t, "countries", "US", "sort_by", "name", "limit", "40", "name", "Forty", "format", "csv")
	require.Equal(t, int64(1000), h.balance(t, h.acme), "a quote charges nothing")
	path := ann.buys(t, buy)
	require.Equal(t, int64(960), h.balance(t, h.acme))
	require.Equal(t, path, ann.buys(t, buy), "a repeated form returns the same export")
	require.Equal(t, int64(960), h.balance(t, h.acme))

	waiting := ann.get(t, path)
	require.Contains(t, waiting.body, "Forty")
	require.Contains(t, waiting.body, "data-running")
	require.Contains(t, waiting.body, "Cancel and refund credits")
	require.Equal(t, http.StatusBadRequest, ann.get(t, path+"/download").status, "there is no file yet")
	h.work(t)
	events := ann.get(t, path+"/events")
	require.Equal(t, httpx.EventStreamType, events.header.Get("Content-Type"))
	require.Contains(t, events.body, "event: page\ndata: <section")
	require.True(t, strings.HasSuffix(events.body, "event: end\ndata:\n\n"), events.body)
	last := events.body[strings.LastIndex(events.body, "event: page"):]
	require.Contains(t, last, "Download CSV")
	require.NotContains(t, last, "data-running")

	require.Contains(t, ann.get(t, path).body, "SHA-256")
	for file, want := range map[string]string{"": ".csv", "?file=manifest": ".manifest.json"} {
		a := ann.get(t, path+"/download"+file)
		require.Equal(t, http.StatusSeeOther, a.status)
		require.Contains(t, a.location(), want)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	}
	require.Contains(t, ann.get(t, in(h.acme, "/exports")).body, "Forty")
	require.Contains(t, ann.get(t, path+"/receipt").body, ">charged<")
	again := ann.get(t, in(h.acme, "/exports/new?again="+strings.TrimPrefix(path, in(h.acme, "/exports/"))))
	require.Equal(t, []string{"40", "40", "0", "0", "960"}, figuresIn(t, again.body), "the second time is free")
	require.Contains(t, again.body, `value="Forty"`)
}

func TestAFileHasTheColumnsThatAreTicked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 5)...)
	ann := h.as(t, h.ann)
	path := ann.buys(t, ann.quoted(t, "name", "Two", "format", "csv", "column", "domain", "column", "name"))
	h.work(t)
	bought, err := id.Parse[id.Export](path[strings.LastIndex(path, "/")+1:])
	require.NoError(t, err)
	e, err := h.Exports.Get(t.Context(), auth.Caller{Workspace: h.acme}, bought)
	require.NoError(t, err)
	require.Equal(t, []string{"name", "domain"}, e.Options.Columns)
	again := ann.get(t, in(h.acme, "/exports/new?again="+strings.TrimPrefix(path, in(h.acme, "/exports/")))).body
	require.Contains(t, again, `value="domain" checked`)
	require.NotContains(t, again, `value="country" checked`)
}

func TestDoubleClickBuysOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	ann := h.as(t, h.ann)
	buy := ann.quoted(t, "name", "All", "format", "json")
	paths := make([]string, 6)
	var wg sync.WaitGroup
	for i := range paths {
		wg.Go(func() { paths[i] = ann.send(t, http.MethodPost, in(h.acme, "/exports"), buy).location() })
	}
	wg.Wait()
	for _, path := range paths {
		require.Equal(t, paths[0], path)
		require.NotEmpty(t, path)
	}
	require.Equal(t, int64(950), h.balance(t, h.acme))
	require.Equal(t, 1, h.state(t)[`SELECT count(*) FROM export WHERE status <> 'cancelled'`])
}

func TestExportThatCannotBeBoughtSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 1500)...)
	ann := h.as(t, h.ann)
	quote := func(form ...string) answer { return ann.post(t, in(h.acme, "/quotes"), form...) }

	dear := ann.follow(t, quote("name", "All"))
	require.Contains(t, dear.body, "You need 500 more credits")
	require.Empty(t, hiddenIn(dear.body).Get("quote_id"), "a quote that is not affordable cannot be bought")
	form := hiddenIn(dear.body)
	form.Set("partial", "1") // the button
	part := ann.follow(t, ann.send(t, http.MethodPost, in(h.acme, "/quotes"), form))
	require.Equal(t, []string{"1,500", "0", "1,500", "1,000", "0"}, figuresIn(t, part.body))
	require.Contains(t, part.body, "500 new companies are left out")
	ann.buys(t, hiddenIn(part.body))
	require.Zero(t, h.balance(t, h.acme))

	require.Contains(t, ann.follow(t, quote("name", "x", "query", "nothingislikethis")).body, "There is nothing to export")
	require.Contains(t, quote("name", "x", "only_new", "1", "limit", "0").body, "must be a whole number from 1 to 10000")
	require.Equal(t, http.StatusUnprocessableEntity, quote("name", strings.Repeat("x", 201)).status)
	require.Equal(t, http.StatusUnprocessableEntity, quote("name", "x", "format", "pdf").status)
	require.Equal(t, http.StatusUnprocessableEntity, quote("name", "x", "employee_count_min", "y").status)
	require.Equal(t, http.StatusNotFound, ann.post(t, in(h.acme, "/exports"), "quote_id", "nonsense").status)
	require.Equal(t, http.StatusNotFound, ann.post(t, in(h.acme, "/exports"), "name", "x", "quote_id", id.New[id.Quote]().String()).status)
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/exports/new?list="+id.New[id.List]().String())).status)
	require.Contains(t, ann.get(t, in(h.elsewhere, "/exports")).body, "This page does not exist.")
}

func TestANewExportShowsWhatIsWrongWithItsSearch(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	ann := h.as(t, h.ann)
	for address, want := range map[string]string{
		"has=domian":                     "<strong>Has:</strong> <bdi>“domian” is not a field of a company; did you mean domain?</bdi>",
		"exclude_bogus=1":                "<strong>Address:</strong> <bdi>“exclude_bogus” is not a filter</bdi>",
		"list=all":                       "<strong>List:</strong> <bdi>“all” is not the ID of a list</bdi>",
		"column=nmae&column=domain":      "<strong>Columns:</strong> <bdi>“nmae” is not a column; did you mean name?</bdi>",
		"format=xml":                     "<strong>Format:</strong> <bdi>“xml” must be",
		"format=xlsx&compression=gzip":   "Only CSV, JSON and NDJSON are compressed: choose one of them, or None.",
		"format=json&header_row=label":   "Only CSV and XLSX have labels: choose one of them, or names.",
		"compression=zip":                "<strong>Address:</strong> <bdi>“compression” must be none, gzip or zstd</bdi>",
		"limit=none":                     "must be a whole number from 1 to 10000",
		"employee_count_min=1&query=%21": "<strong>Text:</strong>",
	} {
		t.Run(address, func(t *testing.T) {
			a := ann.get(t, in(h.acme, "/exports/new?"+address))
			require.Equal(t, http.StatusOK, a.status)
			require.Contains(t, a.body, want)
			require.Equal(t, "–", figuresIn(t, a.body)[0], "no price")
			form, err := url.ParseQuery(address)
			require.NoError(t, err)
			a = ann.send(t, http.MethodPost, in(h.acme, "/quotes"), form)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, want)
		})
	}
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/exports/new?again=x")).status)

	page := ann.get(t, in(h.acme, "/exports/new?exclude_countries=Germny&limit=5")).body
	require.Contains(t, page, "Not country <bdi>“Germny”</bdi>: no such country is known; did you mean Germany?")
	require.Contains(t, page, `/exports/new?exclude_countries=Germany&amp;format=csv&amp;limit=5`, "with the rest of the form")
	quote := ann.follow(t, ann.post(t, in(h.acme, "/quotes"), "exclude_countries", "Germny", "name", "All", "limit", "5"))
	require.Contains(t, quote.body, "Confirm export")
	require.Contains(t, quote.body, "Not country <bdi>“Germny”</bdi>: no such country is known")
}

func TestTheOptionsOfAFileGoFromTheFormToTheFile(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 5)...)
	ann := h.as(t, h.ann)
	form := ann.get(t, in(h.acme, "/exports/new"))
	for _, label := range []string{"CSV", "JSON", "NDJSON", "Parquet", "XLSX"} {
		require.Contains(t, form.body, "> "+label+"</label>")
	}
	plain := ann.follow(t, ann.post(t, in(h.acme, "/quotes"), "name", "All", "format", "parquet", "compression", "none", "header_row", "name"))
	require.Contains(t, plain.body, "Parquet · companies and price")
	buy := ann.quoted(t, "name", "All", "format", "csv", "compression", "zstd", "header_row", "label", "column", "name", "column", "employee_count")
	quote := ann.get(t, in(h.acme, "/quotes/"+buy.Get("quote_id")))
	require.Contains(t, quote.body, "CSV, zstd, with labels as headers · companies and price")
	require.Contains(t, quote.body, "compression=zstd&amp;format=csv&amp;header_row=label", "Edit leads back to the same form")
	path := ann.buys(t, buy)
	h.work(t)
	ann.get(t, path+"/events") // until it has completed
	link := ann.get(t, path+"/download").location()
	require.Contains(t, link, ".csv.zst")
	require.Contains(t, ann.get(t, path).body, "Download CSV")
}

func TestAListIsExportedWithoutFilters(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 50)...)
	l, err := h.Lists.Create(t.Context(), h.acme, "Mine")
	require.NoError(t, err)
	a := h.as(t, h.ann).get(t, in(h.acme, "/exports/new?list="+l.ID.String()+"&countries=Germany"))
	require.Contains(t, a.body, "is exported as a whole: it takes no filters and no order")
	require.Equal(t, "–", figuresIn(t, a.body)[0])
}

// Without its filters, the search would find every company, and repeating the export would buy them.
func TestAnExportWithUnreadableFiltersIsNotRepeated(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	ann := h.as(t, h.ann)
	export := h.bought(t, auth.Caller{Person: h.ann.ID, Workspace: h.acme, Scope: auth.ReadWrite})
	for name, filters := range map[string]string{"a filter that is unknown": `{"sector":["Fintech"]}`, "no JSON": `x`} {
		h.exec(t, `UPDATE export SET filters = $1`, filters)
		a := ann.get(t, in(h.acme, "/exports/new?again="+export.String()))
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, a.body, "The filters of this export cannot be read", name)
		require.Contains(t, ann.get(t, in(h.acme, "/exports/"+export.String())).body, "The filters cannot be read", name)
	}
}

func TestExpiredQuoteIsPricedAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 100)...)
	ann := h.as(t, h.ann)
	buy := ann.quoted(t, "name", "All")
	h.exec(t, `UPDATE quote SET expires_at = 1`)
	a := ann.follow(t, ann.send(t, http.MethodPost, in(h.acme, "/exports"), buy))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "Nothing was charged. This is the current price.")
	require.NotEqual(t, buy.Get("quote_id"), hiddenIn(a.body).Get("quote_id"))
	require.Equal(t, int64(1000), h.balance(t, h.acme))
	ann.buys(t, hiddenIn(a.body))
	require.Equal(t, int64(900), h.balance(t, h.acme))
}

func TestCancelledExportRefundsItsCredits(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 30)...)
	ann := h.as(t, h.ann)
	path := ann.buys(t, ann.quoted(t, "name", "All"))
	require.Equal(t, http.StatusSeeOther, ann.post(t, path+"/cancel").status)
	a := ann.get(t, path)
	require.Contains(t, a.body, "Cancelled. 30 credits refunded.")
	require.Contains(t, a.body, "nothing was delivered")
	require.NotContains(t, ann.get(t, path).body, "Cancelled. 30", "shown once")
	require.Equal(t, int64(1000), h.balance(t, h.acme))
	require.Contains(t, ann.get(t, path+"/receipt").body, ">refunded<")
}

func TestSheetsAreSafeForSpreadsheets(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, &company.Company{ID: id.New[id.Company](), Name: `=HYPERLINK("http://evil.example")`, Domain: "evil.example"})
	ann := h.as(t, h.ann)
	h.grant(t, h.acme, credit.Grant{Amount: 5, Note: `=cmd|'/c calc'!A0`, Actor: credit.ActorSystem})
	path := ann.buys(t, ann.quoted(t, "name", "All"))
	for name, at := range map[string]string{
		"receipt":      path + "/receipt?format=csv",
		"transactions": in(h.acme, "/credits?format=csv"),
	} {
		a := ann.get(t, at)
		require.Contains(t, a.header.Get("Content-Disposition"), "attachment; filename="+name)
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		require.NoError(t, err)
		require.Greater(t, len(rows), 1)
		escaped := false
		for _, row := range rows {
			for _, cell := range row {
				require.False(t, strings.HasPrefix(cell, "="), "%s: %s", name, cell)
				escaped = escaped || strings.HasPrefix(cell, "'=")
			}
		}
		require.True(t, escaped, name)
	}
	empty := ann.get(t, in(h.acme, "/credits?format=csv&to=2001-01-01"))
	require.Equal(t, "id,created_at,amount,balance_after,reason,reference,export_id,actor_type,actor_id,actor_name,note\r\n", empty.body)
}

func TestHistoryIsPaged(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, in(h.acme, "/exports")).body, "No exports yet")
	for n := range pageSize + 5 {
		ann.buys(t, ann.quoted(t, "name", fmt.Sprint("export ", n)))
	}
	first := ann.get(t, in(h.acme, "/exports")).body
	require.Equal(t, pageSize, strings.Count(first, "class=\"name\""))
	next := regexp.MustCompile(`rel="next" href="` + basePath + `([^"]+)"`).FindStringSubmatch(first)
	require.NotNil(t, next)
	require.Equal(t, 5, strings.Count(ann.get(t, next[1]).body, "class=\"name\""))
}

// An export of a set has no filters beside it: without the set, its page would say that it has all companies.
func TestPageOfAnExportNamesItsSets(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann := h.as(t, h.ann)
	of := query.Filters{In: []query.SetRef{{ListID: ann.listOfAll(t, "", "Prospects").String()}}}
	for _, source := range []export.Source{export.SourceSearch, export.SourceSet} {
		asked, err := query.Parse(of)
		require.NoError(t, err)
		e, _, err := h.Exports.Create(t.Context(), auth.Caller{Workspace: h.acme, Person: h.ann.ID}, export.Request{
			Name: "Mine", Source: source, Query: asked, Filters: json.RawMessage(of.String()), Format: format.CSV,
		})
		require.NoError(t, err)
		page := ann.get(t, in(h.acme, "/exports/"+e.ID.String())).body
		require.NotContains(t, page, "All companies.", source)
		require.Contains(t, page, "<b>In</b> <bdi>Prospects</bdi>", source)
	}
}
