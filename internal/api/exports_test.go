package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
)

type figures struct {
	RequestedCount  int  `json:"requested_count"`
	AlreadyUnlocked int  `json:"already_unlocked"`
	NewCount        int  `json:"new_count"`
	Cost            int  `json:"cost"`
	CreditsCharged  int  `json:"credits_charged"`
	WouldSkip       int  `json:"would_skip"`
	CappedAt10k     bool `json:"capped_at_10k"`
}

type created struct {
	ExportJob struct {
		ID, Name, Status string
		ExportFormat     string `json:"export_format"`
		SourceType       string `json:"source_type"`
	} `json:"export_job"`
	figures
	TransactionID *string `json:"transaction_id"`
}

func create(t testing.TB, h *house, body M) created {
	t.Helper()
	return get[created](t, h, h.writer, http.StatusCreated, "POST", "/exports", body)
}

func balance(t testing.TB, h *house) int {
	t.Helper()
	return get[struct{ Balance int }](t, h, h.reader, 200, "GET", "/credits", nil).Balance
}

func exportsMade(t testing.TB, h *house) int {
	t.Helper()
	return len(get[struct{ Items []M }](t, h, h.reader, 200, "GET", "/exports", nil).Items)
}

// finish polls, as a client does, until the export has ended.
func finish(t testing.TB, h *house, export string) M {
	t.Helper()
	for range 2000 {
		e := get[M](t, h, h.reader, 200, "GET", "/exports/"+export, nil)
		if e["status"] == "completed" || e["status"] == "failed" {
			return e
		}
		time.Sleep(5 * time.Millisecond) // a client polls
	}
	t.Fatal("the export does not end")
	return nil
}

// download fetches the file with nothing but the link.
func download(t testing.TB, h *house, export string) answer {
	t.Helper()
	link := get[M](t, h, h.reader, 200, "POST", "/exports/"+export+"/download", nil)["download_url"].(string)
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.True(t, u.IsAbs(), link)
	return h.raw(t, h.request(t, "", "GET", u.RequestURI(), nil))
}

func TestTheSampleExportReturnsEveryDocumentedField(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	h.work(t)
	h.put(t, madeUp("Alpha Fintech", "United States", 500), madeUp("Beta", "United States", 50), madeUp("Gamma Fintech", "Peru", 5))
	const seed = `{"name":"US fintech 50+","source_type":"search","export_format":"csv","search_filters":{"query":"fintech","countries":["US"]}}`
	a := h.send(t, h.writer, "POST", "/exports", seed)
	require.Equal(t, http.StatusCreated, a.status, "%s", a.body)
	var got M
	a.into(t, &got)
	job := got["export_job"].(M)
	require.Len(t, job["id"], 36)
	require.Len(t, got["transaction_id"], 36)
	delete(job, "id")
	delete(got, "transaction_id")
	require.Equal(t, M{
		"export_job": M{
			"name": "US fintech 50+", "status": "pending", "export_format": "csv", "source_type": "search",
		},
		"requested_count": 1.0, "already_unlocked": 0.0, "new_count": 1.0, "cost": 1.0, "credits_charged": 1.0,
		"would_skip": 0.0, "capped_at_10k": false, "excluded_count": 0.0, "warnings": []any{},
	}, got)

	again := h.send(t, h.writer, "POST", "/exports", seed)
	again.into(t, &got)
	require.Equal(t, http.StatusCreated, again.status)
	require.EqualValues(t, 0, got["cost"])
	require.EqualValues(t, 1, got["already_unlocked"])
	require.Nil(t, got["transaction_id"], "no charge, no transaction")
	require.Equal(t, 999, balance(t, h))

	id := got["export_job"].(M)["id"].(string)
	done := finish(t, h, id)
	require.Equal(t, "completed", done["status"])
	require.Equal(t, h.ws.String(), done["workspace_id"])
	require.Equal(t, done["total_records"], done["processed_records"])
	require.Equal(t, M{"query": "fintech", "countries": []any{"US"}}, done["search_filters"])
	file := download(t, h, id)
	require.Equal(t, http.StatusOK, file.status)
	require.EqualValues(t, len(file.body), done["file_size_bytes"])
	require.Contains(t, file.header.Get("Content-Disposition"), "us-fintech-50")
	rows, err := csv.NewReader(strings.NewReader(string(file.body))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
}

func TestAQuoteHasTheFiguresOfTheExportAndCostsNothing(t *testing.T) {
	t.Parallel()
	h := stocked(t, 300, settings{})
	create(t, h, M{"name": "first", "search_filters": M{"countries": []string{"US"}}})
	before := balance(t, h)
	body := M{"search_filters": M{"countries": []string{"US", "DE", "GB"}}}
	type quote struct {
		figures
		Balance    int
		Affordable bool
	}
	quoted := get[quote](t, h, h.reader, 200, "POST", "/exports/quote", body)
	require.Equal(t, before, quoted.Balance)
	require.True(t, quoted.Affordable)
	require.Zero(t, quoted.CreditsCharged)
	require.Equal(t, before, balance(t, h))
	require.Equal(t, 1, exportsMade(t, h))

	body["name"] = "second"
	made := create(t, h, body)
	require.Equal(t, quoted.NewCount, made.CreditsCharged)
	quoted.CreditsCharged = made.CreditsCharged
	require.Equal(t, quoted.figures, made.figures)
	require.Equal(t, quoted.RequestedCount, quoted.AlreadyUnlocked+quoted.NewCount)
	require.Positive(t, quoted.AlreadyUnlocked)
	require.Equal(t, before-made.Cost, balance(t, h))
}

func TestAnInsufficientBalanceCreatesNothing(t *testing.T) {
	t.Parallel()
	h := stocked(t, 180, settings{})
	poor := h.workspace(t, 179)
	h.writer, h.reader = h.token(t, poor, auth.ReadWrite), h.token(t, poor, auth.Read)
	body := M{"name": "180 new ones", "search_filters": M{}}
	a := h.send(t, h.writer, "POST", "/exports", body)
	require.Equal(t, http.StatusPaymentRequired, a.status)
	f := a.failure(t)
	require.Equal(t, "insufficient_balance", f.Code)
	require.Equal(t, M{
		"balance": 179.0, "requested_count": 180.0, "already_unlocked": 0.0, "new_count": 180.0, "would_skip": 1.0,
	}, f.Details)
	require.Equal(t, 179, balance(t, h))
	require.Zero(t, exportsMade(t, h))

	quoted := get[M](t, h, h.reader, 200, "POST", "/exports/quote", body)
	require.Equal(t, false, quoted["affordable"])
	require.EqualValues(t, 1, quoted["would_skip"])
}

func TestAnExportOfEverythingIsCappedAndReportsIt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 10,050 companies")
	}
	h := stocked(t, 10_050, settings{})
	rich := h.workspace(t, 20_000)
	h.writer, h.reader = h.token(t, rich, auth.ReadWrite), h.token(t, rich, auth.Read)
	made := create(t, h, M{"name": "everything", "search_filters": M{}})
	require.Equal(t, 10_000, made.RequestedCount)
	require.True(t, made.CappedAt10k)
	require.Equal(t, 10_000, balance(t, h))
}

func TestInvalidExportsAreRefusedAndChargeNothing(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	foreign := h.workspace(t, 10)
	other := h.token(t, foreign, auth.ReadWrite)
	theirs := get[M](t, h, other, 201, "POST", "/lists", M{"name": "theirs"})["id"].(string)
	with := func(more M) M {
		body := M{"name": "x", "search_filters": M{}}
		for k, v := range more {
			if body[k] = v; v == nil {
				delete(body, k)
			}
		}
		return body
	}
	for name, c := range map[string]struct {
		body  any
		field string
	}{
		"broken JSON":        {`{"name": "x", "search_filters": {`, "body"},
		"no body":            {nil, "name"},
		"no name":            {with(M{"name": nil}), "name"},
		"empty name":         {with(M{"name": ""}), "name"},
		"blank name":         {with(M{"name": "  "}), "name"},
		"long name":          {with(M{"name": strings.Repeat("x", 10_000)}), "name"},
		"control in name":    {with(M{"name": "a\nb"}), "name"},
		"NUL in name":        {`{"name": "a\u0000", "search_filters": {}}`, "name"},
		"surrogate in name":  {`{"name": "a\ud800", "search_filters": {}}`, "name"},
		"name of wrong type": {with(M{"name": 7}), "name"},
		"no filters":         {M{"name": "x"}, "search_filters"},
		"filters null":       {M{"name": "x", "search_filters": nil}, "search_filters"},
		"filters a list":     {with(M{"search_filters": []string{}}), "search_filters"},
		"misspelt filter":    {with(M{"search_filters": M{"countrys": []string{"US"}}}), "search_filters.countrys"},
		"filter outside":     {with(M{"countries": []string{"US"}}), "countries"},
		"limit inside":       {with(M{"search_filters": M{"limit": 5}}), "search_filters.limit"},
		"cursor inside":      {with(M{"search_filters": M{"cursor": "x"}}), "search_filters.cursor"},
		"bad value inside":   {with(M{"search_filters": M{"cities": []string{" "}}}), "search_filters.cities[0]"},
		"unknown source":     {with(M{"source_type": "everything"}), "source_type"},
		"unknown format":     {with(M{"export_format": "xls"}), "export_format"},
		"unknown sort":       {with(M{"sort_by": "size"}), "sort_by"},
		"list without id":    {with(M{"source_type": "list", "search_filters": nil}), "list_id"},
		"list and filters":   {with(M{"source_type": "list", "list_id": theirs}), "search_filters"},
		"list id and search": {with(M{"list_id": theirs}), "list_id"},
		"list id no UUID":    {M{"name": "x", "source_type": "list", "list_id": "7"}, "list_id"},
		"misspelt field":     {with(M{"export_fromat": "csv"}), "export_fromat"},
		"no columns":         {with(M{"columns": []string{}}), "columns"},
		"CSV options, JSON":  {with(M{"export_format": "json", "csv_options": M{"bom": true}}), "csv_options"},
		"CSV options, XLSX":  {with(M{"export_format": "xlsx", "csv_options": M{}}), "csv_options"},
		"Parquet, gzip":      {with(M{"export_format": "parquet", "compression": "gzip"}), "compression"},
		"XLSX, zstd":         {with(M{"export_format": "xlsx", "compression": "zstd"}), "compression"},
		"compression, zip":   {with(M{"compression": "zip"}), "compression"},
		"labels, JSON":       {with(M{"export_format": "json", "header_row": "label"}), "header_row"},
		"labels, NDJSON":     {with(M{"export_format": "ndjson", "header_row": "label"}), "header_row"},
		"labels, Parquet":    {with(M{"export_format": "parquet", "header_row": "label"}), "header_row"},
		"unknown headers":    {with(M{"header_row": "both"}), "header_row"},
		"CSV options, type":  {with(M{"csv_options": M{"bom": "yes"}}), "csv_options.bom"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, h.send(t, h.writer, "POST", "/exports", c.body).fields(t), c.field, name)
			if c.field != "name" || name == "control in name" {
				require.Contains(t, h.send(t, h.reader, "POST", "/exports/quote", c.body).fields(t), c.field, name)
			}
		})
	}
	none := h.send(t, h.writer, "POST", "/exports", with(M{"columns": []string{}})).fields(t)
	require.Equal(t, "must have at least 1 item", none["columns"])
	for _, path := range []string{"/exports", "/exports/quote"} {
		a := h.send(t, h.writer, "POST", path, M{"name": "x", "source_type": "list", "list_id": theirs})
		require.Equal(t, "NOT_FOUND", a.code(t))
		unknown := h.send(t, h.writer, "POST", path, M{"name": "x", "source_type": "list", "list_id": uuid.NewString()})
		require.Equal(t, "NOT_FOUND", unknown.code(t))
		a = h.send(t, h.writer, "POST", path, with(M{"search_filters": M{"countries": []string{"Atlantis"}}}))
		require.Equal(t, http.StatusBadRequest, a.status)
		require.Equal(t, "no_candidates", a.code(t))
	}
	require.Zero(t, exportsMade(t, h))
	require.Equal(t, 1000, balance(t, h))
}

func TestAnExportOfAnotherWorkspaceLooksLikeAnUnknownOne(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	export := create(t, h, M{"name": "mine", "search_filters": M{}}).ExportJob.ID
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	for method, suffix := range map[string]string{"GET": "", "POST": "/download"} {
		t.Run(method, func(t *testing.T) {
			theirs := h.send(t, other, method, "/exports/"+export+suffix, nil)
			nobodys := h.send(t, other, method, "/exports/"+uuid.NewString()+suffix, nil)
			require.Equal(t, http.StatusNotFound, theirs.status)
			require.Equal(t, nobodys.status, theirs.status)
			require.Equal(t, nobodys.code(t), theirs.code(t))
			require.Contains(t, h.send(t, other, method, "/exports/nonsense"+suffix, nil).fields(t), "export_id")
		})
	}
	require.Empty(t, get[struct{ Items []M }](t, h, other, 200, "GET", "/exports", nil).Items)
}

func TestAFileCanBeDownloadedOnceTheExportIsCompleted(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{publicURL: "https://capi.example.com/"})
	export := create(t, h, M{"name": "mine", "search_filters": M{}, "export_format": "json"}).ExportJob.ID
	a := h.send(t, h.reader, "POST", "/exports/"+export+"/download", nil)
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, "EXPORT_NOT_COMPLETED", a.code(t))
	require.Equal(t, "pending", a.failure(t).Details["status"])

	h.work(t)
	finish(t, h, export)
	link := get[M](t, h, h.reader, 200, "POST", "/exports/"+export+"/download", M{})["download_url"].(string)
	require.True(t, strings.HasPrefix(link, "https://capi.example.com/files/"), link)
	file := download(t, h, export)
	require.Equal(t, "application/json", file.header.Get("Content-Type"))
	var rows []M
	require.NoError(t, json.Unmarshal(file.body, &rows))
	require.Len(t, rows, 20)

	u, err := url.Parse(link)
	require.NoError(t, err)
	r := h.request(t, "", "GET", u.RequestURI(), nil)
	r.Header.Set("Range", "bytes=0-9")
	require.Equal(t, http.StatusPartialContent, h.raw(t, r).status)
	r.Header.Set("Range", "bytes=99999999-")
	beyond := h.raw(t, r)
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, beyond.status)
	require.Equal(t, "RANGE_NOT_SATISFIABLE", beyond.code(t))
	require.Equal(t, fmt.Sprintf("bytes */%d", len(file.body)), beyond.header.Get("Content-Range"))
	require.Equal(t, "application/json", beyond.header.Get("Content-Type"))
	require.Empty(t, beyond.header.Get("Content-Disposition"))
	tampered := h.raw(t, h.request(t, "", "GET", strings.Replace(u.RequestURI(), "name=", "name=x", 1), nil))
	require.Equal(t, http.StatusForbidden, tampered.status)
	require.Equal(t, "INVALID_LINK", tampered.code(t))
	require.Equal(t, "METHOD_NOT_ALLOWED", h.raw(t, h.request(t, "", "DELETE", u.RequestURI(), nil)).code(t))
}

func TestCSVOptionsReachTheFile(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	h.work(t)
	h.put(t, madeUp("=1+1 Formula", "Peru", 1))
	plain := create(t, h, M{"name": "plain", "search_filters": M{}}).ExportJob.ID
	raw := create(t, h, M{
		"name": "raw", "search_filters": M{}, "csv_options": M{"bom": true, "raw_formulas": true},
	}).ExportJob.ID
	finish(t, h, plain)
	finish(t, h, raw)
	require.Contains(t, string(download(t, h, plain).body), "'=1+1 Formula")
	file := string(download(t, h, raw).body)
	require.True(t, strings.HasPrefix(file, "\ufeff"))
	require.NotContains(t, file, "'=1+1 Formula")
}

func TestExportsArePagedNewestFirst(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		create(t, h, M{"name": name, "search_filters": M{}})
	}
	type exports struct {
		Items      []struct{ Name string }
		NextCursor *string `json:"next_cursor"`
	}
	var names []string
	for path := "/exports?limit=2"; ; {
		p := get[exports](t, h, h.reader, 200, "GET", path, nil)
		for _, e := range p.Items {
			names = append(names, e.Name)
		}
		if p.NextCursor == nil {
			break
		}
		path = "/exports?limit=2&cursor=" + url.QueryEscape(*p.NextCursor)
	}
	require.Equal(t, []string{"five", "four", "three", "two", "one"}, names)
	require.Equal(t, "INVALID_CURSOR", h.send(t, h.reader, "GET", "/exports?cursor=!", nil).code(t))
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "limit=1.5": "limit", "limt=5": "limt",
		"limit=5&limit=6": "limit", "cursor=%00": "cursor", "cursor=%ff": "cursor", "limit=%zz": "query", "page=2": "page",
	} {
		t.Run(query, func(t *testing.T) {
			require.Contains(t, h.send(t, h.reader, "GET", "/exports?"+query, nil).fields(t), field, query)
		})
	}
}
