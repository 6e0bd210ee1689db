package source

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const acmeAndBolt = "name=\"Acme\" size=5\nname=\"Bolt\" size=9"

func TestJSONOfEveryShapeIsRead(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ content, want string }{
		"numbered objects":        {`{"0":{"name":"Acme","size":5},"1":{"name":"Bolt","size":9}}`, acmeAndBolt},
		"keyed by domain":         {`{"acme.example":{"name":"Acme"},"bolt.example":{"name":"Bolt"}}`, `name="Acme" key="acme.example"` + "\n" + `name="Bolt" key="bolt.example"`},
		"keyed by a code":         {"{\n\"AC\": {\"name\":\"Acme\",\"size\":5},\n\"BO\": {\"name\":\"Bolt\"}\n}", "name=\"Acme\" size=5 key=\"AC\"\nname=\"Bolt\" key=\"BO\""},
		"keyed, in a wrapper":     {`{"ok":true,"data":{"7":{"name":"Acme","size":5},"8":{"name":"Bolt","size":9}},"next":null}`, acmeAndBolt},
		"columns of numbers":      {`{"name":{"0":"Acme","1":"Bolt"},"size":{"0":5,"1":9}}`, acmeAndBolt},
		"columns of lists":        {"{\"name\":[\"Acme\",\"Bolt\"],\n\"size\":[5,9]}", acmeAndBolt},
		"columns, with a hole":    {`{"name":{"0":"Acme","10":"Bolt","9":"Cog"},"size":{"0":5}}`, "name=\"Acme\" size=5\nname=\"Cog\"\nname=\"Bolt\""},
		"split":                   {`{"columns":["name","size"],"index":[0,1],"data":[["Acme",5],["Bolt",9]]}`, acmeAndBolt},
		"split, objects as names": {`{"fields":[{"id":"name"},{"id":"size"}],"records":[["Acme",5],["Bolt",9]]}`, acmeAndBolt},
		"split, no names":         {`{"rows":[["name","size"],["Acme",5],["Bolt",9]]}`, acmeAndBolt},
		"arrays":                  {`[["name","size"],["Acme",5],["Bolt",9]]`, acmeAndBolt},
		"arrays, indented":        {"[\n [\"A list\"],\n [\n  \"name\",\n  \"size\"\n ],\n [\"Acme\", 5],\n [\"Bolt\", 9]\n]\n", acmeAndBolt},
		"texts":                   {`["acme.example", "bolt.example"]`, "column_1=\"acme.example\"\ncolumn_1=\"bolt.example\""},
		"NaN":                     {`[{"name":"Acme","size":NaN},{"name":"Bolt, NaN","size":-Infinity}]`, "name=\"Acme\"\nname=\"Bolt, NaN\""},
		"NaN in lines":            {"{\"name\":\"Acme\",\"size\":NaN}\n{\"name\":\"Bolt\",\"size\":undefined}\n", "name=\"Acme\"\nname=\"Bolt\""},
		"commas at the end":       {"[{\"name\":\"Acme\",\"size\":5,},\n{\"name\":\"Bolt\",\"size\":9 , },\n]", acmeAndBolt},
		"NaN before the records":  {`{"score":NaN,"data":[{"name":"Acme","size":5,},{"name":"Bolt","size":9}]}`, acmeAndBolt},
		"Airbyte's lines":         {"{\"_airbyte_ab_id\":\"1\",\"_airbyte_data\":{\"name\":\"Acme\",\"size\":5}}\n{\"_airbyte_ab_id\":\"2\",\"_airbyte_data\":{\"name\":\"Bolt\",\"size\":9}}\n", acmeAndBolt},
		"Airbyte's messages": {"{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\"}}\n{\"type\":\"RECORD\",\"record\":{\"stream\":\"c\",\"emitted_at\":1,\"data\":{\"name\":\"Acme\",\"size\":5}}}\n" +
			"{\"type\":\"RECORD\",\"record\":{\"stream\":\"c\",\"data\":{\"name\":\"Bolt\",\"size\":9}}}\n", acmeAndBolt},
		"Singer": {"{\"type\":\"SCHEMA\",\"stream\":\"c\",\"schema\":{\"properties\":{}}}\n{\"type\":\"RECORD\",\"stream\":\"c\",\"record\":{\"name\":\"Acme\",\"size\":5}}\n" +
			"{\"type\":\"RECORD\",\"stream\":\"c\",\"record\":{\"name\":\"Bolt\",\"size\":9}}\n{\"type\":\"STATE\",\"value\":{}}\n", acmeAndBolt},
		"hits":          {`{"took":1,"hits":{"total":2,"hits":[{"_id":"a","_source":{"name":"Acme","size":5}},{"_id":"b","_source":{"name":"Bolt","size":9}}]}}`, acmeAndBolt},
		"JSON:API":      {`{"data":[{"type":"companies","attributes":{"name":"Acme","size":5}},{"type":"companies","attributes":{"name":"Bolt","size":9}}]}`, acmeAndBolt},
		"rows of docs":  {`{"total_rows":2,"rows":[{"key":"a","doc":{"_id":"a","name":"Acme"}}]}`, `_id="a" name="Acme"`},
		"MongoDB":       {"{\"_id\":{\"$oid\":\"5f\"},\"name\":\"Acme\",\"size\":{\"$numberInt\":\"5\"},\"at\":{\"$date\":{\"$numberLong\":\"1577836800000\"}}}\n", `_id="5f" name="Acme" size=5 at="2020-01-01T00:00:00Z"`},
		"MongoDB, deep": {`[{"name":"Acme","hq":{"size":{"$numberLong":"5"}},"tags":[{"$symbol":"a"}],"x":{"$binary":{"base64":"","subType":"00"}}}]`, `name="Acme" hq.size=5 tags=["a"]`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, _, err := records(t, "a.json", c.content, Options{})
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, "\n"))
			if !strings.Contains(c.content, "\"acme.example\",") {
				again, _, err := records(t, "-", c.content, Options{})
				require.NoError(t, err)
				require.Equal(t, got, again, "without a name")
			}
		})
	}
}

func TestARecordIsNoTable(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		`{"name":"Acme","aliases":["A","B"],"tags":["x","y"]}`,
		`{"company":{"name":"Acme","size":5},"hq":{"city":"Bonn"}}`,
		`{"name":{"de":"Acme","en":"Acme"},"about":{"de":"a","en":"b"}}`,
		`{"name":"Acme","attributes":{"name":"other"},"fields":{"name":"x"}}`,
	} {
		got, _, err := records(t, "a.json", content, Options{})
		require.NoError(t, err)
		require.Len(t, got, 1, content)
		require.Contains(t, got[0], "Acme")
	}
}

func TestJSONThatEndsTooEarlyIsAnError(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		`[["name","size"],["Acme",5`, `[["name","size"],["Acme",5]`, `{"0":{"name":"Acme"},"1":{"name":"Bo`, `{"0":{"name":"Acme"},"1":{"name":"Bolt"}`,
		`{"0":{"name":"Acme"},"1":{"name":"Bolt"},"2"`, `{"name":{"0":"Acme","1":"Bolt"},"size":{"0":5`,
	} {
		_, _, err := records(t, "a.json", content, Options{})
		require.Error(t, err, content)
	}
}

func FuzzTolerateKeepsWhatIsValid(f *testing.F) {
	for _, s := range []string{`{"a":NaN}`, `[1,]`, `{"a":"NaN,}",}`, `{"a":-Infinity}`, `{"a":undefined , }`, `"\"",`, `-`, `N`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		require.Len(t, tolerate(s, `"N"`), len(s))
		if json.Valid([]byte(s)) {
			require.Equal(t, s, string(tolerate(s, "null")))
		}
	})
}

func TestObjectsInARowNeedNoCommas(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		`{"name":"A"}{"name":"B"}` + "\n" + `{"name":"C"}`, `{"name":"A"} {"name":"B"}` + "\n" + `{"name":"C"}` + "\n", "{\"name\":\"A\"}\t{\"name\":\"B\"}\n\n{\n\"name\":\"C\"}",
	} {
		got, _, err := records(t, "a.json", content, Options{})
		require.NoError(t, err)
		require.Equal(t, []string{`name="A"`, `name="B"`, `name="C"`}, got, content)
	}
}

func TestManyArraysOfRecordsAreReadOneAfterAnother(t *testing.T) {
	t.Parallel()
	var content strings.Builder
	content.WriteString("{")
	const arrays = 3_000
	long := strings.Repeat("x", 20<<10) // longer than most records
	for i := range arrays {
		about := ""
		if i == arrays/2 {
			about = long
		}
		fmt.Fprintf(&content, `"k%d":[{"about":"%s","name":"Acme %d"}],`, i, about, i)
	}
	content.WriteString(`"end":true}`)
	got, _, err := records(t, "a.json", content.String(), Options{})
	require.NoError(t, err)
	require.Len(t, got, arrays)
	require.Contains(t, got[arrays/2], fmt.Sprintf(`name="Acme %d"`, arrays/2))
}
