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
	known := []string{
		"countries", "cities", "industries", "employee_count_min", "employee_count_max", "query", "Łódź",
		"exclude_cities", "exclude_naics_codes", "technology_categories", "San Jose",
	}
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

		// The words that both begin or end with do not make them near.
		"exclude_bogus":       "",
		"exclude_bogus_codes": "",
		"employee_count_avg":  "",
		"San Xyz":             "",
		"exclude_city":        "exclude_cities",
		"exclude_citeis":      "exclude_cities",
		"exclude_nacis_codes": "exclude_naics_codes",
		"tech_categories":     "technology_categories",
		"San Jsoe":            "San Jose",
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, text.Nearest(given, known))
		})
	}
	require.Empty(t, text.Nearest("query", nil))
}

func TestAShortWordIsNearToItsOwnSlipsAlone(t *testing.T) {
	t.Parallel()
	known := []string{"CO", "WA", "NC", "USA", "Chad", "Cuba", "csv", "Peru"}
	for given, want := range map[string]string{
		"CA": "", "WC": "", "UAS": "USA", "cs": "csv", "cv": "csv", "Pru": "Peru", "Tub": "", "USB": "", "X": "", "Caa": "",
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, text.Nearest(given, known))
		})
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
