package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
)

func TestOwnersManageWebhooks(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{})
	owner := h.ownersToken(t, h.ws)
	var got atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		got.Add(1)
		_, _ = w.Write([]byte("thanks"))
	}))
	t.Cleanup(receiver.Close)

	made := get[M](t, h, owner, 201, "POST", "/webhooks", M{"url": receiver.URL, "types": []string{"export.*"}, "description": "Data team"})
	secret, at := made["secret"], "/webhooks/"+made["id"].(string)
	require.Contains(t, secret, "whsec_")
	delete(made, "secret")
	require.Equal(t, made, get[M](t, h, owner, 200, "GET", at, nil), "the secret is shown once")
	require.Equal(t, []any{made}, get[M](t, h, owner, 200, "GET", "/webhooks", nil)["items"])

	for _, op := range []struct{ method, path string }{
		{"GET", "/webhooks"},
		{"POST", "/webhooks"},
		{"GET", at},
		{"PATCH", at},
		{"DELETE", at},
		{"POST", at + "/rotate"},
		{"POST", at + "/test"},
		{"GET", at + "/deliveries"},
		{"POST", at + "/deliveries/" + id.New[id.Delivery]().String() + "/replay"},
	} {
		body := any(nil)
		switch {
		case op.path == "/webhooks":
			body = M{"url": "https://example.com"}
		case op.method == "PATCH":
			body = M{"enabled": false}
		case op.path == at+"/rotate":
			body = M{"overlap_hours": 1}
		}
		a := h.send(t, h.writer, op.method, op.path, body)
		require.Equal(t, http.StatusForbidden, a.status, op)
		require.Equal(t, "FORBIDDEN", a.code(t), op)
		if op.path == "/webhooks" {
			continue
		}
		a = h.send(t, h.ownersToken(t, h.workspace(t, 0)), op.method, op.path, body)
		require.Equal(t, http.StatusNotFound, a.status, op)
	}

	tested := get[M](t, h, owner, 200, "POST", at+"/test", nil)
	require.Equal(t, "delivered", tested["state"])
	require.Equal(t, "thanks", tested["response_body"])
	require.EqualValues(t, 1, got.Load())

	get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{}})
	require.NoError(t, h.Events.Publish(t.Context()))
	runner := job.NewRunner(h.jobs, h.Webhooks.Handlers())
	require.NoError(t, runner.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, runner.Stop(t.Context())) })
	delivered := func(n int) (items []any) {
		require.Eventually(t, func() bool {
			items = get[M](t, h, owner, 200, "GET", at+"/deliveries?state=delivered", nil)["items"].([]any)
			return len(items) == n
		}, 30*time.Second, 5*time.Millisecond)
		return items
	}
	first := delivered(2)[0].(M)
	require.Equal(t, "export.created", first["event_type"])
	again := get[M](t, h, owner, 200, "POST", at+"/deliveries/"+first["id"].(string)+"/replay", nil)
	require.Equal(t, first["event_id"], again["event_id"])
	delivered(3)
	page := get[M](t, h, owner, 200, "GET", at+"/deliveries?limit=2", nil)
	rest := get[M](t, h, owner, 200, "GET", at+"/deliveries?limit=2&cursor="+page["next_cursor"].(string), nil)
	require.Len(t, append(page["items"].([]any), rest["items"].([]any)...), 3)

	rotated := get[M](t, h, owner, 200, "POST", at+"/rotate", M{"overlap_hours": 24})
	require.NotEqual(t, secret, rotated["secret"])
	require.NotNil(t, rotated["old_secret_until"])
	off := get[M](t, h, owner, 200, "PATCH", at, M{"enabled": false})
	require.Equal(t, false, off["enabled"])
	require.Equal(t, "An owner disabled it.", off["disabled_reason"])
	require.Equal(t, true, get[M](t, h, owner, 200, "PATCH", at, M{"enabled": true, "types": []string{}})["enabled"])

	for name, c := range map[string]struct {
		body M
		want string
	}{
		"private":   {M{"url": "https://10.0.0.1/"}, "private, loopback, link-local"},
		"http":      {M{"url": "http://93.184.215.14/"}, "use https"},
		"type":      {M{"url": receiver.URL + "/2", "types": []string{"export.done"}}, "is not a type of events"},
		"duplicate": {M{"url": receiver.URL}, "is the address of another webhook"},
		"unknown":   {M{"url": receiver.URL + "/2", "secret": "x"}, "unknown field"},
		"no url":    {M{}, "url"},
	} {
		a := h.send(t, owner, "POST", "/webhooks", c.body)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, string(a.body), c.want, name)
	}
	require.Equal(t, http.StatusNoContent, h.send(t, owner, "DELETE", at, nil).status)
	require.Empty(t, get[M](t, h, owner, 200, "GET", "/webhooks", nil)["items"])
}

// Ids of another workspace are answered as ids of nothing, whatever they are combined with, and change nothing.
func TestWebhooksOfAnotherWorkspaceAreNotFoundAndStayAsTheyAre(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	type hook struct{ webhook, delivery string }
	made := func(owner, path string) (m hook) {
		m.webhook = get[M](t, h, owner, 201, "POST", "/webhooks", M{"url": receiver.URL + path})["id"].(string)
		m.delivery = get[M](t, h, owner, 200, "POST", "/webhooks/"+m.webhook+"/test", nil)["id"].(string)
		return m
	}
	victim, attacker := h.ownersToken(t, h.ws), h.ownersToken(t, h.workspace(t, 0))
	theirs, mine, second := made(victim, "/x"), made(attacker, "/x"), made(attacker, "/y")
	nothing := hook{id.New[id.Webhook]().String(), id.New[id.Delivery]().String()}

	before := h.rows(t, "webhook", "webhook_delivery", "job", "event", "audit_entry")
	require.Len(t, before["webhook"], 3)
	require.Len(t, before["webhook_delivery"], 3)
	attack := func(m hook) (answers []string) {
		at := "/webhooks/" + m.webhook
		for _, op := range []struct {
			method, path string
			body         any
		}{
			{"GET", at, nil},
			{"PATCH", at, M{"enabled": false, "url": "https://hooks.example.com/x"}},
			{"POST", at + "/rotate", M{"overlap_hours": 0}},
			{"POST", at + "/test", nil},
			{"GET", at + "/deliveries", nil},
			{"POST", at + "/deliveries/" + m.delivery + "/replay", nil},
			{"DELETE", at, nil},
		} {
			a := h.send(t, attacker, op.method, op.path, op.body)
			require.Equal(t, http.StatusNotFound, a.status, op)
			require.Equal(t, "NOT_FOUND", a.code(t), op)
			answers = append(answers, strings.NewReplacer(m.webhook, "W", m.delivery, "D").Replace(string(a.body)))
		}
		return answers
	}
	require.Equal(t, attack(nothing), attack(theirs), "the answers do not differ")
	attack(hook{theirs.webhook, mine.delivery})
	for _, delivery := range []string{theirs.delivery, second.delivery, nothing.delivery} {
		a := h.send(t, attacker, "POST", "/webhooks/"+mine.webhook+"/deliveries/"+delivery+"/replay", nil)
		require.Equal(t, "NOT_FOUND", a.code(t), "a delivery of another webhook")
	}
	page := get[M](t, h, attacker, 200, "GET", "/webhooks", nil)["items"].([]any)
	require.Len(t, page, 2)
	require.Equal(t, before, h.rows(t, "webhook", "webhook_delivery", "job", "event", "audit_entry"))
}

// rows returns everything that the tables have.
func (h *house) rows(t testing.TB, tables ...string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range tables {
		rows, err := h.db.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			require.NoError(t, rows.Scan(values...))
			var line strings.Builder
			for i, v := range values {
				fmt.Fprintf(&line, "%s=%v ", columns[i], *v.(*any))
			}
			all[table] = append(all[table], line.String())
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		slices.Sort(all[table])
	}
	return all
}
