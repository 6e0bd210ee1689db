package api_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sent is one server-sent event.
type sent struct{ event, id, data string }

// streamed opens the events of an export, and returns a function that returns the next one; false at the end of the stream.
func (h *house) streamed(t *testing.T, url, export, last string) (next func() (sent, bool), status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+base+"/exports/"+export+"/events", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+h.reader)
	r.Header.Set("Accept-Encoding", "gzip")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, res.Body.Close()) })
	require.Empty(t, res.Header.Get("Content-Encoding"), "compression would hold events back")
	lines := bufio.NewScanner(res.Body)
	return func() (s sent, ok bool) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case name == "event":
				s.event = value
			case name == "id":
				s.id = value
			case name == "data":
				s.data = value
			case lines.Text() == "" && s.event != "":
				return s, true
			}
		}
		return s, false
	}, res.StatusCode
}

func TestTheEventsOfAnExportEndWhenItIsFinal(t *testing.T) {
	t.Parallel()
	h := stocked(t, 50, settings{limits: "exports.create=off"})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	buy := func() string {
		made := get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{}})
		return made["export_job"].(M)["id"].(string)
	}
	cancelled, done := buy(), buy()

	next, _ := h.streamed(t, server.URL, cancelled, "")
	first, ok := next()
	require.True(t, ok)
	require.Equal(t, "export.progress", first.event)
	require.Contains(t, first.data, `"status":"pending"`)
	get[M](t, h, h.writer, 200, "POST", "/exports/"+cancelled+"/cancel", nil)
	last, ok := next()
	require.True(t, ok)
	require.Equal(t, "export.cancelled", last.event)
	var shown M
	require.NoError(t, json.Unmarshal([]byte(last.data), &shown))
	require.Equal(t, get[M](t, h, h.reader, 200, "GET", "/exports/"+cancelled, nil), shown)
	_, ok = next()
	require.False(t, ok)

	_, status := h.streamed(t, server.URL, cancelled, last.id)
	require.Equal(t, http.StatusNoContent, status, "a client that has the last event need not connect again")
	next, _ = h.streamed(t, server.URL, cancelled, first.id)
	again, _ := next()
	require.Equal(t, last, again)

	next, _ = h.streamed(t, server.URL, done, "")
	_, ok = next()
	require.True(t, ok)
	h.work(t)
	for s, ok := next(); ok; s, ok = next() {
		last = s
	}
	require.Equal(t, "export.completed", last.event)
	other := h.send(t, h.token(t, h.workspace(t, 0), "read"), "GET", "/exports/"+done+"/events", nil)
	require.Equal(t, http.StatusNotFound, other.status)
}

func TestTheEventsOfAnExportEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	h := stocked(t, 5, settings{stopping: stopping})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	made := get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "search_filters": M{}})
	next, _ := h.streamed(t, server.URL, made["export_job"].(M)["id"].(string), "")
	first, _ := next()
	require.Equal(t, "export.progress", first.event)
	close(stopping)
	_, ok := next()
	require.False(t, ok)
}
