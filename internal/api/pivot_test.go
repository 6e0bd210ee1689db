package api_test

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// openPivot has six companies in three countries; the workspace owns the first Peruvian.
func openPivot(t testing.TB, edit func(all []*company.Company)) *house {
	t.Helper()
	h := open(t, settings{})
	all := []*company.Company{
		madeUp("A", "Peru", 5), madeUp("B", "Peru", 30), madeUp("C", "Peru", 7), madeUp("D", "Chile", 20), madeUp("E", "Cuba", 9000), madeUp("F", "", 0),
	}
	all[5].EmployeeCount = nil
	for i, technologies := range [][]string{{"Go", "Zig"}, {"Go"}, {"Ada"}, {"Go", "Zig"}, nil, {"Zig"}} {
		all[i].Technologies = technologies
	}
	if edit != nil {
		edit(all)
	}
	h.put(t, all...)
	get[exported](t, h, h.writer, http.StatusCreated, "POST", "/exports", M{
		"name": "A", "source_type": "set", "set": M{"companies": []string{all[0].ID.String()}},
	})
	return h
}

type pivotSide struct {
	Aggregation string
	Values      []struct {
		Value    *string
		Min, Max *int64
		Count    int
		Other    int `json:"other_count"`
		Unknown  int `json:"unknown_count"`
	}
	More    int `json:"more_values"`
	Other   int `json:"other_count"`
	Unknown int `json:"unknown_count"`
}

type pivot struct {
	Measure       string
	Total         int
	Rows, Columns pivotSide
	Cells         [][]int
	Excluded      int                      `json:"excluded_count"`
	Warnings      []struct{ Field string } `json:"warnings"`
}

func TestATableCountsTwoAggregationsAndWhatIsBeyond(t *testing.T) {
	t.Parallel()
	h := openPivot(t, nil)
	p := get[pivot](t, h, h.reader, 200, "POST", "/companies/pivot", M{"rows": "technologies", "columns": "employee_count", "row_limit": 2, "column_limit": 2})
	require.Equal(t, []any{"count", 6, "technologies", "employee_count"}, []any{p.Measure, p.Total, p.Rows.Aggregation, p.Columns.Aggregation})
	require.Equal(t, []string{"Go", "Zig"}, []string{*p.Rows.Values[0].Value, *p.Rows.Values[1].Value})
	require.Equal(t, []int{3, 3}, []int{p.Rows.Values[0].Count, p.Rows.Values[1].Count})
	require.Equal(t, []int64{0, 10, 11, 50}, []int64{*p.Columns.Values[0].Min, *p.Columns.Values[0].Max, *p.Columns.Values[1].Min, *p.Columns.Values[1].Max})
	require.Nil(t, p.Columns.Values[0].Value)
	require.Equal(t, [][]int{{1, 2}, {1, 1}}, p.Cells)
	require.Equal(t, []int{1, 1, 1}, []int{p.Rows.More, p.Rows.Other, p.Rows.Unknown}, "Ada, C, E")
	require.Equal(t, []int{1, 1, 1}, []int{p.Columns.More, p.Columns.Other, p.Columns.Unknown}, "the band of E, E, F")
	require.Equal(t, []int{0, 1}, []int{p.Rows.Values[1].Other, p.Rows.Values[1].Unknown}, "F uses Zig")
	require.Equal(t, []int{1, 0}, []int{p.Columns.Values[0].Other, p.Columns.Values[0].Unknown}, "C uses Ada")

	for measure, want := range map[string][]int{"count": {3, 6}, "owned": {1, 1}, "new": {2, 5}} {
		p := get[pivot](t, h, h.reader, 200, "POST", "/companies/pivot", M{"rows": "countries", "columns": "technologies", "measure": measure})
		require.Equal(t, measure, p.Measure)
		require.Equal(t, want, []int{p.Rows.Values[0].Count, p.Total})
	}
}

func TestATableFollowsFiltersSetsAndExclusions(t *testing.T) {
	t.Parallel()
	h := openPivot(t, nil)
	ask := func(filters M) pivot {
		return get[pivot](t, h, h.reader, 200, "POST", "/companies/pivot", M{"filters": filters, "rows": "countries", "columns": "known"})
	}
	require.Equal(t, 3, ask(M{"countries": []string{"PE"}}).Total)
	require.Equal(t, 2, ask(M{"countries": []string{"PE"}, "not_in": []M{{"owned": true}}}).Total)
	require.Equal(t, 1, ask(M{"in": []M{{"owned": true}}}).Total)
	wrong := ask(M{"countries": []string{"Peruu"}})
	require.Zero(t, wrong.Total)
	require.Empty(t, wrong.Cells)
	require.Equal(t, "countries", wrong.Warnings[0].Field)

	list := newList(t, h, "out")
	get[change](t, h, h.writer, 200, "POST", "/lists/"+list+"/companies", M{"search_filters": M{"countries": []string{"Chile"}}})
	get[M](t, h, h.writer, 200, "PATCH", "/lists/"+list, M{"excluded": true})
	require.Equal(t, []int{5, 1}, []int{ask(M{}).Total, ask(M{}).Excluded})
}

func TestEveryPairOfAggregationsMakesATable(t *testing.T) {
	t.Parallel()
	h := openPivot(t, nil)
	for _, rows := range index.AllFacets() {
		for _, columns := range index.AllFacets() {
			a := h.send(t, h.reader, "POST", "/companies/pivot", M{"rows": rows, "columns": columns})
			if rows == columns {
				require.Contains(t, a.fields(t)["columns"], "another one than rows")
			} else {
				require.Equal(t, 200, a.status, "%s", a.body)
			}
		}
	}
}

func TestATableThatCannotBeMadeHasAClearError(t *testing.T) {
	t.Parallel()
	h := openPivot(t, nil)
	with := func(more M) M {
		body := M{"rows": "countries", "columns": "technologies"}
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	for field, body := range map[string]M{
		"rows":                     with(M{"rows": "country"}),
		"columns":                  with(M{"columns": nil}),
		"measure":                  with(M{"measure": "price"}),
		"row_limit":                with(M{"row_limit": 101}),
		"column_limit":             with(M{"column_limit": 26}),
		"filters.countrys":         with(M{"filters": M{"countrys": []string{"PE"}}}),
		"filters.founded_year_min": with(M{"filters": M{"founded_year_min": 2000, "founded_year_max": 1990}}),
		"countries":                with(M{"countries": []string{"PE"}}),
	} {
		t.Run(field, func(t *testing.T) {
			a := h.send(t, h.reader, "POST", "/companies/pivot", body)
			require.Equal(t, 422, a.status)
			require.Contains(t, a.fields(t), field)
		})
	}
	gone := with(M{"filters": M{"in": []M{{"list_id": uuid.NewString()}}}})
	require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "POST", "/companies/pivot", gone).code(t))
}

func TestATableOfALockedFieldIsRefused(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, 3)
	h.shows(t, "id", "name", "country")
	ask := func(rows, columns string, filters M) map[string]string {
		return h.send(t, h.reader, "POST", "/companies/pivot", M{"rows": rows, "columns": columns, "filters": filters}).fields(t)
	}
	for _, f := range []string{"states", "cities", "industries", "technologies", "technology_categories"} {
		require.Contains(t, ask(f, "countries", nil)["rows"], "is locked")
		require.Contains(t, ask("countries", f, nil)["columns"], "is locked")
	}
	require.Contains(t, ask("countries", "known", M{"cities": []string{"x"}})["filters.cities"], "is locked")
	p := get[pivot](t, h, h.reader, 200, "POST", "/companies/pivot", M{"rows": "employee_count", "columns": "naics_codes"})
	require.Equal(t, []any{3, "52"}, []any{p.Total, *p.Columns.Values[0].Value}, "bands and sectors, as in the aggregations of a search")
}

func TestATableIsCSVIfTheRequestPrefersIt(t *testing.T) {
	t.Parallel()
	h := openPivot(t, func(all []*company.Company) {
		all[3].Country = "=1+1"
		all[0].Technologies = []string{"Go", "@SUM(A1)"}
		all[3].Technologies = []string{"Go"}
		all[5].Technologies = nil
	})
	ask := func(accept string, columns string) answer {
		r := h.request(t, h.reader, "POST", base+"/companies/pivot", M{"rows": "countries", "columns": columns})
		r.Header.Set("Accept", accept)
		return h.raw(t, r)
	}
	for accept, kind := range map[string]string{
		"text/csv": "text/csv", "text/csv, application/json;q=0.5": "text/csv", "TEXT/CSV;charset=utf-8": "text/csv",
		"*/*": "application/json", "application/json, text/csv": "application/json", "text/csv;q=0": "application/json", "": "application/json",
	} {
		require.True(t, strings.HasPrefix(ask(accept, "technologies").header.Get("Content-Type"), kind), accept)
	}
	a := ask("text/csv", "technologies")
	require.Contains(t, a.header.Get("Content-Disposition"), "countries-by-technologies.csv")
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"countries", "Go", "'@SUM(A1)", "Ada", "(other)", "(unknown)", "(total)"},
		{"Peru", "2", "1", "1", "0", "0", "3"},
		{"'=1+1", "1", "0", "0", "0", "0", "1"},
		{"Cuba", "0", "0", "0", "0", "1", "1"},
		{"(other)", "0", "0", "0", "", "", "0"},
		{"(unknown)", "0", "0", "0", "", "", "1"},
		{"(total)", "3", "1", "1", "0", "2", "6"},
	}, rows)
	require.Contains(t, string(ask("text/csv", "employee_count").body), "countries,0 to 10,11 to 50,5001 to 10000,")
	require.Equal(t, 422, ask("text/csv", "countries").status, "an error is JSON")
}

// Values that are written like the rest of the table get one more pair of parentheses.
func TestNoValueOfATableIsTakenForTheRest(t *testing.T) {
	t.Parallel()
	h := openPivot(t, func(all []*company.Company) {
		for i, name := range []string{"(other)", "((other))", "(unknown)", "(Total)", "Peru", ""} {
			all[i].Country, all[i].CountryCode, all[i].Technologies = name, "", []string{cmp.Or(name, "Go")}
		}
	})
	r := h.request(t, h.reader, "POST", base+"/companies/pivot", M{"rows": "countries", "columns": "technologies", "row_limit": 100})
	r.Header.Set("Accept", "text/csv")
	rows, err := csv.NewReader(strings.NewReader(string(h.raw(t, r).body))).ReadAll()
	require.NoError(t, err)
	var names []string
	for _, row := range rows[1:] {
		names = append(names, row[0])
	}
	slices.Sort(rows[0])
	require.Equal(t, []string{"(other)", "(unknown)", "(total)"}, names[len(names)-3:])
	for _, all := range [][]string{names, rows[0]} {
		for name, times := range map[string]int{
			"(other)": 1, "((other))": 1, "(((other)))": 1, "(unknown)": 1, "((unknown))": 1, "(total)": 1, "((Total))": 1,
		} {
			n := 0
			for _, have := range all {
				if have == name {
					n++
				}
			}
			require.Equal(t, times, n, "%s in %q", name, all)
		}
	}
}

func TestTheClientMakesTables(t *testing.T) {
	t.Parallel()
	h := openPivot(t, nil)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p, err := client.New(server.URL, h.reader, client.Options{}).Pivot(t.Context(), client.PivotRequest{
		Filters: client.Filters{Technologies: []string{"Go", "Ada"}}, Rows: "countries", Columns: "employee_count", Measure: "new",
	})
	require.NoError(t, err)
	require.Equal(t, 3, p.Total)
	require.Equal(t, "Peru", *p.Rows.Values[0].Value)
	require.Equal(t, [][]int{{1, 1}, {0, 1}}, p.Cells)
}
