package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
)

// secretOf is what a company has in each field that can be locked. No other text contains it.
func secretOf(field string, n int) string {
	return fmt.Sprintf("zq%sx%d", strings.ReplaceAll(field, "_", ""), n)
}

// guarded returns a fixture whose n companies have a secret in every field, and the vendor of each is the next one.
func guarded(t testing.TB, n int) (*house, []*company.Company) { return guardedOn(t, settings{}, n) }

func guardedOn(t testing.TB, o settings, n int) (*house, []*company.Company) {
	t.Helper()
	h := open(t, o)
	var all []*company.Company
	for i := range n {
		c := &company.Company{ID: id.New[id.Company](), Name: fmt.Sprintf("Guarded %d", i), Attributes: map[string]any{"x": secretOf("attributes", i)}}
		for f := range company.Fields {
			switch f := &company.Fields[f]; {
			case f.Name == "domain":
				c.Domain = secretOf(f.Name, i) + ".test"
			case f.Name == "country_code":
				c.CountryCode = "DE"
			case f.Name != "name" && f.Text != nil:
				*f.Text(c) = secretOf(f.Name, i)
			case f.Name == "naics_codes":
				c.NAICSCodes = []string{fmt.Sprintf("5223%02d", i)}
			case f.List != nil:
				*f.List(c) = []string{secretOf(f.Name, i)}
			case f.Int != nil:
				*f.Int(c) = new(int64(1733 + i))
			}
		}
		all = append(all, c)
	}
	h.put(t, all...)
	var connections []catalog.Connection
	for i, c := range all {
		connections = append(connections, catalog.Connection{
			Source: catalog.End{ID: c.ID}, Category: secretOf("connections", i), Target: catalog.End{ID: all[(i+1)%n].ID},
		})
	}
	_, err := h.catalog.Connect(t.Context(), connections)
	require.NoError(t, err)
	h.follow(t)
	return h, all
}

// shows makes the workspace see only these fields of what it does not own.
func (h *house) shows(t testing.TB, fields ...string) {
	t.Helper()
	require.NoError(t, h.spaces.SetVisibleFields(t.Context(), h.ws, fields))
}

// lockable lists the fields that can be locked.
func lockable() []string { return company.LockedBy([]string{"id"}).Names() }

// requireLocked requires that the company in an answer has no value of the fields and names them, and no others.
func requireLocked(t *testing.T, c map[string]any, fields ...string) {
	t.Helper()
	var named []string
	for _, name := range lockable() {
		value, has := c[name]
		locked := false
		for _, f := range fields {
			locked = locked || f == name
		}
		if locked {
			named = append(named, name)
		}
		if !has {
			continue // a field of the detail alone
		}
		if !locked {
			require.NotEmpty(t, value, name)
			continue
		}
		require.Empty(t, value, name)
		switch company.FieldNamed(name).Kind {
		case company.KindList, company.KindConnections:
			require.Equal(t, []any{}, value, name)
		case company.KindAttributes:
			require.Equal(t, M{}, value, name)
		default:
			require.Nil(t, value, name)
		}
	}
	if len(named) == 0 {
		require.NotContains(t, c, "locked_fields")
		return
	}
	var told []string
	for _, f := range c["locked_fields"].([]any) {
		told = append(told, f.(string))
	}
	require.Equal(t, named, told)
}

// items returns the companies in an answer.
func itemsIn(t *testing.T, a answer) (items []map[string]any) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	var page struct{ Items []map[string]any }
	a.into(t, &page)
	require.NotEmpty(t, page.Items)
	return page.Items
}

func TestEveryFieldIsLockedAtEveryDoorUntilTheCompanyIsOwned(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 3)
	list := "/lists/" + newList(t, h, "all") + "/companies"
	h.send(t, h.writer, "POST", list, M{"company_ids": []string{all[0].ID.String(), all[1].ID.String(), all[2].ID.String()}})
	doors := func(t *testing.T) (companies []map[string]any) {
		companies = append(companies, itemsIn(t, h.send(t, h.reader, "POST", "/companies/search", M{"facets": []string{}}))...)
		companies = append(companies, itemsIn(t, h.send(t, h.reader, "GET", list, nil))...)
		for _, c := range all {
			var detail map[string]any
			h.send(t, h.reader, "GET", "/companies/"+c.ID.String(), nil).into(t, &detail)
			require.Contains(t, detail, "attributes")
			companies = append(companies, detail)
		}
		require.Len(t, companies, 9)
		return companies
	}
	for _, c := range doors(t) {
		requireLocked(t, c) // the default shows everything
	}
	for _, field := range lockable() {
		t.Run(field, func(t *testing.T) {
			var others []string
			for _, f := range lockable() {
				if f != field {
					others = append(others, f)
				}
			}
			h.shows(t, others...)
			for _, c := range doors(t) {
				requireLocked(t, c, field)
			}
		})
	}
	h.shows(t, "id")
	for _, c := range doors(t) {
		requireLocked(t, c, lockable()...)
	}
	h.requireNoSecret(t, all)
	h.shows(t)
	for _, c := range doors(t) {
		requireLocked(t, c)
	}
}

// requireNoSecret sends requests to every operation and requires that no answer contains a value of a company's locked field.
func (h *house) requireNoSecret(t *testing.T, all []*company.Company) {
	t.Helper()
	bodies := []any{
		nil,
		M{},
		M{"name": "x", "search_filters": M{}},
		M{"name": "x"},
		M{"search_filters": M{}},
		M{"facets": []string{}},
		M{"rows": []M{{"name": all[0].Name}, {"name": "Guarded"}, {"domain": "x.test"}}},
	}
	for _, op := range operations(t) {
		for _, body := range bodies {
			if op.method == "GET" || op.method == "DELETE" {
				body = nil
			}
			a := h.send(t, h.writer, op.method, op.path, body)
			for i := range all {
				for _, f := range lockable() {
					require.NotContains(t, string(a.body), secretOf(f, i), "%s %s", op.method, op.path)
				}
			}
		}
	}
}

func TestTheWallFollowsWhatIsDeliveredAndRefunded(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 4)
	h.shows(t, "id")
	locked := func(of *company.Company) bool {
		var detail map[string]any
		h.send(t, h.reader, "GET", "/companies/"+of.ID.String(), nil).into(t, &detail)
		for _, c := range itemsIn(t, h.send(t, h.reader, "POST", "/companies/search", M{"facets": []string{}})) {
			if c["id"] == of.ID.String() {
				require.Equal(t, detail["locked_fields"], c["locked_fields"])
			}
		}
		if detail["locked_fields"] == nil {
			requireLocked(t, detail)
			return false
		}
		requireLocked(t, detail, lockable()...)
		return true
	}
	buy := func(of *company.Company) string {
		l := newList(t, h, "one")
		h.send(t, h.writer, "POST", "/lists/"+l+"/companies", M{"company_ids": []string{of.ID.String()}})
		return create(t, h, M{"name": "x", "source_type": "list", "list_id": l}).ExportJob.ID
	}

	// Nobody reads a company with an export that is cancelled before its file is complete.
	pending := buy(all[0])
	require.True(t, locked(all[0]))
	receipt := h.send(t, h.reader, "GET", "/exports/"+pending+"/receipt", nil)
	require.NotContains(t, string(receipt.body), secretOf("domain", 0))
	cancel(t, h, pending)
	require.True(t, locked(all[0]))
	for _, format := range []string{"json", "csv"} {
		receipt = h.send(t, h.reader, "GET", "/exports/"+pending+"/receipt?format="+format, nil)
		require.Contains(t, string(receipt.body), all[0].Name)
		require.NotContains(t, string(receipt.body), secretOf("domain", 0))
	}

	h.work(t)
	done := buy(all[1])
	finish(t, h, done)
	require.False(t, locked(all[1]))
	require.True(t, locked(all[2]), "what was not bought stays locked")
	require.Contains(t, string(h.send(t, h.reader, "GET", "/exports/"+done+"/receipt", nil).body), secretOf("domain", 1))

	// Another workspace has no part in it.
	other := h.workspace(t, 10)
	require.NoError(t, h.spaces.SetVisibleFields(t.Context(), other, []string{"id"}))
	token := h.token(t, other, "read")
	var detail map[string]any
	h.send(t, token, "GET", "/companies/"+all[1].ID.String(), nil).into(t, &detail)
	requireLocked(t, detail, lockable()...)
}

// A company that two unfinished exports have is shown only when one of them is complete: the one that paid for it may be cancelled.
func TestCancellingTheExportThatPaidOpensNoWall(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, all := guardedOn(t, settings{db: d}, 3)
		h.shows(t, "id")
		locked := func(of *company.Company) bool {
			return get[M](t, h, h.reader, 200, "GET", "/companies/"+of.ID.String(), nil)["locked_fields"] != nil
		}
		buy := func(of ...*company.Company) string {
			var ids []string
			for _, c := range of {
				ids = append(ids, c.ID.String())
			}
			return create(t, h, M{"name": "x", "source_type": "set", "set": M{"companies": ids}}).ExportJob.ID
		}
		before := balance(t, h)
		first, second := buy(all[0]), buy(all[0], all[1])
		cancel(t, h, first)
		require.True(t, locked(all[0]), "the second export has it for free, and can be cancelled too")
		cancel(t, h, second)
		require.True(t, locked(all[0]))
		require.Equal(t, before, balance(t, h))

		first, second = buy(all[0]), buy(all[0])
		cancel(t, h, first)
		h.work(t)
		finish(t, h, second)
		require.False(t, locked(all[0]), "delivered by the export that had it for free")
		require.True(t, locked(all[1]))
	})
}

func TestAConnectionTellsNoLockedDomain(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 2)
	h.shows(t, "connections")
	a := h.send(t, h.reader, "GET", "/companies/"+all[0].ID.String(), nil)
	var detail struct {
		Connections []struct {
			Company struct{ ID, Name, Domain any }
		}
	}
	a.into(t, &detail)
	require.Equal(t, all[1].Name, detail.Connections[0].Company.Name)
	require.Nil(t, detail.Connections[0].Company.Domain)
}

func TestTheDefaultAnswersAreUnchanged(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 1)
	path := "/companies/" + all[0].ID.String()
	before := h.send(t, h.reader, "GET", path, nil)
	require.NotContains(t, string(before.body), "locked_fields")
	h.shows(t, "all")
	require.Equal(t, string(before.body), string(h.send(t, h.reader, "GET", path, nil).body))
	var keys map[string]json.RawMessage
	before.into(t, &keys)
	require.Len(t, keys, len(company.Fields)+1, "the fields and unlocked")
}

func TestALockedFieldIsNotFoundOrCounted(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 3)
	h.shows(t, "id")
	list := "/lists/" + newList(t, h, "x") + "/companies"
	filtersOf := M{
		"countries": []string{secretOf("country", 0)}, "exclude_countries": []string{"DE"}, "states": []string{"x"}, "exclude_states": []string{"x"},
		"cities": []string{"x"}, "exclude_cities": []string{"x"}, "industries": []string{"x"}, "exclude_industries": []string{"x"},
		"technologies": []string{"x"}, "exclude_technologies": []string{"x"}, "technology_categories": []string{"x"},
		"exclude_technology_categories": []string{"x"}, "connections": []M{{"connected_company_id": all[1].ID.String()}},
	}
	for param, value := range filtersOf {
		t.Run(param, func(t *testing.T) {
			filters := M{param: value}
			require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", filters).fields(t), param)
			nested := M{"name": "x", "search_filters": filters}
			require.Contains(t, h.send(t, h.reader, "POST", "/exports/quote", nested).fields(t), "search_filters."+param)
			require.Contains(t, h.send(t, h.writer, "POST", "/exports", nested).fields(t), "search_filters."+param)
			require.Contains(t, h.send(t, h.writer, "POST", list, M{"search_filters": filters}).fields(t), "search_filters."+param)
		})
	}
	for _, name := range []string{"countries", "technologies", "industries"} {
		require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", M{"facets": []string{name}}).fields(t), "facets[0]")
		prefixed := M{"facet_prefix": M{"facet": name, "prefix": "z"}}
		require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", prefixed).fields(t), "facet_prefix.facet")
	}
	total := func(filters M) int { return find(t, h, filters).Total }
	for _, words := range []string{secretOf("description", 0), "zqdescription", secretOf("domain", 0)} {
		require.Zero(t, total(M{"query": words}), words)
		require.Zero(t, total(M{"query": words, "prefix": true}), words)
		require.Zero(t, total(M{"keywords": []string{words}}), words)
		require.Equal(t, 3, total(M{"exclude_keywords": []string{words}}), words)
	}
	for _, w := range find(t, h, M{"query": "zqdescriptionx"}).Warnings {
		require.Nil(t, w["suggestion"])
	}
	two := M{"query": secretOf("description", 0) + " " + secretOf("description", 1)}
	for _, told := range [][]warning{
		warningsIn(t, h, h.reader, "/companies/search", 200, two), warningsIn(t, h, h.writer, list, 200, M{"search_filters": two}),
	} {
		require.NotEmpty(t, told)
		require.NotContains(t, fmt.Sprint(told), "all of these words", "nobody has either word")
	}
	require.Equal(t, 3, total(M{"query": "guarded"}), "names are found")
	require.Equal(t, 1, total(M{"query": secretOf("domain", 1) + ".test"}), "a whole domain finds its company")
	require.Zero(t, total(M{"query": secretOf("domain", 1) + ".te", "prefix": true}), "its beginning does not")
	require.Equal(t, 3, total(M{"has": []string{"domain", "technologies"}}), "whether a value is known may be asked")
}

func TestRangesOfLockedNumbersCoverWholeBands(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, 3) // of 1733 to 1735 employees, founded in these years
	h.shows(t, "id")
	before := balance(t, h)
	for field, c := range map[string]struct {
		value   any
		instead string
	}{
		"employee_count_min": {1735, "; use 1001 to"},
		"employee_count_max": {1733, "; use 5000 to"},
		"founded_year_min":   {1735, "; use 1730 to"},
		"founded_year_max":   {1733, "; use 1739 to"},
		"naics_codes":        {[]string{"522301"}, "; use 52 to"},
	} {
		filters := M{field: c.value}
		sorted := maps.Clone(filters)
		sorted["sort_by"] = "name"
		found := find(t, h, sorted)
		require.Equal(t, 3, found.Total, "%v", filters)
		require.Len(t, found.Warnings, 1, "%v", filters)
		require.Contains(t, found.Warnings[0]["message"], "locked")
		quote := h.send(t, h.reader, "POST", "/exports/quote", M{"search_filters": filters})
		require.Contains(t, string(quote.body), "because the", "a quote warns")
		refused := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "search_filters": filters})
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, "an export that is wider than asked for is not bought")
		require.Contains(t, refused.fields(t)["search_filters."+field], c.instead, "what to do")
		order := M{"name": "x", "search_filters": filters, "schedule": M{"after": "import"}}
		require.Contains(t, h.send(t, h.writer, "POST", "/orders", order).fields(t)["search_filters."+field], c.instead)
	}
	require.Equal(t, before, balance(t, h))
	require.Empty(t, find(t, h, M{"query": "guarded"}).Warnings, "nobody asked for an order")
	require.Empty(t, find(t, h, M{}).Warnings)
	list := "/lists/" + newList(t, h, "x") + "/companies"
	require.Empty(t, warningsIn(t, h, h.writer, list, 200, M{"search_filters": M{}}))
	require.Empty(t, warningsIn(t, h, h.reader, "/sets/compare", 200, M{"sets": []M{{"search": M{}}}}))
	require.Empty(t, warningsIn(t, h, h.reader, "/exports/quote", 200, M{"search_filters": M{}}))
	require.Equal(t, 3, find(t, h, M{"employee_count_min": 1001, "employee_count_max": 5000}).Total)
	for _, by := range []string{"employee_count", "founded_year", "relevance"} {
		for _, order := range []string{"asc", "desc"} {
			found := find(t, h, M{"sort_by": by, "sort_order": order, "limit": 1})
			require.Equal(t, "Guarded 0", found.Items[0].Name, "sorted by name")
			require.Equal(t, "sort_by", found.Warnings[0]["field"])
		}
	}
}
