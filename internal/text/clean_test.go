package text_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/text"
)

func TestCleanKeepsWhatEveryFormatCanHold(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		" a \t\n b ":           "a b",
		"a\x00\x01\x7f\u0085b": "a b", // U+0085 is a line break
		"a\xff\ufeff\ufffdb":   "ab",
		"a\ufffe\uffffb":       "ab",
		"日本 🚀 e\u0301":         "日本 🚀 e\u0301",
	} {
		require.Equal(t, want, text.Clean(given), "%q", given)
	}
}
