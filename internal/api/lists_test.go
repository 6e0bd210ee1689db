package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
)

type listed struct {
	ID, Name     string
	CompanyCount int `json:"company_count"`
}

type change struct {
	List             listed
	Matched, Changed int
	UnmatchedIDs     []string `json:"unmatched_ids"`
	UnmatchedDomains []string `json:"unmatched_domains"`
	Capped           bool
}

func newList(t testing.TB, h *house, name string) string {
	t.Helper()
	return get[listed](t, h, h.writer, http.StatusCreated, "POST", "/lists", M{"name": name}).ID
}

func TestAListIsCreatedRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	list := newList(t, h, "  Partners  ")
	require.Equal(t, listed{ID: list, Name: "Partners"}, get[listed](t, h, h.reader, 200, "GET", "/lists/"+list, nil))
	require.Equal(t, "Friends", get[listed](t, h, h.writer, 200, "PATCH", "/lists/"+list, M{"name": "Friends"}).Name)
	require.Equal(t, http.StatusNoContent, h.send(t, h.writer, "DELETE", "/lists/"+list, nil).status)
	require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "GET", "/lists/"+list, nil).code(t))
}

func TestCompaniesAreAddedToAListByIDDomainAndSearch(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	alpha, beta, gamma := madeUp("Alpha", "Peru", 1), madeUp("Beta", "Peru", 2), madeUp("Gamma", "Chile", 3)
	other := madeUp("Other", "Spain", 4)
	other.Domain = gamma.Domain
	h.put(t, alpha, beta, gamma, other)
	list := newList(t, h, "x")
	path, stranger := "/lists/"+list+"/companies", uuid.NewString()

	got := get[change](t, h, h.writer, 200, "POST", path, M{
		"company_ids": []string{alpha.ID.String(), stranger}, "domains": []string{"https://www.BETA.test/about", "nobody.test", "no domain"},
	})
	require.Equal(t, change{
		List: listed{list, "x", 2}, Matched: 2, Changed: 2,
		UnmatchedIDs: []string{stranger}, UnmatchedDomains: []string{"nobody.test", "no domain"},
	}, got)
	got = get[change](t, h, h.writer, 200, "POST", path, M{"search_filters": M{"countries": []string{"Peru", "CL"}}})
	require.Equal(t, 3, got.Matched)
	require.Equal(t, 1, got.Changed)
	got = get[change](t, h, h.writer, 200, "DELETE", path, M{"domains": []string{"alpha.test"}})
	require.Equal(t, 1, got.Changed)
	require.Equal(t, 2, got.List.CompanyCount)

	got = get[change](t, h, h.writer, 200, "POST", path, M{"domains": []string{gamma.Domain}})
	require.Equal(t, 2, got.Matched, "every company of a domain is meant")
	require.Equal(t, 1, got.Changed)

	quoted := get[M](t, h, h.reader, 200, "POST", "/exports/quote", M{"source_type": "list", "list_id": list})
	require.EqualValues(t, 3, quoted["requested_count"])
	made := create(t, h, M{"name": "from a list", "source_type": "list", "list_id": list})
	require.Equal(t, "list", made.ExportJob.SourceType)
	detail := get[M](t, h, h.reader, 200, "GET", "/exports/"+made.ExportJob.ID, nil)
	require.Equal(t, list, detail["list_id"])
	require.Nil(t, detail["search_filters"])
}

func TestTheCompaniesOfAListArePaged(t *testing.T) {
	t.Parallel()
	h := stocked(t, 45, settings{})
	list := newList(t, h, "everyone")
	get[change](t, h, h.writer, 200, "POST", "/lists/"+list+"/companies", M{"search_filters": M{}})
	var ids []string
	for path := "/lists/" + list + "/companies?limit=20"; ; {
		p := get[page](t, h, h.reader, 200, "GET", path, nil)
		require.Equal(t, 45, p.Total)
		for _, c := range p.Items {
			ids = append(ids, c.ID)
		}
		if p.NextCursor == nil {
			break
		}
		path = "/lists/" + list + "/companies?limit=20&cursor=" + url.QueryEscape(*p.NextCursor)
	}
	require.Len(t, ids, 45)
	require.Equal(t, 45, distinct(ids))
	for _, bad := range []string{"x", "4294967296", "%F0%9F"} {
		require.GreaterOrEqual(t, h.send(t, h.reader, "GET", "/lists/"+list+"/companies?cursor="+bad, nil).status, 400)
	}
}

func TestListsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for _, name := range []string{"a", "b", "c"} {
		newList(t, h, name)
	}
	type lists struct {
		Items      []listed
		NextCursor *string `json:"next_cursor"`
	}
	first := get[lists](t, h, h.reader, 200, "GET", "/lists?limit=2", nil)
	require.Equal(t, "c", first.Items[0].Name)
	second := get[lists](t, h, h.reader, 200, "GET", "/lists?limit=2&cursor="+*first.NextCursor, nil)
	require.Equal(t, "a", second.Items[0].Name)
	require.Nil(t, second.NextCursor)
	require.Equal(t, "INVALID_CURSOR", h.send(t, h.reader, "GET", "/lists?cursor=abc", nil).code(t))
}

func TestAListOfAnotherWorkspaceLooksLikeAnUnknownOne(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	list := newList(t, h, "mine")
	other := h.token(t, h.workspace(t, 10), auth.ReadWrite)
	for _, c := range []struct {
		method, suffix string
		body           any
	}{
		{"GET", "", nil},
		{"PATCH", "", M{"name": "stolen"}},
		{"DELETE", "", nil},
		{"GET", "/companies", nil},
		{"POST", "/companies", M{"search_filters": M{}}},
		{"DELETE", "/companies", M{"search_filters": M{}}},
	} {
		t.Run(c.method+" "+c.suffix, func(t *testing.T) {
			theirs := h.send(t, other, c.method, "/lists/"+list+c.suffix, c.body)
			nobodys := h.send(t, other, c.method, "/lists/"+uuid.NewString()+c.suffix, c.body)
			require.Equal(t, http.StatusNotFound, theirs.status, c)
			require.Equal(t, nobodys.code(t), theirs.code(t))
			require.Contains(t, h.send(t, other, c.method, "/lists/nonsense"+c.suffix, c.body).fields(t), "list_id")
		})
	}
	require.Equal(t, listed{ID: list, Name: "mine"}, get[listed](t, h, h.reader, 200, "GET", "/lists/"+list, nil))
	require.Empty(t, get[struct{ Items []M }](t, h, other, 200, "GET", "/lists", nil).Items)
}

func TestInvalidListRequestsAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	list := newList(t, h, "x")
	for _, c := range []struct {
		method, path string
		body         any
		field        string
	}{
		{"POST", "/lists", M{}, "name"},
		{"POST", "/lists", M{"name": ""}, "name"},
		{"POST", "/lists", M{"name": " "}, "name"},
		{"POST", "/lists", M{"name": strings.Repeat("x", 10_000)}, "name"},
		{"POST", "/lists", M{"name": "a\tb"}, "name"},
		{"POST", "/lists", M{"name": "x", "nam": "y"}, "nam"},
		{"PATCH", "/lists/" + list, M{"name": nil}, "name"},
		{"POST", "/lists/" + list + "/companies", M{}, "body"},
		{"POST", "/lists/" + list + "/companies", M{"company_ids": []string{"7"}}, "company_ids[0]"},
		{"POST", "/lists/" + list + "/companies", M{"company_ids": make([]string, 10_001)}, "company_ids"},
		{"POST", "/lists/" + list + "/companies", M{"domains": []string{""}}, "domains[0]"},
		{"POST", "/lists/" + list + "/companies", M{"domain": []string{"x.test"}}, "domain"},
		{"POST", "/lists/" + list + "/companies", M{"search_filters": M{"country": "US"}}, "search_filters.country"},
	} {
		t.Run(c.method+" "+c.field, func(t *testing.T) {
			require.Contains(t, h.send(t, h.writer, c.method, c.path, c.body).fields(t), c.field, c)
		})
	}
}
