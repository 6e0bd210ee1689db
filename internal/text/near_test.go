package text_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/text"
)

func TestNearestIsWhatWasMeant(t *testing.T) {
	t.Parallel()
	known := []string{"countries", "cities", "industries", "employee_count_min", "employee_count_max", "query", "Łódź"}
	for given, want := range map[string]string{
		"country":           "countries",
		"contries":          "countries",
		"Cites":             "cities",
		"employees_min":     "employee_count_min",
		"employee_coutn_ma": "employee_count_max",
		"qurey":             "query",
		"lodz":              "Łódź",
		"industry":          "industries",
		"headquarters":      "",
		"":                  "",
		"zzz":               "",
	} {
		require.Equal(t, want, text.Nearest(given, known), given)
	}
	require.Empty(t, text.Nearest("query", nil))
}

func TestAShortWordIsNearToItsOwnSlipsAlone(t *testing.T) {
	t.Parallel()
	known := []string{"CO", "WA", "NC", "USA", "Chad", "Cuba", "csv", "Peru"}
	for given, want := range map[string]string{
		"CA": "", "WC": "", "UAS": "USA", "cs": "csv", "cv": "csv", "Pru": "Peru", "Tub": "", "USB": "", "X": "", "Caa": "",
	} {
		require.Equal(t, want, text.Nearest(given, known), given)
	}
}

func BenchmarkNearest(b *testing.B) {
	var known []string
	for i := range 10_000 {
		known = append(known, strings.Repeat(string(rune('a'+i%26)), i%5)+strconv.Itoa(i*7919)+"ville")
	}
	for b.Loop() {
		text.Nearest("San Francsico", known)
	}
}
