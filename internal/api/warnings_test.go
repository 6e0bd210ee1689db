package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
)

type warning struct {
	Field, Value, Message string
	Suggestion            *string
}

// traders returns a fixture with three companies, one of which has a vendor.
func traders(t testing.TB) *house {
	t.Helper()
	h := open(t, settings{})
	alpha, beta, gamma := madeUp("Alpha", "Germany", 1), madeUp("Beta", "Germany", 2), madeUp("Gamma", "United States", 3)
	alpha.Industries, gamma.State = []string{"Software"}, "California"
	h.put(t, alpha, beta, gamma)
	_, err := h.catalog.Connect(t.Context(), []catalog.Connection{
		{Source: catalog.End{ID: alpha.ID}, Category: "Vendor", Target: catalog.End{Domain: "beta.test", Name: "Beta"}},
	})
	require.NoError(t, err)
	h.follow(t)
	return h
}

func warningsIn(t testing.TB, h *house, token, path string, status int, body M) []warning {
	t.Helper()
	got := get[struct{ Warnings []warning }](t, h, token, status, "POST", path, body)
	require.NotNil(t, got.Warnings, path)
	return got.Warnings
}

func TestExportsQuotesAndListsWarnAboutUnknownFilterValues(t *testing.T) {
	t.Parallel()
	h := traders(t)
	list := "/lists/" + newList(t, h, "x") + "/companies"
	wide := M{"countries": []string{"DE"}, "exclude_industries": []string{"Sofware"}} // the misspelt exclusion excludes nothing, so it would charge for those companies
	want := []warning{{
		Field: "exclude_industries", Value: "Sofware", Message: "no company has this value; did you mean Software?", Suggestion: new("Software"),
	}}
	require.Equal(t, want, warningsIn(t, h, h.reader, "/companies/search", 200, wide))
	require.Equal(t, want, warningsIn(t, h, h.reader, "/exports/quote", 200, M{"search_filters": wide}))
	require.Equal(t, want, warningsIn(t, h, h.writer, "/exports", 201, M{"name": "x", "search_filters": wide}))
	require.Equal(t, want, warningsIn(t, h, h.writer, list, 200, M{"search_filters": wide}))

	valid := M{"countries": []string{"DE"}}
	require.Empty(t, warningsIn(t, h, h.reader, "/exports/quote", 200, M{"search_filters": valid}))
	require.Empty(t, warningsIn(t, h, h.writer, "/exports", 201, M{"name": "x", "search_filters": valid}))
	require.Empty(t, warningsIn(t, h, h.writer, list, 200, M{"domains": []string{"beta.test"}}))

	keyed := func() answer {
		r := h.request(t, h.writer, "POST", base+"/exports", M{"name": "x", "search_filters": wide})
		r.Header.Set("Idempotency-Key", "one")
		return h.raw(t, r)
	}
	first, again := keyed(), keyed()
	require.Equal(t, string(first.body), string(again.body))
}

func TestExportsQuotesAndListsWarnAboutTheTextOfAQuery(t *testing.T) {
	t.Parallel()
	h := traders(t)
	list := "/lists/" + newList(t, h, "x") + "/companies"
	for _, row := range []struct {
		filters M
		want    warning
	}{
		{M{"query": "alpha -beta OR x"}, warning{Field: "query", Value: "-beta", Message: "a minus does not exclude a word; use exclude_keywords"}},
		{M{"query": "Alhpa"}, warning{"query", "Alhpa", "no company has this in its name or description; did you mean alpha?", new("alpha")}},
		{M{"query": "https://nobody.test/x"}, warning{
			Field: "query", Value: "https://nobody.test/x", Message: "no company has this domain, or mentions it",
		}},
		{M{"query": "Zz", "prefix": true}, warning{Field: "query", Value: "Zz", Message: "no company has this in its name or description"}},
		{M{"query": "alpha beta"}, warning{
			"query", "alpha beta", "no company has all of these words; some have them without beta", new("alpha"),
		}},
		{M{"exclude_keywords": []string{"gama"}}, warning{
			"exclude_keywords", "gama", "no company has this in its name or description; did you mean gamma?", new("gamma"),
		}},
	} {
		require.Equal(t, row.want, warningsIn(t, h, h.reader, "/companies/search", 200, row.filters)[0])
		require.Equal(t, row.want, warningsIn(t, h, h.writer, list, 200, M{"search_filters": row.filters})[0])
		if row.filters["query"] != nil {
			a := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "search_filters": row.filters})
			require.Equal(t, http.StatusBadRequest, a.status)
			require.Contains(t, a.failure(t).Message, row.want.Message)
			continue
		}
		require.Equal(t, row.want, warningsIn(t, h, h.reader, "/exports/quote", 200, M{"search_filters": row.filters})[0])
		require.Equal(t, row.want, warningsIn(t, h, h.writer, "/exports", 201, M{"name": "x", "search_filters": row.filters})[0])
	}
	require.Empty(t, warningsIn(t, h, h.reader, "/companies/search", 200, M{"query": "ALPHA"}))
}

func TestAnEmptyResultExplainsWhy(t *testing.T) {
	t.Parallel()
	h := traders(t)
	refused := func(body M) failure {
		body["name"] = "x"
		a := h.send(t, h.writer, "POST", "/exports", body)
		require.Equal(t, http.StatusBadRequest, a.status, "%s", a.body)
		quoted := h.send(t, h.reader, "POST", "/exports/quote", body)
		require.Equal(t, string(a.body), string(quoted.body))
		f := a.failure(t)
		require.Equal(t, "no_candidates", f.Code)
		return f
	}
	f := refused(M{"search_filters": M{
		"exclude_industries": []string{"Sofware"}, "cities": []string{"Nowhere at all"}, "countries": []string{"Germny"},
	}})
	require.Equal(t, `No companies match the export criteria: countries "Germny": no such country is known; did you mean Germany?`, f.Message)
	require.Len(t, f.Details["warnings"], 3)
	require.Equal(t, "Germany", f.Details["warnings"].([]any)[0].(M)["suggestion"])

	f = refused(M{"search_filters": M{"countries": []string{"DE"}, "states": []string{"California"}}})
	require.Contains(t, f.Message, "no company meets all filters at once")
	require.Equal(t, []any{}, f.Details["warnings"])
	require.Contains(t, refused(M{"source_type": "list", "list_id": newList(t, h, "empty")}).Message, "the list is empty")

	create(t, h, M{"name": "all", "search_filters": M{}})
	f = refused(M{"search_filters": M{}, "only_new": true})
	require.Contains(t, f.Message, "that the workspace has not unlocked yet. Without only_new")
	require.Equal(t, 997, balance(t, h))
}

func TestUnknownConnectionValuesAreWarnedAbout(t *testing.T) {
	t.Parallel()
	h := traders(t)
	stranger := uuid.NewString()
	got := find(t, h, M{"connections": []M{
		{"category": "vendr", "connected_domain": "beta.test"},
		{"category": "VENDOR", "connected_domain": "nobody.test"},
		{"connected_company_id": stranger},
	}})
	require.Equal(t, []M{
		{
			"field": "connections[0].category", "value": "vendr", "suggestion": "Vendor",
			"message": "no company has a connection of this category; did you mean Vendor?",
		},
		{
			"field": "connections[1].connected_domain", "value": "nobody.test", "suggestion": nil,
			"message": "no company has a connection to this domain",
		},
		{
			"field": "connections[2].connected_company_id", "value": stranger, "suggestion": nil,
			"message": "no company has a connection to this company",
		},
	}, got.Warnings)
}

func TestSuggestionsAreCloseOrAbsent(t *testing.T) {
	t.Parallel()
	h := traders(t)
	h.put(t, &company.Company{Name: "Delta", State: "Colima"}, &company.Company{Name: "Epsilon", State: "Cádiz"})
	for given, want := range map[string]any{
		"CA": "California", "ca": "California", "NSW": nil, "CO": nil, "Cal": nil, "XX": nil, "Californa": "California",
	} {
		t.Run(given, func(t *testing.T) {
			got := find(t, h, M{"states": []string{given}}).Warnings
			require.Len(t, got, 1, given)
			require.Equal(t, want, got[0]["suggestion"], given)
		})
	}
	long := find(t, h, M{"cities": []string{strings.Repeat("é", 900)}}).Warnings[0]
	require.Equal(t, strings.Repeat("é", 100)+"…", long["value"])
}

func TestAValueBothIncludedAndExcludedIsReported(t *testing.T) {
	t.Parallel()
	h := traders(t)
	both := M{"countries": []string{"DE", "US"}, "exclude_countries": []string{"Germany"}}
	want := []warning{{Field: "countries", Value: "DE", Message: "is both included and excluded, so no company with it matches"}}
	require.Equal(t, want, warningsIn(t, h, h.reader, "/companies/search", 200, both))
	require.Equal(t, want, warningsIn(t, h, h.reader, "/exports/quote", 200, M{"search_filters": both}))
	require.Equal(t, 1, find(t, h, both).Total, "the other country's")
}
