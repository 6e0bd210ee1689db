package e2e

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client sends plain HTTP requests, as the documentation shows them.
type client struct {
	base, token string
	http        *http.Client // nil for the default one
}

func (s *fixture) client(v *server) *client { return &client{base: v.url, token: s.token} }

// call sends body, unless nil, decodes the response into v, unless nil, and returns the status. It may be called from any
// goroutine.
func (c *client) call(method, path string, body, v any) (int, error) {
	var sent io.Reader
	if body != nil {
		p, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(p)
	}
	r, err := http.NewRequest(method, c.base+"/api/v1"+path, sent)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := cmp.Or(c.http, http.DefaultClient).Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	p, err := io.ReadAll(answer.Body)
	if err != nil || v == nil {
		return answer.StatusCode, err
	}
	if err := json.Unmarshal(p, v); err != nil {
		return answer.StatusCode, fmt.Errorf("%s %s: %w in %s", method, path, err, p)
	}
	return answer.StatusCode, nil
}

func (c *client) must(t *testing.T, status int, method, path string, body, v any) {
	t.Helper()
	var raw json.RawMessage
	got, err := c.call(method, path, body, &raw)
	require.NoError(t, err)
	require.Equal(t, status, got, "%s %s: %s", method, path, raw)
	if v != nil {
		require.NoError(t, json.Unmarshal(raw, v), "%s", raw)
	}
}

type created struct {
	Job struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"export_job"`
	Requested   int     `json:"requested_count"`
	Already     int     `json:"already_unlocked"`
	New         int     `json:"new_count"`
	Cost        int     `json:"cost"`
	Charged     int     `json:"credits_charged"`
	WouldSkip   int     `json:"would_skip"`
	Capped      bool    `json:"capped_at_10k"`
	Transaction *string `json:"transaction_id"`
}

type credits struct {
	Balance int `json:"balance"`
	Recent  []struct {
		Amount    int    `json:"amount"`
		Reason    string `json:"reason"`
		Reference string `json:"reference"`
	} `json:"recent_transactions"`
}

func (c *client) credits(t *testing.T) credits {
	t.Helper()
	var v credits
	c.must(t, http.StatusOK, "GET", "/credits", nil, &v)
	return v
}

func exportOf(name string, filters map[string]any) map[string]any {
	return map[string]any{"name": name, "search_filters": filters}
}

// wait polls the export until it is completed.
func (c *client) wait(t *testing.T, export string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var v struct{ Status, Error string }
		c.must(t, http.StatusOK, "GET", "/exports/"+export, nil, &v)
		if v.Status == "completed" {
			return
		}
		require.NotEqual(t, "failed", v.Status, v.Error)
		require.True(t, time.Now().Before(deadline), "still %s", v.Status)
	}
}

// file downloads a completed export as the documentation says: it gets a link, then sends a plain GET.
func (c *client) file(t *testing.T, export string) []byte {
	t.Helper()
	var link struct {
		URL string `json:"download_url"`
	}
	c.must(t, http.StatusOK, "POST", "/exports/"+export+"/download", nil, &link)
	r, err := http.Get(link.URL)
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode)
	p, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return p
}

// rows returns the records of a CSV file as maps from column name to value.
func rows(t *testing.T, p []byte) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(p)).ReadAll()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	records := make([]map[string]string, 0, len(all))
	for _, row := range all[1:] {
		record := make(map[string]string, len(row))
		for i, cell := range row {
			record[all[0][i]] = cell
		}
		records = append(records, record)
	}
	return records
}

// companies returns NDJSON of generated companies with the numbers from first to last-1. change may alter each.
func companies(first, last int, change func(i int, c map[string]any)) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	for i := first; i < last; i++ {
		c := map[string]any{
			"name": fmt.Sprintf("Company %05d", i), "domain": fmt.Sprintf("c%d.example", i), "country": "Germany",
			"description": "Makes gears and pumps", "employee_count": i,
		}
		if change != nil {
			change(i, c)
		}
		if err := e.Encode(c); err != nil {
			panic(err)
		}
	}
	return b.String()
}

func (s *fixture) load(t *testing.T, ndjson string) {
	t.Helper()
	s.capi(t, "import", s.write(t, "load.ndjson", ndjson))
}
