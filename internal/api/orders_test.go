package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

var monday = M{"cron": "0 8 * * MON", "time_zone": "Europe/Berlin"}

func ordered(more M) M {
	body := M{"name": "New", "search_filters": M{}, "schedule": monday}
	for k, v := range more {
		body[k] = v
	}
	return body
}

func TestAnOrderIsPricedRunAndListedOverTheAPI(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := stocked(t, 12, settings{db: d})
		made := get[M](t, h, h.writer, 201, "POST", "/orders", ordered(M{"max_credits": 10, "above_cap": "fill", "export_format": "ndjson", "columns": []string{"name"}}))
		path := "/orders/" + made["id"].(string)
		require.Equal(t, "active", made["state"])
		next := made["next_run"].(M)
		require.Equal(t, []any{"exported", 10.0, 2.0}, []any{next["status"], next["cost"], next["would_skip"]})
		require.Equal(t, next, get[M](t, h, h.reader, 200, "GET", path, nil)["next_run"])
		at, err := time.Parse(time.RFC3339, made["next_run_at"].(string))
		require.NoError(t, err)
		require.Equal(t, time.Monday, at.Weekday())

		run := get[M](t, h, h.writer, 201, "POST", path+"/run", nil)
		require.Equal(t, []any{"request", "exported", 10.0, 10.0}, []any{run["cause"], run["status"], run["total_records"], run["credits_charged"]})
		bought := get[M](t, h, h.reader, 200, "GET", "/exports/"+run["export_id"].(string), nil)
		require.Equal(t, []any{made["id"], "added", "New", "ndjson"}, []any{bought["order_id"], bought["deliver"], bought["name"], bought["export_format"]})
		require.EqualValues(t, 990, get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"])
		require.EqualValues(t, 2, get[M](t, h, h.writer, 201, "POST", path+"/run", nil)["credits_charged"])
		require.Equal(t, "nothing_new", get[M](t, h, h.writer, 201, "POST", path+"/run", nil)["status"])
		got := get[M](t, h, h.reader, 200, "GET", path, nil)
		require.Equal(t, []any{12.0, "nothing_new"}, []any{got["credits_spent"], got["next_run"].(M)["status"]})

		first := get[M](t, h, h.reader, 200, "GET", path+"/runs?limit=2", nil)
		require.Len(t, first["items"], 2)
		rest := get[M](t, h, h.reader, 200, "GET", path+"/runs?limit=2&cursor="+first["next_cursor"].(string), nil)
		require.Equal(t, run["id"], rest["items"].([]any)[0].(M)["id"])
		require.Nil(t, rest["next_cursor"])
		require.Len(t, get[M](t, h, h.reader, 200, "GET", "/orders", nil)["items"], 1)

		changed := get[M](t, h, h.writer, 200, "PATCH", path, M{"name": "Renamed", "schedule": M{"after": "import"}, "remove": []string{"max_credits"}, "max_credits_total": 50})
		require.Equal(t, []any{"Renamed", nil, 50.0, "import", nil}, []any{changed["name"], changed["max_credits"], changed["max_credits_total"], changed["schedule"].(M)["after"], changed["next_run_at"]})
		for range 2 {
			require.Equal(t, "paused", get[M](t, h, h.writer, 200, "POST", path+"/pause", nil)["state"])
		}
		for range 2 {
			require.Equal(t, "active", get[M](t, h, h.writer, 200, "POST", path+"/resume", nil)["state"])
		}
		require.Equal(t, http.StatusNoContent, h.send(t, h.writer, "DELETE", path, nil).status)
		require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "GET", path, nil).code(t))
		get[M](t, h, h.reader, 200, "GET", "/exports/"+run["export_id"].(string), nil)
	})
}

func TestARetriedRunIsBoughtOnce(t *testing.T) {
	t.Parallel()
	h := stocked(t, 12, settings{})
	send := func(path string, body any) answer {
		r := h.request(t, h.writer, "POST", base+path, body)
		r.Header.Set("Idempotency-Key", "once"+path)
		return h.raw(t, r)
	}
	var made M
	first := send("/orders", ordered(nil))
	first.into(t, &made)
	require.Equal(t, first.body, send("/orders", ordered(nil)).body)
	require.Len(t, get[M](t, h, h.reader, 200, "GET", "/orders", nil)["items"], 1)
	path := "/orders/" + made["id"].(string) + "/run"
	run := send(path, nil)
	require.Equal(t, http.StatusCreated, run.status)
	require.Equal(t, run.body, send(path, nil).body)
	require.EqualValues(t, 988, get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"])
}

func TestEveryWrongOrderIsRefusedAndChargesNothing(t *testing.T) {
	t.Parallel()
	h := stocked(t, 3, settings{})
	for field, more := range map[string]M{
		"schedule.cron":           {"schedule": M{"cron": "0 0 30 2 *"}},
		"schedule.time_zone":      {"schedule": M{"cron": "0 8 * * *", "time_zone": "Berlin"}},
		"schedule":                {"schedule": M{}},
		"schedule.after":          {"schedule": M{"after": "export"}},
		"deliver":                 {"deliver": "new"},
		"ends_at":                 {"ends_at": "2020-01-01T00:00:00Z"},
		"max_credits":             {"max_credits": -1},
		"compression":             {"export_format": "parquet", "compression": "gzip"},
		"columns[0]":              {"columns": []string{"nam"}},
		"source_type":             {"source_type": "match", "match_id": "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f", "search_filters": nil},
		"baseline":                {"deliver": "all", "baseline": true},
		"on_insufficient_balance": {"on_insufficient_balance": "partial"},
		"quote_id":                {"quote_id": "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f"},
		"search_filters":          {"search_filters": nil},
		"destination_id":          {"destination_id": "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f"},
	} {
		a := h.send(t, h.writer, "POST", "/orders", ordered(more))
		require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s %s", field, a.body)
		require.Contains(t, a.fields(t), field)
	}
	require.Equal(t, "NOT_FOUND", h.send(t, h.writer, "POST", "/orders", M{"name": "x", "source_type": "list", "list_id": "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f", "schedule": monday}).code(t))
	warned := get[M](t, h, h.writer, 201, "POST", "/orders", ordered(M{"search_filters": M{"countries": []string{"Germny"}}}))
	require.NotEmpty(t, warned["next_run"].(M)["warnings"], "a misspelt filter would deliver nothing for ever")
	path := "/orders/" + warned["id"].(string)
	for field, body := range map[string]M{
		"remove[0]": {"remove": []string{"name"}}, "schedule.cron": {"schedule": M{"cron": "x"}}, "schedule": {"schedule": M{}}, "deliver": {"deliver": "all"},
	} {
		require.Contains(t, h.send(t, h.writer, "PATCH", path, body).fields(t), field)
	}
	require.EqualValues(t, 1000, get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"])
}

func TestOrdersOfAnotherWorkspaceAreNotFound(t *testing.T) {
	t.Parallel()
	h := stocked(t, 3, settings{})
	made := get[M](t, h, h.writer, 201, "POST", "/orders", ordered(nil))
	path := "/orders/" + made["id"].(string)
	stranger := h.token(t, h.workspace(t, 100), auth.ReadWrite)
	for _, op := range []struct {
		method, path string
		body         any
	}{
		{"GET", path, nil},
		{"PATCH", path, M{"name": "x"}},
		{"DELETE", path, nil},
		{"GET", path + "/runs", nil},
		{"POST", path + "/run", nil},
		{"POST", path + "/pause", nil},
		{"POST", path + "/resume", nil},
	} {
		require.Equal(t, "NOT_FOUND", h.send(t, stranger, op.method, op.path, op.body).code(t), op)
	}
	require.Empty(t, get[M](t, h, stranger, 200, "GET", "/orders", nil)["items"])
	after := get[M](t, h, h.reader, 200, "GET", path, nil)
	require.Equal(t, made, after)
}
