package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
)

type page struct {
	Items []struct {
		ID       string
		Name     string
		Unlocked bool
	}
	Total        int
	Aggregations map[string][]M
	NextCursor   *string `json:"next_cursor"`
	Warnings     []M
	Credits      struct {
		AlreadyUnlocked int `json:"already_unlocked"`
		NewCount        int `json:"new_count"`
	}
}

func find(t testing.TB, h *house, body any) page {
	t.Helper()
	return get[page](t, h, h.reader, http.StatusOK, "POST", "/companies/search", body)
}

// walk follows next_cursor to the end, as the documentation shows: do … while (cursor).
func walk(t testing.TB, h *house, body M, between func()) []string {
	t.Helper()
	var ids []string
	for {
		p := find(t, h, body)
		for _, c := range p.Items {
			ids = append(ids, c.ID)
		}
		if p.NextCursor == nil {
			return ids
		}
		body["cursor"] = *p.NextCursor
		between()
	}
}

func distinct(ids []string) int {
	return len(slices.Compact(slices.Sorted(slices.Values(ids))))
}

func madeUp(name, country string, employees int64) *company.Company {
	return &company.Company{
		ID: id.New[id.Company](), Name: name, Domain: strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".test",
		Country: country, Description: name + " makes things up.", EmployeeCount: &employees,
	}
}

func TestASearchReturnsItemsTotalFacetsAndPrice(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	h.put(t,
		madeUp("Alpha Fintech", "United States", 500), madeUp("Beta Fintech", "United States", 50),
		madeUp("Gamma Robotics", "Germany", 900),
	)
	got := find(t, h, M{"query": "fintech", "countries": []string{"us"}, "sort_by": "employee_count", "limit": 1})
	require.Equal(t, 2, got.Total)
	require.Len(t, got.Items, 1)
	require.Equal(t, "Alpha Fintech", got.Items[0].Name)
	require.False(t, got.Items[0].Unlocked)
	require.NotNil(t, got.NextCursor)
	require.Equal(t, []M{{"value": "United States", "count": 2.0}}, got.Aggregations["countries"])
	require.Equal(t, []M{
		{"min": 11.0, "max": 50.0, "count": 1.0}, {"min": 201.0, "max": 500.0, "count": 1.0},
	}, got.Aggregations["employee_count"])
	require.Equal(t, 2, got.Credits.NewCount)

	get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{"keywords": []string{"alpha"}}})
	got = find(t, h, M{"query": "fintech"})
	require.Equal(t, 1, got.Credits.AlreadyUnlocked)
	require.Equal(t, 1, got.Credits.NewCount)
	for _, c := range got.Items {
		require.Equal(t, c.Name == "Alpha Fintech", c.Unlocked)
	}
}

func TestASearchCountsOnlyRequestedFacetsAndCompletesPrefixes(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for i, industries := range [][]string{{"Software", "Software Testing"}, {"Software", "Zürich Banking"}, {"Mining", "Soft Drinks"}} {
		c := madeUp(fmt.Sprint("Company ", i), "Germany", 20)
		c.Industries = industries
		h.put(t, c)
	}
	got := find(t, h, M{"facets": []string{"industries", "founded_year"}, "facet_prefix": M{"facet": "industries", "prefix": "sOFT"}})
	require.Equal(t, map[string][]M{"founded_year": {}, "industries": {
		{"value": "Software", "count": 2.0}, {"value": "Soft Drinks", "count": 1.0}, {"value": "Software Testing", "count": 1.0},
	}}, got.Aggregations)
	got = find(t, h, M{"facet_prefix": M{"facet": "industries", "prefix": "zurich b"}})
	require.Len(t, got.Aggregations, 10)
	require.Equal(t, []M{{"value": "Zürich Banking", "count": 1.0}}, got.Aggregations["industries"])
	require.Equal(t, []M{{"value": "Germany", "count": 3.0}}, got.Aggregations["countries"])
	got = find(t, h, M{"facets": []string{}})
	require.Empty(t, got.Aggregations)
	require.Equal(t, 3, got.Total)
}

func TestFollowingTheCursorYieldsEveryMatchOnceWhileCompaniesChange(t *testing.T) {
	t.Parallel()
	h := stocked(t, 230, settings{})
	for _, sort := range []string{"employee_count", "name", "updated_at", "founded_year"} {
		before := find(t, h, M{}).Total
		pages := 0
		ids := walk(t, h, M{"limit": 30, "sort_by": sort}, func() {
			pages++
			h.put(t, madeUp(fmt.Sprintf("%s newcomer %d", sort, pages), "Peru", 1_000_000))
			for c := range companytest.Generate(1, 3*pages) { // jumps to the other end of every order
				c.EmployeeCount, c.FoundedYear = new(int64(pages)), new(int64(1800+pages))
				c.Name = fmt.Sprintf("%s %d %d", strings.Repeat("z", pages%3), pages, c.Number)
				h.put(t, c)
			}
		})
		require.Len(t, ids, before)
		require.Equal(t, before, distinct(ids))
		require.Positive(t, pages)
	}
	require.Len(t, walk(t, h, M{"limit": 100}, func() {}), find(t, h, M{}).Total)
}

func TestACursorBelongsToItsQuery(t *testing.T) {
	t.Parallel()
	h := stocked(t, 60, settings{})
	cursor := *find(t, h, M{"limit": 10, "countries": []string{"US", "DE", "GB"}}).NextCursor
	same := M{"limit": 20, "countries": []string{"united states", "gbr", "Germany"}, "cursor": cursor}
	require.Equal(t, 200, h.send(t, h.reader, "POST", "/companies/search", same).status, "another spelling is the same query")
	for name, body := range map[string]M{
		"another query": {"cursor": cursor},
		"another sort":  {"countries": []string{"US", "DE", "GB"}, "sort_by": "name", "cursor": cursor},
		"another order": {"countries": []string{"US", "DE", "GB"}, "sort_order": "asc", "cursor": cursor},
		"cut short":     {"countries": []string{"US", "DE", "GB"}, "cursor": cursor[:len(cursor)-4]},
		"tampered":      {"countries": []string{"US", "DE", "GB"}, "cursor": "AAAA" + cursor[4:]},
		"made up":       {"cursor": "42"},
		"no base64":     {"cursor": "💥"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.send(t, h.reader, "POST", "/companies/search", body)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
			require.Equal(t, "INVALID_CURSOR", a.code(t), name)
		})
	}
	require.Equal(t, 200, h.send(t, h.reader, "POST", "/companies/search", M{"cursor": nil}).status)
}

func TestUnknownFilterValuesAreWarnedAbout(t *testing.T) {
	t.Parallel()
	h := stocked(t, 200, settings{})
	facets := find(t, h, M{}).Aggregations
	industry := facets["industries"][0]["value"].(string)
	got := find(t, h, M{
		"countries": []string{"Germny", "DE"}, "industries": []string{industry + "x", industry}, "naics_codes": []string{"999999"},
	})
	told := map[string]M{}
	for _, w := range got.Warnings {
		told[w["field"].(string)+"="+w["value"].(string)] = w
	}
	require.Len(t, told, 3, "%v", told)
	require.Equal(t, "Germany", told["countries=Germny"]["suggestion"])
	require.Contains(t, told["countries=Germny"]["message"], "Germany")
	require.Equal(t, industry, told["industries="+industry+"x"]["suggestion"])
	require.Contains(t, told, "naics_codes=999999")
}

func TestInvalidSearchesAreRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{})
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprint("value ", i)
	}
	for name, c := range map[string]struct {
		body  any
		field string
	}{
		"broken JSON":        {`{"query": "x"`, "body"},
		"a list":             {`[]`, "body"},
		"a string":           {`"x"`, "body"},
		"null":               {`null`, "body"},
		"two documents":      {`{}{}`, "body"},
		"misspelt":           {M{"country": []string{"US"}}, "country"},
		"wrong type":         {M{"countries": "US"}, "countries"},
		"wrong item type":    {M{"countries": []any{"US", 7}}, "countries[1]"},
		"range turned round": {M{"employee_count_min": 10, "employee_count_max": 5}, "employee_count_min"},
		"below zero":         {M{"employee_count_max": -1}, "employee_count_max"},
		"absurd year":        {M{"founded_year_min": 1e12}, "founded_year_min"},
		"beyond all numbers": {`{"employee_count_min": 1e999}`, "employee_count_min"},
		"fraction":           {M{"limit": 2.5}, "limit"},
		"unknown facet":      {M{"facets": []string{"countries", "industrys"}}, "facets[1]"},
		"prefix of bands":    {M{"facet_prefix": M{"facet": "founded_year", "prefix": "1"}}, "facet_prefix.facet"},
		"prefix not counted": {M{"facets": []string{}, "facet_prefix": M{"facet": "cities", "prefix": "a"}}, "facet_prefix.facet"},
		"empty prefix":       {M{"facet_prefix": M{"facet": "cities", "prefix": ""}}, "facet_prefix.prefix"},
		"page too large":     {M{"limit": 101}, "limit"},
		"page too small":     {M{"limit": 0}, "limit"},
		"10,000 filters":     {M{"keywords": many}, "keywords"},
		"empty value":        {M{"cities": []string{""}}, "cities[0]"},
		"long value":         {M{"cities": []string{strings.Repeat("x", 10_000)}}, "cities[0]"},
		"NUL":                {`{"query": "a\u0000b"}`, "query"},
		"raw control":        {M{"cities": []string{"a\u0001b"}}, "cities[0]"},
		"half a surrogate":   {`{"states": ["\udc00"]}`, "states[0]"},
		"not UTF-8":          {"{\"query\": \"\xc3\x28\"}", "body"},
		"twice":              {`{"query": "a", "query": "b"}`, "query"},
		"punctuation":        {M{"query": "…!"}, "query"},
		"unknown sort":       {M{"sort_by": "employees"}, "sort_by"},
		"unknown order":      {M{"sort_order": "descending"}, "sort_order"},
		"no object":          {M{"connections": []any{5}}, "connections[0]"},
		"no list":            {M{"connections": M{}}, "connections"},
		"no number":          {M{"employee_count_min": true}, "employee_count_min"},
		"empty connection":   {M{"connections": []M{{}}}, "connections[0]"},
		"connection's id":    {M{"connections": []M{{"connected_company_id": "7"}}}, "connections[0].connected_company_id"},
		"connection's field": {M{"connections": []M{{"domain": "x.test"}}}, "connections[0].domain"},
		"nested too deep":    {strings.Repeat(`{"query":`, 100) + "1" + strings.Repeat("}", 100), "body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", c.body).fields(t), c.field)
			})
		})
	}
	a := h.send(t, h.reader, "POST", "/companies/search", "{"+strings.Repeat(`"no_such_field":1,`, 50_000)+`"x":1}`)
	require.Less(t, len(a.body), 50_000, "a response is not many times larger than its request")
	require.Contains(t, h.send(t, h.reader, "POST", "/companies/search?limit=5", M{}).fields(t), "limit")
}

func TestACompanyHasAllItsFields(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	alpha, beta := madeUp("Alpha", "Peru", 1), madeUp("Beta", "Chile", 2)
	alpha.Attributes = map[string]any{"ticker": "ALPH"}
	h.put(t, alpha, beta)
	_, err := h.catalog.Connect(t.Context(), []catalog.Connection{
		{Source: catalog.End{ID: alpha.ID}, Category: "vendor", Target: catalog.End{Domain: "beta.test", Name: "Beta"}},
		{Source: catalog.End{ID: alpha.ID}, Category: "investor", Target: catalog.End{Name: "Nobody Known"}},
	})
	require.NoError(t, err)
	h.follow(t)

	got := get[M](t, h, h.reader, 200, "GET", "/companies/"+alpha.ID.String(), nil)
	for _, field := range strings.Fields(`id name domain website linkedin_url description country country_code state city
		industries naics_codes technologies technology_categories employee_count founded_year created_at updated_at
		unlocked connections attributes`) {
		require.Contains(t, got, field)
	}
	require.Nil(t, got["website"])
	require.Equal(t, []any{}, got["industries"])
	require.Equal(t, M{"ticker": "ALPH"}, got["attributes"])
	require.Equal(t, []any{
		M{"category": "investor", "company": M{"id": nil, "name": "Nobody Known", "domain": nil}},
		M{"category": "vendor", "company": M{"id": beta.ID.String(), "name": "Beta", "domain": "beta.test"}},
	}, got["connections"])
	require.Equal(t, got, get[M](t, h, h.reader, 200, "GET", "/companies/"+strings.ToUpper(alpha.ID.String()), nil))

	found := find(t, h, M{"connections": []M{{"category": "Vendor", "connected_domain": "beta.test"}}})
	require.Equal(t, 1, found.Total)
}

func TestEveryValueFilterHasAnExclusion(t *testing.T) {
	t.Parallel()
	h := stocked(t, 200, settings{})
	all := find(t, h, M{})
	for _, name := range []string{
		"countries", "states", "cities", "industries", "naics_codes", "technologies", "technology_categories",
	} {
		value := all.Aggregations[name][0]["value"].(string)
		with, without := find(t, h, M{name: []string{value}}), find(t, h, M{"exclude_" + name: []string{value}})
		require.Positive(t, with.Total, name)
		require.Equal(t, all.Total, with.Total+without.Total, "%s: companies without a value are kept", name)
		for _, count := range without.Aggregations[name] {
			require.NotEqual(t, value, count["value"], name)
		}
	}
	got := find(t, h, M{"exclude_countries": []string{"Germny"}, "exclude_states": []string{"Californa"}, "exclude_naics_codes": []string{"999999"}})
	require.Equal(t, all.Total, got.Total, "unknown values exclude nothing")
	warned := map[string]any{}
	for _, w := range got.Warnings {
		warned[w["field"].(string)] = w["suggestion"]
	}
	require.Equal(t, "Germany", warned["exclude_countries"])
	require.Contains(t, warned, "exclude_states")
	require.Contains(t, warned, "exclude_naics_codes")
	require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", M{"exclude_naics_codes": []string{"x"}}).fields(t), "exclude_naics_codes[0]")
}

func TestHasAndMissingAskForKnownFields(t *testing.T) {
	t.Parallel()
	h := stocked(t, 200, settings{})
	all := find(t, h, M{})
	known := map[string]int{}
	for _, c := range all.Aggregations["known"] {
		known[c["value"].(string)] = int(c["count"].(float64))
	}
	require.Equal(t, 200, known["name"])
	for _, name := range company.Knowable {
		has, missing := find(t, h, M{"has": []string{name}}), find(t, h, M{"missing": []string{name}})
		require.Equal(t, known[name], has.Total, name)
		require.Equal(t, all.Total, has.Total+missing.Total, name)
	}
	both := find(t, h, M{"has": []string{"domain", "employee_count"}, "missing": []string{"linkedin_url"}})
	require.Less(t, both.Total, known["domain"]+1)
	require.Empty(t, both.Warnings)
	a := h.send(t, h.reader, "POST", "/companies/search", M{"has": []string{"domian"}, "missing": []any{"name", 5}})
	require.Contains(t, a.fields(t)["has[0]"], "did you mean domain?")
	require.Contains(t, a.fields(t), "missing[1]")
	got := get[M](t, h, h.reader, 200, "POST", "/companies/search", M{
		"facets": []string{"known"}, "facet_prefix": M{"facet": "known", "prefix": "dom"},
	})
	require.Equal(t, M{"known": []any{M{"value": "domain", "count": float64(known["domain"])}}}, got["aggregations"])
}

// TestPrefixAndDomainsAreCountedPricedAndExported compares the search, the quote and the export of the same text.
func TestPrefixAndDomainsAreCountedPricedAndExported(t *testing.T) {
	t.Parallel()
	h := traders(t)
	for _, row := range []struct {
		filters M
		want    []string
	}{
		{M{"query": "alp", "prefix": true}, []string{"Alpha"}},
		{M{"query": "alp"}, nil},
		{M{"query": "alp ", "prefix": true}, nil},
		{M{"query": "beta.t", "prefix": true}, []string{"Beta"}},
		{M{"query": "https://www.GAMMA.test/about"}, []string{"Gamma"}},
		{M{"query": "test", "prefix": true, "countries": []string{"DE"}}, nil},
	} {
		t.Run(fmt.Sprint(row.filters), func(t *testing.T) {
			found := find(t, h, row.filters)
			require.Equal(t, len(row.want), found.Total)
			if len(row.want) == 0 {
				require.NotEmpty(t, found.Warnings)
				return
			}
			require.Equal(t, row.want[0], found.Items[0].Name)
			require.Empty(t, found.Warnings)
			quote := get[M](t, h, h.reader, 200, "POST", "/exports/quote", M{"search_filters": row.filters})
			require.EqualValues(t, 1, quote["requested_count"])
			made := get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": row.filters})
			require.EqualValues(t, 1, made["requested_count"])
		})
	}
}

func TestAnUnknownCompanyIsNotFound(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "GET", "/companies/"+uuid.NewString(), nil).code(t))
	for _, bad := range []string{"42", "%00", "018f3c5e7a3b7c1d9e2f0a1b2c3d4e5f", "{018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f}"} {
		require.Contains(t, h.send(t, h.reader, "GET", "/companies/"+bad, nil).fields(t), "company_id", bad)
	}
}

func TestCreditsShowTheBalanceAndTheNewestTransactions(t *testing.T) {
	t.Parallel()
	h := stocked(t, 40, settings{})
	type credits struct {
		WorkspaceID        string `json:"workspace_id"`
		Balance            int
		RecentTransactions []M `json:"recent_transactions"`
	}
	for i := range 25 {
		h.put(t, madeUp(fmt.Sprint("Number ", i), "Peru", 1))
		get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{"keywords": []string{fmt.Sprint("number ", i)}}})
	}
	got := get[credits](t, h, h.reader, 200, "GET", "/credits", nil)
	require.Equal(t, h.ws.String(), got.WorkspaceID)
	require.Equal(t, 1000-25, got.Balance)
	require.Len(t, got.RecentTransactions, 20)
	newest := got.RecentTransactions[0]
	require.EqualValues(t, -1, newest["amount"])
	require.Equal(t, "export_charge", newest["reason"])
	require.Regexp(t, `^export:[0-9a-f-]{36}:create$`, newest["reference"])

	other := h.token(t, h.workspace(t, 7), auth.Read)
	require.Equal(t, 7, get[credits](t, h, other, 200, "GET", "/credits", nil).Balance)
}

func TestSearchReportsTheTimeOfIndexAndCatalog(t *testing.T) {
	t.Parallel()
	h := stocked(t, 3, settings{})
	start := time.Now()
	a := h.send(t, h.reader, "POST", "/companies/search", M{})
	took := time.Since(start)
	var index, catalog float64
	_, err := fmt.Sscanf(a.header.Get("Server-Timing"), "index;dur=%f, catalog;dur=%f", &index, &catalog)
	require.NoError(t, err, a.header)
	require.Positive(t, index)
	require.Positive(t, catalog)
	require.Less(t, index+catalog, took.Seconds()*1000)
	require.Empty(t, h.send(t, h.reader, "POST", "/companies/search", M{"limit": 0}).header.Get("Server-Timing"))
}
