package api

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/fault"
)

// readBodyOf reads body as an operation with input type In does.
func readBodyOf[In any](t *testing.T, body string) (In, []fault.FieldError) {
	t.Helper()
	var in In
	b := newBinding(newRegistry(), reflect.TypeFor[In](), "test")
	faults, err := b.readBody([]byte(body), reflect.ValueOf(&in).Elem().FieldByIndex(b.bodyAt).Addr().Interface())
	require.NoError(t, err)
	return in, faults
}

func TestEveryValidationErrorIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, faults := readBodyOf[searchInput](t, `{
		"countrys": ["US"], "Countries": ["DE"], "cities": "Berlin", "limit": 101, "employee_count_min": 1.5,
		"industries": ["", "Robotics", 7], "keywords": ["ok", ""], "founded_year_min": 2000, "founded_year_max": 1990,
		"connections": [{"categori": "vendor", "connected_domain": "not a domain"}], "sort_order": "up", "query": "?!"
	}`)
	want := []fault.FieldError{
		{Field: "countrys", Message: "unknown field; did you mean countries?"},
		{Field: "Countries", Message: "unknown field; did you mean countries?"},
		{Field: "cities", Message: "must be a list, not a string"},
		{Field: "limit", Message: "must be at most 100"},
		{Field: "employee_count_min", Message: "must be a whole number"},
		{Field: "industries[2]", Message: "must be a string, not a number"},
		{Field: "connections[0].categori", Message: "unknown field; did you mean category?"},
		{Field: "sort_order", Message: "must be one of asc, desc"},
		{Field: "query", Message: "has no letter or digit to look for"},
		{Field: "founded_year_min", Message: "must not be greater than founded_year_max, which is 1990"},
		{Field: "keywords[1]", Message: "must not be empty"},
		{Field: "connections[0].connected_domain", Message: "must be a domain such as example.com"},
	}
	require.Empty(t, cmp.Diff(want, faults))
}

func TestAnUnknownNameIsAnsweredWithTheKnownOnes(t *testing.T) {
	t.Parallel()
	const aggregations = "the aggregations are countries, states, cities, industries, naics_codes, technologies, " +
		"technology_categories, employee_count, founded_year, known"
	for body, want := range map[string]string{
		`{"facets": ["has"]}`:       `facets[0]: "has" is not an aggregation; ` + aggregations + `; did you mean "known"?`,
		`{"facets": ["industrys"]}`: `facets[0]: "industrys" is not an aggregation; ` + aggregations + `; did you mean "industries"?`,
		`{"facets": ["colour"]}`:    `facets[0]: "colour" is not an aggregation; ` + aggregations,
		`{"exclude_citys": ["x"]}`:  `exclude_citys: unknown field; did you mean exclude_cities?`,
		`{"exclude_bogus": ["x"]}`:  `exclude_bogus: unknown field; known fields are added_since, changed_since, cities, connections, countries, `,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			_, faults := readBodyOf[searchInput](t, body)
			require.Len(t, faults, 1)
			require.True(t, strings.HasPrefix(faults[0].Field+": "+faults[0].Message, want), faults[0].Message)
		})
	}
}

func TestNullIsTheSameAsAnAbsentOptionalField(t *testing.T) {
	t.Parallel()
	in, faults := readBodyOf[searchInput](t, `{"query": null, "countries": null, "cursor": null, "limit": null,
		"employee_count_min": null, "sort_by": null, "connections": null}`)
	require.Empty(t, faults)
	require.Equal(t, pageSize, orPageSize(in.Body.Limit))
	require.True(t, in.Body.query.IsEmpty())

	_, faults = readBodyOf[exportInput](t, `{"name": null, "search_filters": {"countries": [null]}}`)
	require.Equal(t, []fault.FieldError{
		{Field: "name", Message: "is required and must not be null"},
		{Field: "search_filters.countries[0]", Message: "must be a string, not null"},
	}, faults)
}

func TestWholeNumbersAreAcceptedInEverySpelling(t *testing.T) {
	t.Parallel()
	for spelling, want := range map[string]int64{"50": 50, "50.0": 50, "5e1": 50, "0.5E2": 50, "-0": 0} {
		t.Run(spelling, func(t *testing.T) {
			in, faults := readBodyOf[searchInput](t, `{"employee_count_min": `+spelling+`, "countries": ["US"]}`)
			require.Empty(t, faults, spelling)
			require.Equal(t, want, *in.Body.EmployeeCountMin)
			require.Equal(t, []string{"US"}, in.Body.Countries)
		})
	}
	for spelling, message := range map[string]string{
		"1e400": "is out of range", "9223372036854775808": "is out of range", "1e17": "is out of range",
		"0.1": "must be a whole number", "-5": "must not be negative", `"50"`: "must be a number, not a string",
	} {
		t.Run(spelling, func(t *testing.T) {
			_, faults := readBodyOf[searchInput](t, `{"employee_count_min": `+spelling+`}`)
			require.Equal(t, []fault.FieldError{{Field: "employee_count_min", Message: message}}, faults, spelling)
		})
	}
}

func TestErrorsOfMisplacedFieldsSayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	_, faults := readBodyOf[exportInput](t, `{"name": "x", "countries": ["US"],
		"search_filters": {"limit": 5, "cursor": "x", "sort_by": "name", "naics_code": ["52"]}}`)
	require.Equal(t, []fault.FieldError{
		{Field: "countries", Message: "unknown field: it belongs inside search_filters"},
		{Field: "search_filters.limit", Message: misplaced["limit"]},
		{Field: "search_filters.cursor", Message: misplaced["cursor"]},
		{Field: "search_filters.sort_by", Message: misplaced["sort_by"]},
		{Field: "search_filters.naics_code", Message: "unknown field; did you mean naics_codes?"},
	}, faults)
}

func TestOneMistakeIsOneError(t *testing.T) {
	t.Parallel()
	_, faults := readBodyOf[searchInput](t, `{"connections": [{"category": 7}]}`)
	require.Equal(t, []fault.FieldError{{Field: "connections[0].category", Message: "must be a string, not a number"}}, faults)
	_, faults = readBodyOf[exportInput](t, `{"name": "x", "search_filters": {"countrys": ["US"]}}`)
	require.Equal(t, []fault.FieldError{
		{Field: "search_filters.countrys", Message: "unknown field; did you mean countries?"},
	}, faults)
}

func TestTheNilUUIDIsNotTheSameAsAnAbsentID(t *testing.T) {
	t.Parallel()
	const none = "00000000-0000-0000-0000-000000000000"
	for _, body := range []string{
		`{"name": "x", "search_filters": {}, "quote_id": "` + none + `"}`,
		`{"name": "x", "search_filters": {}, "list_id": "` + none + `"}`,
		`{"name": "x", "source_type": "list", "list_id": "` + none + `"}`,
		`{"name": "x", "search_filters": {"connections": [{"category": "vendor", "connected_company_id": "` + none + `"}]}}`,
	} {
		_, faults := readBodyOf[exportInput](t, body)
		require.Len(t, faults, 1, body)
		require.Contains(t, faults[0].Message, "must not be the nil UUID", body)
	}
}

func TestEmptyFiltersDoNotSelectEverything(t *testing.T) {
	t.Parallel()
	for _, filters := range []string{
		`{"query": ""}`, `{"query": null}`, `{"countries": []}`, `{"countries": null}`, `{"connections": []}`,
		`{"employee_count_min": null, "exclude_keywords": []}`,
	} {
		_, faults := readBodyOf[exportInput](t, `{"name": "x", "search_filters": `+filters+`}`)
		require.Len(t, faults, 1, filters)
		require.Equal(t, "search_filters", faults[0].Field)
		require.Contains(t, faults[0].Message, `send "search_filters": {} to export everything (capped at 10,000)`)
		_, faults = readBodyOf[quoteInput](t, `{"search_filters": `+filters+`}`)
		require.Len(t, faults, 1, filters)
		_, faults = readBodyOf[listMembersInput](t, `{"search_filters": `+filters+`}`)
		require.Len(t, faults, 1, filters)

		in, faults := readBodyOf[searchInput](t, filters)
		require.Empty(t, faults, "a search is free, so it accepts empty filters")
		require.True(t, in.Body.query.IsEmpty())
	}
	for _, body := range []string{`{"search_filters": {}}`, `{"search_filters": {"query": "", "countries": ["US"]}}`} {
		_, faults := readBodyOf[quoteInput](t, body)
		require.Empty(t, faults, body)
		_, faults = readBodyOf[listMembersInput](t, body)
		require.Empty(t, faults, body)
	}
}

func TestAnExportOfEverythingMustBeExplicit(t *testing.T) {
	t.Parallel()
	_, faults := readBodyOf[exportInput](t, `{"name": "everything?"}`)
	require.Len(t, faults, 1)
	require.Equal(t, "search_filters", faults[0].Field)

	in, faults := readBodyOf[exportInput](t, `{"name": "everything!", "search_filters": {}}`)
	require.Empty(t, faults)
	require.True(t, in.Body.query.IsEmpty())
}
