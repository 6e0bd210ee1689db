package importer

import (
	"regexp"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/text"
)

// numberedCities are cities whose districts have numbers that addresses name after the city: "Dublin 2", "Paris 8e", "London EC1". In other
// places a number after a name is that of a house.
const numberedCities = "Dublin|Cork|Limerick|Paris|Lyon|Marseille|London|Wien|Vienna|Graz|Linz|Praha|Prague|Prag|Plzeň|Pilsen|Ostrava|Brno|Budapest|București|Bucuresti|" +
	"Bucharest|Bratislava|Košice|Kosice|Zürich|Zurich|Oslo|København|Copenhagen|Manchester|Birmingham|Leeds|Liverpool|Glasgow|Edinburgh|Cardiff|Bristol|" +
	"Sheffield|Belfast|Newcastle|Nottingham|Leicester|Bruxelles|Brussels|Brussel|Warszawa|Warsaw|Tampere|Helsinki|Stockholm|Lisboa"

var districtsOf = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for city := range strings.SplitSeq(numberedCities, "|") {
		m[text.Fold(city)] = true
	}
	return m
})

var (
	// The number may be in digits, an ordinal or in Roman numerals, or the first half of a British postal code.
	district = regexp.MustCompile(`(?i)^(\pL[\pL ]*?) (?:\d{1,2}(?:\.|er|è|ème|eme|ième|nd|st|th|rd|[a-z])?|[ivx]{1,5}\.?|[a-z]{1,2}\d[a-z\d]?)` +
		`(?:\s*(?:arrondissement|arr\.?|bezirk|district|kerület|ker\.?|sector|sektor))?(?:\s*[-–]\s*\pL[\pL .]*)?$`)
	// The post of France delivers mail of companies to a place named so after the city.
	cedex = regexp.MustCompile(`(?i)^(\pL[\pL '’-]*?) cedex(?: \d{1,2})?$`)
)

// cityOfDistrict returns the city of a text that names a district of it by number. ok is false for any other text.
func cityOfDistrict(s string) (city string, ok bool) {
	if !mayHaveNumber(s) { // the common case
		return "", false
	}
	if m := cedex.FindStringSubmatch(s); m != nil {
		return m[1], true
	}
	m := district.FindStringSubmatch(s)
	if m == nil || !districtsOf()[text.Fold(m[1])] {
		return "", false
	}
	return m[1], true
}

// mayHaveNumber reports whether a word after the first may be a number in digits or in Roman numerals, or Cedex.
func mayHaveNumber(s string) bool {
	_, rest, ok := strings.Cut(s, " ")
	if !ok {
		return false
	}
	if strings.ContainsAny(rest, "0123456789") {
		return true
	}
	for word := range strings.SplitSeq(rest, " ") {
		if strings.Trim(word, "ivxIVX.") == "" || strings.EqualFold(word, "cedex") {
			return true
		}
	}
	return false
}
