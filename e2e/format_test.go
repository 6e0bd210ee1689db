package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// awkward are companies whose values a careless writer or reader of a format would change.
const awkward = `{"name":"007","domain":"bond.example","city":"1E5","state":"00123","country":"Germany","industries":["X|Y","Steel"],"naics_codes":["00123","52"],"employee_count":7,"attributes":{"register":"12345678901234567890","number":12345678901234567890,"nested":{"a":[1,"x",null]},"rate":"1E5"}}
{"name":"=1+1","domain":"plus.example","description":"@home, \"quoted\"; and | more","industries":["Oil, Gas"],"technologies":["C++","-flag"],"technology_categories":["A; B","[c]","{d}"],"attributes":{"code":"=2+2"},"founded_year":1999}
{"name":"'=Apostrophe","domain":"apostrophe.example","technologies":["'=x"],"industries":["＝full","＋width"],"description":"'quoted'"}
{"name":"Kettle & Söhne (kettle.example)","domain":"kettle.example","country":"Namibia","country_code":"NA","linkedin_url":"https://www.linkedin.com/company/kettle","connections":[{"category":"vendor","company":{"name":"007","domain":"bond.example"}},{"category":"partner","company":{"name":"Semi; Colon | Bar"}},{"category":"owner: indirect","company":{"domain":"plus.example"}}]}
{"name":"Semi; Colon | Bar","website":"https://semi.example/en?a=1&b=2","city":"São Paulo","country":"Brazil","industries":["日本, 物流","R&D"],"connections":[{"category":"customer","company":{"name":"Kettle & Söhne (kettle.example)"}}]}
{"name":"Plain Tools","domain":"plain.example","industries":["Tools","Steel"],"employee_count":0,"description":"None of these; n/a here"}
`

// fileOptions are the options of a file that are tested together.
var fileOptions = []map[string]any{
	{"export_format": "csv"},
	{"export_format": "csv", "header_row": "label", "csv_options": map[string]any{"bom": true}},
	{"export_format": "csv", "compression": "gzip"},
	{"export_format": "csv", "compression": "zstd"},
	{"export_format": "json", "compression": "zstd"},
	{"export_format": "ndjson"},
	{"export_format": "ndjson", "compression": "gzip"},
	{"export_format": "parquet"},
	{"export_format": "xlsx"},
	{"export_format": "xlsx", "header_row": "label"},
}

// exported buys all companies with the options and returns the file and its name in a folder of the fixture.
func (s *fixture) exported(t *testing.T, c *client, options map[string]any) string {
	t.Helper()
	order := map[string]any{"name": "all", "search_filters": map[string]any{}, "sort_by": "name"}
	name := []string{"file"}
	for _, option := range []string{"export_format", "header_row", "compression", "csv_options"} {
		if value, ok := options[option]; ok {
			order[option] = value
			if option != "csv_options" {
				name = append(name, fmt.Sprint(value))
			}
		}
	}
	var made created
	c.must(t, http.StatusCreated, "POST", "/exports", order, &made)
	c.wait(t, made.Job.ID)
	return s.write(t, strings.Join(name, "."), string(c.file(t, made.Job.ID)))
}

// values are the companies of a JSON export by name, without what a catalog decides: times, and ids of connected companies.
func values(t *testing.T, file []byte) map[string]map[string]any {
	t.Helper()
	var all []map[string]any
	d := json.NewDecoder(strings.NewReader(string(file)))
	d.UseNumber()
	require.NoError(t, d.Decode(&all))
	byName := map[string]map[string]any{}
	for _, c := range all {
		delete(c, "created_at")
		delete(c, "updated_at")
		for _, conn := range c["connections"].([]any) {
			delete(conn.(map[string]any)["company"].(map[string]any), "id")
		}
		byName[c["name"].(string)] = c
	}
	require.Len(t, byName, len(all))
	return byName
}

func TestEveryFormatIsImportedAgainWithoutADifference(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, awkward)
	c := s.client(s.serve(t))
	whole := func(s *fixture, c *client) map[string]map[string]any {
		var made created
		c.must(t, http.StatusCreated, "POST", "/exports", map[string]any{"name": "x", "search_filters": map[string]any{}, "export_format": "json"}, &made)
		c.wait(t, made.Job.ID)
		return values(t, c.file(t, made.Job.ID))
	}
	want := whole(s, c)
	require.Len(t, want, 6)
	require.Equal(t, []any{"X|Y", "Steel"}, want["007"]["industries"])
	require.Equal(t, json.Number("12345678901234567890"), want["007"]["attributes"].(map[string]any)["number"])
	for _, options := range fileOptions {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			file := s.exported(t, c, options)
			var summary struct{ Read, Added, Updated, Unchanged, Rejected int }
			s.json(t, &summary, "import", file, "--json")
			require.Equal(t, "{6 0 0 6 0}", fmt.Sprint(summary), "into the same catalog")

			other := newFixture(t, 100)
			other.capi(t, "import", file)
			got := whole(other, other.client(other.serve(t)))
			for name := range want {
				require.Equal(t, want[name], got[name], "into another catalog")
			}
			require.Len(t, got, len(want))
		})
	}

	// A file with the keys of a list that was matched: they belong to the caller, not to the companies.
	var matched struct {
		ID string `json:"match_id"`
	}
	rows := []map[string]any{{"domain": "bond.example", "key": "0063X"}, {"domain": "plus.example", "key": "=7"}}
	c.must(t, http.StatusOK, "POST", "/companies/match", map[string]any{"rows": rows}, &matched)
	for _, format := range []string{"csv", "json", "parquet", "xlsx"} {
		var made created
		c.must(t, http.StatusCreated, "POST", "/exports", map[string]any{"name": "x", "source_type": "match", "match_id": matched.ID, "export_format": format}, &made)
		c.wait(t, made.Job.ID)
		var summary struct{ Read, Added, Updated, Unchanged, Rejected int }
		s.json(t, &summary, "import", s.write(t, "matched."+format, string(c.file(t, made.Job.ID))), "--json")
		require.Equal(t, "{2 0 0 2 0}", fmt.Sprint(summary), format)
	}
}
