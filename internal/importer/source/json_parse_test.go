package source

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func FuzzParseObjectTakesWhatEncodingJSONTakes(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "a" : "b" } `, `{"a":1,"b":-0.5e+3,"c":true,"d":null,"e":["x","y"],"f":[1,"z"],"g":{"h":[]}}`, `{"a":"\u00e9\ud83d\ude00\n"}`,
		`{"a":01}`, `{"a":"b",}`, `{"a"}`, `{"a":"b"}x`, `{"a":"b"`, `{,}`, `{"a":tru}`, "{\"a\":\"\t\"}", `{"a":1 2}`, `{"\"":"\\"}`, `{"a":-}`,
		`{"a":[]}`, `{"a":["b",]}`, `{"a":"b","a":"c"}`, `[]`, ``, `{"a":1.}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		fields, err := parseObject(s, nil)
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var want map[string]any
		wantErr := json.Unmarshal([]byte(s), &want)
		if strings.TrimSpace(s) == "null" {
			return // which encoding/json takes for any type
		}
		require.Equal(t, wantErr == nil, err == nil, "%v, want %v", err, wantErr)
		if err != nil {
			return
		}
		want = nil
		require.NoError(t, d.Decode(&want))
		got := map[string]any{}
		for i := range fields {
			v := fields[i].Value.Any()
			if list, ok := v.([]any); ok && list == nil {
				v = []any{}
			}
			if fields[i].Value.Kind == Other && fields[i].Value.Other == nil {
				v = nil
			}
			got[fields[i].Name] = v
		}
		require.Empty(t, cmp.Diff(want, got))
	})
}
