package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// firms returns companies named Firm N with N employees.
func firms(country string, low, high int) string {
	var b strings.Builder
	for n := low; n <= high; n++ {
		fmt.Fprintf(&b, `{"name":"Firm %d","domain":"f%d.example","country":%q,"employee_count":%d}`+"\n", n, n, country, n)
	}
	return b.String()
}

// python returns the interpreter that the variable names, which must have the packages.
func python(t *testing.T, variable, service, packages string) string {
	t.Helper()
	program := cmp.Or(os.Getenv(variable), "python3")
	if err := exec.CommandContext(t.Context(), program, "-c", "import "+packages).Run(); err != nil {
		required.Missing(t, service, "%s lacks one of %s: %v", program, packages, err)
	}
	return program
}

// untilFound waits until the server finds what was imported.
func (c *client) untilFound(t *testing.T, filters object, want int) {
	t.Helper()
	require.Eventually(t, func() bool {
		var found struct{ Total int }
		c.must(t, http.StatusOK, "POST", "/companies/search", filters, &found)
		return found.Total == want
	}, 30*time.Second, 20*time.Millisecond)
}

// airbyte is a connection of Airbyte.
type airbyte struct {
	python, manifest, dir string
}

// message is what a source of Airbyte prints.
type message struct {
	Type   string
	Spec   struct{ ConnectionSpecification struct{ Required []string } }
	Status struct{ Status, Message string } `json:"connectionStatus"`
	Record struct {
		Stream string
		Data   map[string]any
	}
	Catalog struct {
		Streams []struct {
			Name               string
			SupportedSyncModes []string   `json:"supported_sync_modes"`
			Cursor             []string   `json:"default_cursor_field"`
			Key                [][]string `json:"source_defined_primary_key"`
		}
	}
	State json.RawMessage
	Trace struct {
		Error struct{ Message string }
	}
}

// run runs a command of the source and returns what it printed but for logs.
func (a airbyte) run(t *testing.T, arguments ...string) (all []message) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), a.python, append([]string{"testdata/airbyte.py", a.manifest}, arguments...)...)
	cmd.Stderr = t.Output()
	out, _ := cmd.Output()
	for line := range bytes.Lines(out) {
		var m message
		require.NoError(t, json.Unmarshal(line, &m), "%s", line)
		if m.Type != "LOG" {
			all = append(all, m)
		}
	}
	return all
}

func (a airbyte) write(t *testing.T, name string, v any) string {
	t.Helper()
	content, err := json.Marshal(v)
	require.NoError(t, err)
	path := filepath.Join(a.dir, name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func (a airbyte) check(t *testing.T, config object) (status, text string) {
	t.Helper()
	for _, m := range a.run(t, "check", "--config", a.write(t, "config.json", config)) {
		if m.Type == "CONNECTION_STATUS" {
			return m.Status.Status, m.Status.Message
		}
	}
	require.Fail(t, "no answer")
	return "", ""
}

// price returns the only record of the stream that says what matches.
func (a airbyte) price(t *testing.T, config object) map[string]any {
	t.Helper()
	catalog := object{"streams": []object{{
		"stream":    object{"name": "price", "json_schema": object{}, "supported_sync_modes": []string{"full_refresh"}},
		"sync_mode": "full_refresh", "destination_sync_mode": "overwrite",
	}}}
	var records []map[string]any
	for _, m := range a.run(t, "read", "--config", a.write(t, "config.json", config), "--catalog", a.write(t, "catalog.json", catalog)) {
		if m.Type == "RECORD" {
			records = append(records, m.Record.Data)
		}
	}
	require.Len(t, records, 1)
	return records[0]
}

// read returns the names that a sync reads, sorted, the state after it, which is the given one if it has not changed, and its error.
func (a airbyte) read(t *testing.T, config object, state []json.RawMessage) (names []string, after []json.RawMessage, failure string) {
	t.Helper()
	catalog := object{"streams": []object{{
		"stream":    object{"name": "companies", "json_schema": object{}, "supported_sync_modes": []string{"full_refresh", "incremental"}},
		"sync_mode": "incremental", "destination_sync_mode": "append_dedup",
	}}}
	arguments := []string{"read", "--config", a.write(t, "config.json", config), "--catalog", a.write(t, "catalog.json", catalog)}
	if state != nil {
		arguments = append(arguments, "--state", a.write(t, "state.json", state))
	}
	after = state
	for _, m := range a.run(t, arguments...) {
		switch {
		case m.Type == "RECORD":
			names = append(names, fmt.Sprint(m.Record.Data["name"]))
			require.NotEmpty(t, m.Record.Data["synced_at"])
		case m.Type == "STATE":
			after = []json.RawMessage{m.State}
		case m.Trace.Error.Message != "":
			failure += m.Trace.Error.Message + "\n"
		}
	}
	slices.Sort(names)
	return names, after, failure
}

// TestAirbyteReadsOnlyWhatIsNewAndBuysNothingTwice needs airbyte-cdk, as in scripts/airbyte.txt. CAPI_TEST_AIRBYTE names the Python that
// has it.
func TestAirbyteReadsOnlyWhatIsNewAndBuysNothingTwice(t *testing.T) {
	t.Parallel()
	a := airbyte{python(t, "CAPI_TEST_AIRBYTE", "airbyte", "airbyte_cdk"), "../integrations/airbyte/capi.yaml", t.TempDir()}
	s := newFixture(t, 100)
	s.load(t, firms("US", 1, 4)+firms("DE", 5, 6))
	v := s.serve(t)
	c := s.client(v)
	us := object{"countries": []string{"US"}}
	config := func(changes ...object) object {
		all := object{"api": v.url + "/api/v1", "token": s.token, "filters": `{"countries": ["US"]}`, "max_credits": 10, "overlap": "PT0S"}
		for _, change := range changes {
			for k, value := range change {
				all[k] = value
			}
		}
		return all
	}

	spec := a.run(t, "spec")
	require.Len(t, spec, 1)
	require.Equal(t, []string{"api", "token", "filters", "max_credits"}, spec[0].Spec.ConnectionSpecification.Required)
	status, text := a.check(t, config())
	require.Equal(t, "SUCCEEDED", status, text)
	for want, wrong := range map[string]object{
		"did you mean": {"filters": `{"country": ["US"]}`},
		"must be":      {"filters": `US`},
		"token":        {"token": "cornect_wrong"},
	} {
		status, text = a.check(t, config(wrong))
		require.Equal(t, "FAILED", status, want)
		require.Contains(t, text, want)
	}
	discovered := a.run(t, "discover", "--config", a.write(t, "config.json", config()))
	require.Len(t, discovered, 1)
	require.Equal(t, "companies", discovered[0].Catalog.Streams[1].Name)
	require.Equal(t, []string{"full_refresh", "incremental"}, discovered[0].Catalog.Streams[1].SupportedSyncModes)
	require.Equal(t, []string{"synced_at"}, discovered[0].Catalog.Streams[1].Cursor)
	require.Equal(t, [][]string{{"id"}}, discovered[0].Catalog.Streams[1].Key)
	require.Equal(t, object{"total": 4., "excluded_count": 0., "credits": object{"already_unlocked": 0., "new_count": 4.}}, a.price(t, config()))
	require.Equal(t, 100, c.credits(t).Balance, "nothing is bought before the first sync")

	names, state, failure := a.read(t, config(), nil)
	require.Empty(t, failure)
	require.Equal(t, []string{"Firm 1", "Firm 2", "Firm 3", "Firm 4"}, names)
	require.Equal(t, 96, c.credits(t).Balance)
	names, state, failure = a.read(t, config(), state)
	require.Empty(t, failure)
	require.Empty(t, names)

	s.load(t, firms("US", 7, 8)+firms("DE", 9, 9)+`{"name":"Firm 2","domain":"f2.example","country":"US","employee_count":2000}`+"\n")
	c.untilFound(t, us, 6)
	names, changed, failure := a.read(t, config(), state)
	require.Empty(t, failure)
	require.Equal(t, []string{"Firm 2", "Firm 7", "Firm 8"}, names, "what was added and what has changed")
	require.Equal(t, 94, c.credits(t).Balance)
	names, _, _ = a.read(t, config(), state)
	require.Equal(t, []string{"Firm 2", "Firm 7", "Firm 8"}, names, "a sync whose rows were lost is done again")
	names, _, _ = a.read(t, config(), changed)
	require.Empty(t, names)
	names, _, _ = a.read(t, config(), nil)
	require.Len(t, names, 6)
	require.Equal(t, 94, c.credits(t).Balance, "nothing is bought twice")

	s.load(t, firms("US", 20, 31))
	c.untilFound(t, us, 18)
	names, after, failure := a.read(t, config(), changed)
	require.Empty(t, names)
	require.Contains(t, failure, "MAX_CREDITS_EXCEEDED")
	require.Equal(t, 94, c.credits(t).Balance)
	names, _, failure = a.read(t, config(object{"max_credits": 12}), after)
	require.Empty(t, failure)
	require.Len(t, names, 12, "the failed sync has not moved the state")
	require.Equal(t, 82, c.credits(t).Balance)
	names, _, failure = a.read(t, config(object{"token": s.newToken(t, "read")}), nil)
	require.Empty(t, names)
	require.Contains(t, failure, "read_write")

	s.load(t, firms("FR", 100_001, 110_001))
	c.untilFound(t, object{"countries": []string{"FR"}}, 10_001)
	french := config(object{"filters": `{"countries": ["FR"]}`, "max_credits": 20_000})
	status, text = a.check(t, french)
	require.Equal(t, "FAILED", status)
	require.Contains(t, text, "10001 companies match, and one export holds 10,000. Nothing was bought.")
	names, _, failure = a.read(t, french, nil)
	require.Empty(t, names)
	require.Contains(t, failure, "Nothing was bought")
	require.Equal(t, 82, c.credits(t).Balance)
	s.requireHealthy(t)
}

// TestDLTLoadsOnlyWhatIsNewAndBuysNothingTwice needs dlt with DuckDB, as in scripts/readers.txt.
func TestDLTLoadsOnlyWhatIsNewAndBuysNothingTwice(t *testing.T) {
	t.Parallel()
	program := python(t, "CAPI_TEST_PYTHON", "readers", "dlt, duckdb")
	example, err := filepath.Abs("../integrations/dlt/capi.py")
	require.NoError(t, err)
	script, err := filepath.Abs("testdata/dlt_load.py")
	require.NoError(t, err)
	s := newFixture(t, 20_000)
	s.load(t, firms("US", 1, 10_500)+firms("DE", 20_001, 20_003))
	v := s.serve(t)
	c, dir := s.client(v), t.TempDir()
	type outcome struct {
		Loaded int
		Rows   []struct {
			ID, Name  string
			Employees int
		}
	}
	load := func(filters string, credits int) (o outcome, failure string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, script, example, v.url+"/api/v1", s.token, filters, strconv.Itoa(credits))
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stderr = dir, &stderr
		cmd.Env = append(os.Environ(), "RUNTIME__DLTHUB_TELEMETRY=false")
		out, err := cmd.Output()
		if err != nil {
			return o, stderr.String()
		}
		require.NoError(t, json.Unmarshal(out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:], &o), "%s", out)
		return o, ""
	}
	const us = `{"countries": ["US"]}`
	_, failure := load(us, 9_999)
	require.Contains(t, failure, "MAX_CREDITS_EXCEEDED")
	_, failure = load(`{"country": ["US"]}`, 10)
	require.Contains(t, failure, "did you mean")
	require.Equal(t, 20_000, c.credits(t).Balance)

	got, failure := load(us, 10_500)
	require.Empty(t, failure)
	require.Equal(t, 10_500, got.Loaded, "two exports, because one holds 10,000")
	require.Len(t, got.Rows, 10_500)
	require.Equal(t, 9_500, c.credits(t).Balance)
	got, failure = load(us, 0)
	require.Empty(t, failure)
	require.Zero(t, got.Loaded)

	s.load(t, firms("US", 10_501, 10_502)+firms("DE", 20_004, 20_004)+`{"name":"Firm 2","domain":"f2.example","country":"US","employee_count":30000}`+"\n")
	c.untilFound(t, object{"countries": []string{"US"}}, 10_502)
	got, failure = load(us, 2)
	require.Empty(t, failure)
	require.Equal(t, 3, got.Loaded)
	require.Len(t, got.Rows, 10_502, "the changed company was replaced")
	require.Equal(t, "Firm 2", got.Rows[10_501].Name)
	require.Equal(t, 9_498, c.credits(t).Balance)
	got, failure = load(`{"countries": ["DE"]}`, 4)
	require.Empty(t, failure)
	require.Equal(t, 4, got.Loaded, "other filters start from the beginning")
	require.Equal(t, 9_494, c.credits(t).Balance)
	s.requireHealthy(t)
}
