package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

// door is an operation as an attacker calls it to see companies that the workspace does not own.
type door struct {
	send  func(t *testing.T, h *guardedHouse) []answer
	shows []string // the fields whose values the answers have if nothing is locked
}

// guardedHouse has companies with secrets, and something of each kind that names them.
type guardedHouse struct {
	*house
	all                                    []*company.Company
	list, saved, cancelled, pending, match string
	order                                  string
	url                                    string // of a server with the same handler, for streams
}

func openDoors(t *testing.T) *guardedHouse {
	t.Helper()
	h := &guardedHouse{}
	h.house, h.all = guarded(t, 3)
	server := httptest.NewServer(h.house)
	t.Cleanup(server.Close)
	h.url, h.list = server.URL, newList(t, h.house, "all")
	h.send(t, h.writer, "POST", "/lists/"+h.list+"/companies", M{"company_ids": h.ids()})
	bought := M{"name": "x", "source_type": "list", "list_id": h.list}
	h.cancelled = create(t, h.house, bought).ExportJob.ID
	cancel(t, h.house, h.cancelled)
	h.pending = create(t, h.house, bought).ExportJob.ID
	saved, err := h.Lists.SaveSearch(t.Context(), h.ws, list.Search{Name: "all", Filters: query.Filters{Query: "guarded"}})
	require.NoError(t, err)
	h.saved = saved.ID.String()
	h.match = get[struct {
		ID string `json:"match_id"`
	}](t, h.house, h.reader, 200, "POST", "/companies/match", M{"rows": []M{{"key": "a", "name": "Guarded 0"}, {"name": "Guarded 1"}}}).ID
	h.order = get[M](t, h.house, h.writer, 201, "POST", "/orders", M{"name": "x", "search_filters": M{"query": "guarded"}, "schedule": monday, "max_credits": 0})["id"].(string)
	return h
}

func (h *guardedHouse) ids() (ids []string) {
	for _, c := range h.all {
		ids = append(ids, c.ID.String())
	}
	return ids
}

// sets are the companies as every kind of set.
func (h *guardedHouse) sets() []M {
	return []M{
		{"search": M{}},
		{"list_id": h.list},
		{"saved_search_id": h.saved},
		{"match_id": h.match},
		{"export_id": h.pending},
		{"owned": true},
		{"companies": h.ids()},
		{"not": M{"companies": h.ids()[:1]}},
		{"all_of": []M{{"list_id": h.list}, {"any_of": []M{{"match_id": h.match}, {"owned": true}}}}},
	}
}

// each sends one request for each body.
func (h *guardedHouse) each(t *testing.T, method, path string, bodies ...M) (answers []answer) {
	for _, body := range bodies {
		var sent any
		if body != nil {
			sent = body
		}
		a := h.send(t, h.writer, method, path, sent)
		require.Less(t, a.status, http.StatusInternalServerError, "%s %s %v: %s", method, path, body, a.body)
		answers = append(answers, a)
	}
	return answers
}

func withoutFields(fields []string, but ...string) []string {
	return slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return slices.Contains(but, f) })
}

// doors is every operation of the API by its id.
func doors() map[string]door {
	items := withoutFields(lockable(), "attributes", "connections")
	send := func(method, path string, bodies ...M) func(*testing.T, *guardedHouse) []answer {
		return func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, method, strings.NewReplacer("LIST", h.list, "PENDING", h.pending, "CANCELLED", h.cancelled, "COMPANY", h.all[0].ID.String(), "ORDER", h.order).Replace(path), bodies...)
		}
	}
	sources := func(h *guardedHouse) (bodies []M) {
		bodies = []M{{"search_filters": M{}}, {"source_type": "list", "list_id": h.list}, {"source_type": "match", "match_id": h.match}}
		for _, set := range h.sets() {
			bodies = append(bodies, M{"source_type": "set", "set": set})
		}
		for _, format := range []string{"json", "ndjson", "parquet", "xlsx"} {
			bodies = append(bodies, M{"search_filters": M{}, "export_format": format})
		}
		for _, b := range bodies {
			b["name"] = "x"
		}
		return bodies
	}
	return map[string]door{
		"searchCompanies": {shows: items, send: func(t *testing.T, h *guardedHouse) []answer {
			bodies := []M{{}, {"query": "guarded"}, {"query": "guarded 0 zq", "facet_prices": true}, {"keywords": []string{"zq"}}, {"limit": 1}}
			for _, by := range query.SortNames {
				bodies = append(bodies, M{"sort_by": by}, M{"sort_by": by, "sort_order": "asc", "limit": 2})
			}
			for _, set := range h.sets() {
				bodies = append(bodies, M{"in": []M{set}})
			}
			bodies = append(bodies, M{"has": company.Knowable[:10]}, M{"missing": company.Knowable[1:]}, M{"not_in": h.sets()[3:4]})
			return h.each(t, "POST", "/companies/search", bodies...)
		}},
		"matchCompanies": {shows: []string{"domain", "country", "city"}, send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "POST", "/companies/match", M{"rows": []M{{"name": "Guarded 0"}, {"name": "Guarded 1", "city": "Rome"}, {"id": h.ids()[2]}, {"name": "guarded-2", "country": "DE"}}})
		}},
		"pivotCompanies": {send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "POST", "/companies/pivot", M{"rows": "employee_count", "columns": "known"},
				M{"rows": "naics_codes", "columns": "founded_year", "filters": M{"in": h.sets()[:4]}})
		}},
		"compareSets": {send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "POST", "/sets/compare", M{"sets": h.sets()[:4]}, M{"sets": h.sets()[4:]})
		}},
		"getCompany":       {shows: lockable(), send: send("GET", "/companies/COMPANY", nil)},
		"getCredits":       {send: send("GET", "/credits", nil)},
		"listTransactions": {send: send("GET", "/credits/transactions", nil)},
		"getStatement":     {send: send("GET", "/credits/statements/2026-01", nil)},
		"listAudit":        {send: send("GET", "/audit", nil)},
		"listEvents":       {send: send("GET", "/events", nil)},
		"streamExport": {send: func(t *testing.T, h *guardedHouse) []answer {
			next, status := h.streamed(t, h.url, h.cancelled, "")
			final, _ := next()
			require.Equal(t, "export.cancelled", final.event)
			return []answer{{status: status, header: http.Header{}, body: []byte(final.data)}}
		}},
		"createExport": {send: func(t *testing.T, h *guardedHouse) (answers []answer) {
			for _, body := range sources(h)[:5] { // each is given back, so that nothing is owned
				a := h.each(t, "POST", "/exports", body)[0]
				answers = append(answers, a)
				if a.status == http.StatusCreated {
					var made struct {
						ExportJob struct{ ID string } `json:"export_job"`
					}
					a.into(t, &made)
					cancel(t, h.house, made.ExportJob.ID)
				}
			}
			return answers
		}},
		"quoteExport": {send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "POST", "/exports/quote", sources(h)...)
		}},
		"listExports":    {send: send("GET", "/exports", nil)},
		"getExport":      {send: send("GET", "/exports/PENDING", nil)},
		"downloadExport": {send: send("POST", "/exports/PENDING/download", nil)},
		"cancelExport":   {send: send("POST", "/exports/CANCELLED/cancel", nil)},
		"getReceipt": {shows: []string{"domain"}, send: func(t *testing.T, h *guardedHouse) (answers []answer) {
			for _, of := range []string{h.cancelled, h.pending} {
				for _, format := range []string{"json", "csv"} {
					answers = append(answers, h.each(t, "GET", "/exports/"+of+"/receipt?format="+format, nil)...)
				}
			}
			return answers
		}},
		"listPresets":       {send: send("GET", "/presets", nil)},
		"createPreset":      {send: send("POST", "/presets", M{"name": "x", "columns": []string{"name"}})},
		"getPreset":         {send: send("GET", "/presets/PENDING", nil)},
		"updatePreset":      {send: send("PATCH", "/presets/PENDING", M{"name": "y"})},
		"deletePreset":      {send: send("DELETE", "/presets/PENDING", nil)},
		"listDestinations":  {send: send("GET", "/destinations", nil)},
		"createDestination": {send: send("POST", "/destinations", M{"name": "x", "type": "s3", "s3": M{"bucket": "x"}})},
		"getDestination":    {send: send("GET", "/destinations/PENDING", nil)},
		"updateDestination": {send: send("PATCH", "/destinations/PENDING", M{"name": "y"})},
		"deleteDestination": {send: send("DELETE", "/destinations/PENDING", nil)},
		"testDestination":   {send: send("POST", "/destinations/PENDING/test", nil)},
		"deliverExport":     {send: send("POST", "/exports/PENDING/deliver", nil)},
		"listWebhooks":      {send: send("GET", "/webhooks", nil)},
		"createWebhook":     {send: send("POST", "/webhooks", M{"url": "https://hooks.example.com/x"})},
		"getWebhook":        {send: send("GET", "/webhooks/PENDING", nil)},
		"updateWebhook":     {send: send("PATCH", "/webhooks/PENDING", M{"active": false})},
		"deleteWebhook":     {send: send("DELETE", "/webhooks/PENDING", nil)},
		"rotateWebhook":     {send: send("POST", "/webhooks/PENDING/rotate", nil)},
		"testWebhook":       {send: send("POST", "/webhooks/PENDING/test", nil)},
		"listDeliveries":    {send: send("GET", "/webhooks/PENDING/deliveries", nil)},
		"replayDelivery":    {send: send("POST", "/webhooks/PENDING/deliveries/PENDING/replay", nil)},
		"createOrder": {send: func(t *testing.T, h *guardedHouse) (answers []answer) {
			for _, body := range sources(h) {
				for _, deliver := range []string{"added", "changed", "left", "all"} {
					body["schedule"], body["deliver"] = monday, deliver
					a := h.each(t, "POST", "/orders", body)[0]
					if answers = append(answers, a); a.status == http.StatusCreated {
						var made struct{ ID string }
						a.into(t, &made)
						h.send(t, h.writer, "DELETE", "/orders/"+made.ID, nil)
					}
				}
			}
			return answers
		}},
		"listOrders":  {send: send("GET", "/orders", nil)},
		"getOrder":    {send: send("GET", "/orders/ORDER", nil)},
		"updateOrder": {send: send("PATCH", "/orders/ORDER", M{"name": "renamed"}, M{"max_credits": 0})},
		"pauseOrder":  {send: send("POST", "/orders/ORDER/pause", nil)},
		"resumeOrder": {send: send("POST", "/orders/ORDER/resume", nil)},
		"runOrder":    {send: send("POST", "/orders/ORDER/run", nil)},
		"listRuns":    {send: send("GET", "/orders/ORDER/runs", nil)},
		"deleteOrder": {send: send("DELETE", "/orders/PENDING", nil)},
		"listLists":   {send: send("GET", "/lists", nil)},
		"createList":  {send: send("POST", "/lists", M{"name": "another"})},
		"getList":     {send: send("GET", "/lists/LIST", nil)},
		"updateList":  {send: send("PATCH", "/lists/LIST", M{"name": "renamed"})},
		"deleteList": {send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "DELETE", "/lists/"+newList(t, h.house, "gone"), nil)
		}},
		"listListCompanies": {shows: items, send: send("GET", "/lists/LIST/companies", nil)},
		"addListCompanies": {send: func(t *testing.T, h *guardedHouse) []answer {
			bodies := []M{{"domains": []string{"zq.test"}}, {"search_filters": M{}}, {"search_filters": M{"query": "zq"}}, {"match_id": h.match}}
			for _, set := range h.sets() {
				bodies = append(bodies, M{"set": set})
			}
			return h.each(t, "POST", "/lists/"+newList(t, h.house, "copy")+"/companies", bodies...)
		}},
		"removeListCompanies": {send: func(t *testing.T, h *guardedHouse) []answer {
			return h.each(t, "DELETE", "/lists/"+newList(t, h.house, "empty")+"/companies", M{"search_filters": M{}}, M{"domains": []string{"zq.test"}})
		}},
	}
}

var plainIDs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}T[0-9:.]+Z|"next_cursor":"[^"]*"`)

// shows reports whether the text contains the value of a company's field, in whatever place.
func shows(text, field string, n int) bool {
	text = plainIDs.ReplaceAllString(text, "")
	switch f := company.FieldNamed(field); {
	case f.Int != nil:
		return strings.Contains(text, `"`+field+`":`+strconv.Itoa(1733+n))
	case field == "naics_codes":
		return strings.Contains(text, fmt.Sprintf("5223%02d", n))
	case field == "country_code":
		return strings.Contains(text, `"country_code":"DE"`)
	}
	return strings.Contains(text, secretOf(field, n))
}

// Every operation is attacked for every field: with it locked alone, then with all. A new operation must be added to the table.
func TestNoOperationShowsALockedField(t *testing.T) {
	t.Parallel()
	h, table := openDoors(t), doors()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	var known []string
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			known = append(known, op.OperationID)
		}
	}
	slices.Sort(known)
	require.Equal(t, known, slices.Sorted(maps.Keys(table)), "doors must have every operation")

	for name, d := range table { // without a locked field, the attack sees what it is after
		var all strings.Builder
		for _, a := range d.send(t, h) {
			all.Write(a.body)
		}
		for _, field := range lockable() {
			require.Equal(t, slices.Contains(d.shows, field), shows(all.String(), field, 0), "%s of %s", field, name)
		}
	}
	attack := func(t *testing.T, locked ...string) {
		for name, d := range table {
			for _, a := range d.send(t, h) {
				for _, field := range locked {
					for n := range h.all {
						require.False(t, shows(string(a.body), field, n), "%s shows %s: %s", name, field, a.body)
					}
				}
				require.True(t, json.Valid(a.body) || !strings.Contains(a.header.Get("Content-Type"), "json"), "%s", a.body)
			}
		}
	}
	for _, field := range lockable() {
		t.Run(field, func(t *testing.T) {
			h.shows(t, withoutFields(lockable(), field)...)
			attack(t, field)
		})
	}
	h.shows(t, "id")
	attack(t, lockable()...)
}
