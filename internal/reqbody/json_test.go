package reqbody

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABrokenBodyIsRejectedWithItsReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, field, message string }{
		"cut short":             {`{"a": [1, 2`, "body", "is not valid JSON"},
		"two values":            {`{} {}`, "body", "is not valid JSON"},
		"trailing comma":        {"{\"a\": 1,\n}", "body", "in line 2"},
		"not UTF-8":             {"{\"a\": \"\xff\"}", "body", "is not valid UTF-8"},
		"NaN":                   {`{"a": NaN}`, "body", "is not valid JSON"},
		"twice":                 {`{"a": 1, "b": 2, "a": 3}`, "a", "is given more than once"},
		"twice, escaped":        {`{"a": 1, "\u0061": 3}`, "a", "is given more than once"},
		"twice, inside":         {`{"l": [{"a": 1}, {"a": 1, "a": 2}]}`, "l[1].a", "is given more than once"},
		"NUL":                   {`{"a": {"b": "x\u0000y"}}`, "a.b", "NUL"},
		"high surrogate alone":  {`{"a": "\ud83d"}`, "a", "surrogate"},
		"low surrogate alone":   {`{"a": "x\ude00y"}`, "a", "surrogate"},
		"surrogates swapped":    {`{"a": "\ude00\ud83d"}`, "a", "surrogate"},
		"surrogate, then text":  {`{"a": "\ud83dabcdef"}`, "a", "surrogate"},
		"surrogate, then \\n":   {`{"a": ["ok", "\ud83d\n"]}`, "a[1]", "surrogate"},
		"surrogate in a name":   {`{"\ud83d": 1}`, "body", "surrogate"},
		"too deep":              {strings.Repeat("[", 40) + strings.Repeat("]", 40), "body", "deeper than 32"},
		"too deep, with object": {strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "body", "deeper than 32"},
		"far too deep":          {strings.Repeat("[", 500_000), "body", "is not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, errs := parse([]byte(c.body))
			require.NotEmpty(t, errs)
			require.Equal(t, c.field, errs[0].Field)
			require.Contains(t, errs[0].Message, c.message)
		})
	}
}

func TestValidJSONIsUnchanged(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"a": "\ud83d\ude00", "b": "\\ud83d", "c": "😀 \u00e9 \\\\ \" \/ \b"}`,
		" \t\r\n[1, -2.5e3, true, false, null, \"\", {}, []]\n",
		`"\\\\u0000"`,
	} {
		v, errs := parse([]byte(body))
		require.Empty(t, errs, body)
		var want, got any
		require.NoError(t, json.Unmarshal([]byte(body), &want))
		require.NoError(t, json.Unmarshal(v.render(nil), &got))
		require.Equal(t, want, got)
	}
}

func FuzzParseJSONAgreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"c\u0000"}],"a":null}`, `"\ud83d\ude00"`, `[[[]]]`, `{}x`, "\xff", `-0.1e+7`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		v, errs := parse(p)
		if v == nil || len(errs) > 0 {
			require.NotEmpty(t, errs)
			return
		}
		var want, got any
		require.NoError(t, json.Unmarshal(p, &want))
		require.NoError(t, json.Unmarshal(v.render(nil), &got))
		require.Equal(t, want, got)
	})
}
