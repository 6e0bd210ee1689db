package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
)

// matched is a house with companies whose identities are easily confused.
func matched(t testing.TB, d *db.DB) *house {
	t.Helper()
	h := open(t, settings{db: d})
	h.put(t,
		&company.Company{Name: "Alpha & Sons, Ltd.", Domain: "alpha.example", Country: "United Kingdom", CountryCode: "GB", City: "Leeds"},
		&company.Company{Name: "Beta", Domain: "beta.example", Country: "Germany", CountryCode: "DE", City: "Köln", LinkedInURL: "https://www.linkedin.com/company/beta-gmbh"},
		&company.Company{Name: "Beta", Country: "France", CountryCode: "FR", City: "Lyon"},
		&company.Company{Name: "Shared One", Domain: "shared.example", Country: "Spain", CountryCode: "ES"},
		&company.Company{Name: "Shared Two", Domain: "shared.example", Country: "Italy", CountryCode: "IT"},
		&company.Company{Name: "Gamma", Domain: "gamma.example"},
	)
	return h
}

func match(t testing.TB, h *house, rows ...M) client.MatchResult {
	t.Helper()
	return get[client.MatchResult](t, h, h.reader, http.StatusOK, "POST", "/companies/match", M{"rows": rows})
}

func TestRowsMatchByTheirRules(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := matched(t, d)
		beta := find(t, h, M{"query": "beta.example"}).Items[0].ID
		for name, test := range map[string]struct {
			row                  M
			status, reason, name string
			confidence           float64
			candidates           int
		}{
			"id":                            {row: M{"id": beta, "name": "Other"}, status: "matched", reason: "id", name: "Beta", confidence: 1},
			"a URL as the domain":           {row: M{"domain": "https://www.Alpha.example/about"}, status: "matched", reason: "domain", name: "Alpha & Sons, Ltd.", confidence: 0.95},
			"an email address":              {row: M{"domain": "jo@alpha.example"}, status: "matched", reason: "domain", name: "Alpha & Sons, Ltd.", confidence: 0.95},
			"website":                       {row: M{"website": "http://gamma.example/x", "domain": "unheard.example"}, status: "matched", reason: "domain", name: "Gamma", confidence: 0.95},
			"several with the domain":       {row: M{"domain": "shared.example"}, status: "ambiguous", reason: "domain", candidates: 2},
			"the name decides":              {row: M{"domain": "shared.example", "name": "SHARED-two"}, status: "matched", reason: "domain", name: "Shared Two", confidence: 0.9},
			"the country decides":           {row: M{"domain": "shared.example", "country": "es"}, status: "matched", reason: "domain", name: "Shared One", confidence: 0.9},
			"LinkedIn":                      {row: M{"linkedin_url": "linkedin.com/company/Beta-GmbH/"}, status: "matched", reason: "linkedin_url", name: "Beta", confidence: 0.9},
			"another page contradicts":      {row: M{"domain": "beta.example", "linkedin_url": "https://linkedin.com/company/other"}, status: "unmatched"},
			"several with the name":         {row: M{"name": "beta"}, status: "ambiguous", reason: "name", candidates: 2},
			"name and city":                 {row: M{"name": "BETA", "country": "DEU", "city": "koln"}, status: "matched", reason: "name", name: "Beta", confidence: 0.9},
			"name and country":              {row: M{"name": "Beta", "country": "France"}, status: "matched", reason: "name", name: "Beta", confidence: 0.8},
			"name alone, written otherwise": {row: M{"name": "alpha and sons LTD"}, status: "matched", reason: "name", name: "Alpha & Sons, Ltd.", confidence: 0.6},
			"the country contradicts":       {row: M{"name": "Alpha & Sons Ltd", "country": "US"}, status: "unmatched"},
			"the domain contradicts":        {row: M{"name": "Gamma", "domain": "other.example"}, status: "unmatched"},
			"nobody":                        {row: M{"name": "Unheard Of"}, status: "unmatched"},
			"a number that is no id here":   {row: M{"id": "17", "name": "Gamma"}, status: "matched", reason: "name", name: "Gamma", confidence: 0.6},
		} {
			t.Run(name, func(t *testing.T) {
				row := match(t, h, test.row).Rows[0]
				require.Equal(t, test.status, row.Status)
				require.Len(t, row.Candidates, test.candidates)
				require.InDelta(t, test.confidence, row.Confidence, 1e-9)
				if test.reason == "" {
					require.Nil(t, row.Reason)
				} else {
					require.Equal(t, test.reason, *row.Reason)
				}
				if test.name == "" {
					require.Nil(t, row.Company)
				} else {
					require.Equal(t, test.name, row.Company.Name)
				}
			})
		}
	})
}

// What a match costs is what its export costs, and the file has the caller's keys.
func TestAMatchIsQuotedListedAndExportedWithTheCallersKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := matched(t, d)
		h.work(t)
		before := balance(t, h)
		rows := []M{
			{"key": "k3", "name": "Gamma"},
			{"key": "=1+1", "domain": "alpha.example"},
			{"key": "k1", "domain": "gamma.example"},
			{"key": "lost", "name": "Unheard Of"},
			{"key": "two", "domain": "shared.example"},
		}
		found := match(t, h, rows...)
		require.Equal(t, []int{3, 1, 1, 2, 0, 2}, []int{
			found.Matched, found.Ambiguous, found.Unmatched, found.Companies, found.Credits.AlreadyUnlocked, found.Credits.NewCount,
		})
		coverage := map[string]int{}
		for _, c := range found.Coverage {
			coverage[c.Field] = c.Count
		}
		require.Equal(t, 2, coverage["domain"])
		require.Equal(t, 1, coverage["country"])
		require.Contains(t, coverage, "technologies")

		of := M{"name": "x", "source_type": "match", "match_id": found.ID}
		q := quoted(t, h, of)
		require.Equal(t, 2, q.NewCount)
		require.Equal(t, before, balance(t, h), "matching and quoting charge nothing")
		l := newList(t, h, "from a match")
		change := get[client.ListChange](t, h, h.writer, 200, "POST", "/lists/"+l+"/companies", M{"match_id": found.ID})
		require.Equal(t, 2, change.Changed)

		for _, body := range []M{{"name": "x", "quote_id": q.QuoteID}, of} {
			export := create(t, h, body).ExportJob.ID
			detail := finish(t, h, export)
			require.Equal(t, "match", detail["source_type"])
			require.Equal(t, found.ID, detail["match_id"])
			lines := strings.Split(strings.TrimSpace(string(download(t, h, export).body)), "\r\n")
			require.Len(t, lines, 3)
			require.True(t, strings.HasPrefix(lines[0], "match_key,id,name,"), lines[0])
			require.True(t, strings.HasPrefix(lines[1], "k3; k1,"), "both rows of the company: %s", lines[1])
			require.True(t, strings.HasPrefix(lines[2], "'=1+1,"), "a key is no formula: %s", lines[2])
		}
		require.Equal(t, before-2, balance(t, h))
		require.True(t, match(t, h, rows[0]).Rows[0].Company.Unlocked)

		few := create(t, h, M{"name": "x", "source_type": "match", "match_id": found.ID, "export_format": "json", "columns": []string{"name"}, "limit": 1})
		finish(t, h, few.ExportJob.ID)
		require.JSONEq(t, `[{"match_key":["k3","k1"],"name":"Gamma"}]`, string(download(t, h, few.ExportJob.ID).body))
		findings, err := h.exports.Audit(t.Context())
		require.NoError(t, err)
		require.Empty(t, findings)
	})
}

func TestAMatchBelongsToItsWorkspaceForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	h := matched(t, nil)
	mine := match(t, h, M{"name": "Gamma"})
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	foreign := newList(t, h, "x")
	for _, token := range []string{other, h.writer} {
		body := M{"name": "x", "source_type": "match", "match_id": mine.ID}
		if token == h.writer {
			h.exec(t, `UPDATE match_result SET expires_at = 1`)
			require.Equal(t, "NOT_FOUND", h.send(t, token, "POST", "/lists/"+foreign+"/companies", M{"match_id": mine.ID}).code(t))
		}
		require.Equal(t, "NOT_FOUND", h.send(t, token, "POST", "/exports/quote", body).code(t))
		require.Equal(t, "NOT_FOUND", h.send(t, token, "POST", "/exports", body).code(t))
	}
	require.NoError(t, h.Matches.Prune(t.Context()))
	var left int
	require.NoError(t, h.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM match_result`).Scan(&left))
	require.Zero(t, left)
}

func TestAMatchIsASetLikeOthers(t *testing.T) {
	t.Parallel()
	h := matched(t, nil)
	found := match(t, h, M{"name": "Gamma"}, M{"domain": "alpha.example"})
	require.Equal(t, 2, find(t, h, M{"in": []M{{"match_id": found.ID}}}).Total)
	require.Equal(t, 1, find(t, h, M{"in": []M{{"all_of": []M{{"match_id": found.ID}, {"search": M{"countries": []string{"GB"}}}}}}}).Total)
	require.Equal(t, 4, find(t, h, M{"not_in": []M{{"match_id": found.ID}}}).Total)
	of := M{"name": "x", "source_type": "set", "set": M{"match_id": found.ID}}
	require.Equal(t, 2, quoted(t, h, of).NewCount)
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	require.Equal(t, "NOT_FOUND", h.send(t, other, "POST", "/companies/search", M{"in": []M{{"match_id": found.ID}}}).code(t))
	require.Equal(t, "NOT_FOUND", h.send(t, other, "POST", "/exports", of).code(t))
}

func TestAMatchCostsWhatItsQuoteSaysWhateverIsExcluded(t *testing.T) {
	t.Parallel()
	h := matched(t, nil)
	list := get[M](t, h, h.writer, http.StatusCreated, "POST", "/lists", M{"name": "Customers"})["id"].(string)
	rows := []M{{"name": "Gamma"}, {"domain": "alpha.example"}}
	found := match(t, h, rows...)
	require.Equal(t, []int{2, 0}, []int{found.Credits.NewCount, found.Excluded})
	get[M](t, h, h.writer, 200, "POST", "/lists/"+list+"/companies", M{"match_id": match(t, h, rows[0]).ID})
	get[M](t, h, h.writer, 200, "PATCH", "/lists/"+list, M{"excluded": true})
	found = match(t, h, rows...)
	require.Equal(t, []int{2, 1, 1}, []int{found.Companies, found.Credits.NewCount, found.Excluded})
	require.Equal(t, 1, quoted(t, h, M{"name": "x", "source_type": "match", "match_id": found.ID}).NewCount)
}

func TestAMatchKeepsNothingOfTheRowsButTheirKeys(t *testing.T) {
	t.Parallel()
	h := matched(t, nil)
	match(t, h, M{"key": "crm-7", "name": "Gamma", "city": "Zqcity"}, M{"key": "crm-8", "name": "Zqnobody"})
	var kept string
	require.NoError(t, h.db.Read().QueryRowContext(t.Context(), `SELECT CAST(companies AS TEXT) FROM match_result`).Scan(&kept))
	require.Contains(t, kept, "crm-7")
	for _, value := range []string{"Gamma", "Zqcity", "Zqnobody", "crm-8"} {
		require.NotContains(t, kept, value)
	}
}

func TestBadListsAreRefusedWithTheNumberOfTheRow(t *testing.T) {
	t.Parallel()
	h := matched(t, nil)
	many := make([]M, 10_001)
	for i := range many {
		many[i] = M{"name": "x"}
	}
	for name, test := range map[string]struct {
		body    any
		field   string
		message string
	}{
		"no rows":              {M{}, "rows", "required"},
		"empty":                {M{"rows": []M{}}, "rows", "1"},
		"too many":             {M{"rows": many}, "rows", "10000"},
		"no list":              {M{"rows": M{"name": "x"}}, "rows", "list"},
		"nothing to match by":  {M{"rows": []M{{"name": "x"}, {"key": "k", "country": "DE"}}}, "rows[1]", "nothing to match by"},
		"another type":         {M{"rows": []M{{"name": 7}}}, "rows[0].name", "string"},
		"a misspelt field":     {M{"rows": []M{{"nmae": "x"}}}, "rows[0].nmae", "name"},
		"too long":             {M{"rows": []M{{"name": strings.Repeat("x", 1001)}}}, "rows[0].name", "1000"},
		"a field beside rows":  {M{"rows": []M{{"name": "x"}}, "name": "y"}, "name", "unknown"},
		"export without match": {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.body == nil {
				fields := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "source_type": "match"}).fields(t)
				require.Contains(t, fields["match_id"], "required")
				return
			}
			fields := h.send(t, h.reader, "POST", "/companies/match", test.body).fields(t)
			require.Contains(t, fields[test.field], test.message, "%v", fields)
		})
	}
	over := h.send(t, h.reader, "POST", "/companies/match", M{"rows": []M{{"name": strings.Repeat("x", 5<<20)}}})
	require.Equal(t, http.StatusRequestEntityTooLarge, over.status)
	require.Contains(t, string(over.body), "4 MiB")
	big := make([]M, 10_000)
	for i := range big {
		big[i] = M{"key": strconv.Itoa(i), "name": strings.Repeat("é", 100)}
	}
	require.Equal(t, 10_000, match(t, h, big...).Unmatched, "a list of two MiB")
}

// With everything locked, a row finds a company only by its name, or by an identifier that is given in full; nothing that is locked
// confirms or contradicts.
func TestAMatchTellsNothingOfLockedFields(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 3)
	h.put(t, &company.Company{Name: "Guarded 0", Country: "France", CountryCode: "FR"})
	h.shows(t, "id")
	status := func(row M) string { return match(t, h, row).Rows[0].Status }
	for _, place := range []M{
		{"country": secretOf("country", 0)}, {"country": "France"}, {"country": "Nowhere"}, {"city": secretOf("city", 0)}, {"city": "x"},
	} {
		place["name"] = "Guarded 0"
		require.Equal(t, "ambiguous", status(place), "%v", place)
		place["name"] = "Guarded 1"
		require.Equal(t, "matched", status(place), "%v", place)
	}
	domain := secretOf("domain", 1) + ".test"
	require.Equal(t, "matched", status(M{"domain": domain}))
	require.Equal(t, "unmatched", status(M{"domain": secretOf("domain", 1)[:8] + ".test"}))
	require.Equal(t, "matched", status(M{"name": "Guarded 1", "domain": "other.test"}), "a locked domain does not contradict")
	found := match(t, h, M{"id": all[2].ID}, M{"name": "Guarded 0"})
	for _, c := range append(found.Rows[1].Candidates, *found.Rows[0].Company) {
		require.Nil(t, c.Domain)
		require.Nil(t, c.Country)
		require.Nil(t, c.City)
		require.Len(t, c.LockedFields, len(lockable()))
	}
	require.NotEqual(t, id.Company{}.String(), found.Rows[0].Company.ID)
}
