package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGuessablePasswordsAreRefused(t *testing.T) {
	t.Parallel()
	about := []string{"Ann Fairweather", "ann.fairweather@acme-data.example"}
	for password, want := range map[string]string{
		"short":                 "must have at least 10 characters",
		"aaaaaaaaaa":            "is easy to guess",
		"1234567890":            "is easy to guess",
		"          ":            "is easy to guess",
		"qwertyuiop":            "is easy to guess",
		"password123":           "is easy to guess",
		"Password2026":          "is easy to guess",
		"iloveyou123":           "is easy to guess",
		"1q2w3e4r5t":            "is easy to guess",
		"abcdefghij":            "is easy to guess",
		"fairweather1":          "is easy to guess",
		"annfairweather":        "is easy to guess",
		"ähähähähähäh":          "is easy to guess",
		"fairweather ann":       "is easy to guess",
		"correct horse battery": "",
		"gravel moth teapot":    "",
		"Xk9#vQ2!mWp4":          "",
		"ein paar lange Worte":  "",
		"длинная фраза без смысла": "",
		strings.Repeat("x1", 600):  "must not be longer than 1024 bytes",
	} {
		t.Run(password, func(t *testing.T) {
			t.Parallel()
			faults := passwordFaults("password", password, about...)
			if want == "" {
				require.Empty(t, faults)
				return
			}
			require.Len(t, faults, 1)
			require.Contains(t, faults[0].Message, want)
		})
	}
}
