package importer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// location is where a company is. Empty parts are unknown.
type location struct {
	city, state, country string
	unclear              string // two letters that may be the code of the state or of the country, both of which are empty
}

func (l location) isEmpty() bool { return l == location{} }

var (
	footnote  = regexp.MustCompile(`\s*\[\w+\]`)
	remote    = regexp.MustCompile(`(?i)^(fully |partly |100% )?(remote|anywhere|worldwide|global|distributed|virtual|online|work from home|wfh|homeoffice|no office location|no office|various|multiple( locations)?)( only| first)?$`)
	stateZip  = regexp.MustCompile(`^(.*?)[ ,]*\b([A-Z]{2})\.?\s+(\d{5})(-\d{4})?$`)
	postCode  = regexp.MustCompile(`^(?:[A-Z]{1,2}-)?\d{4,6}\s+(\D.*)$`)
	endingZip = regexp.MustCompile(`^(.*\D)\s+\d{4,6}(?:-\d{3,4})?$`)
)

// parseLocation reads "City, State, Country" and the like. Of several places separated by semicolons or bars it returns the
// first, and more reports whether there are others.
func parseLocation(s string, codes *codeUse) (l location, more bool) {
	s = footnote.ReplaceAllString(s, "")
	var found []location
	for place := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == '|' || r == '\n' || r == '•' }) {
		place = strings.Trim(place, " ,/")
		place = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(place, "(Remote)"), "(HQ)"))
		if isNull(place) || remote.MatchString(place) {
			continue
		}
		one, cut := parsePlace(place, codes)
		if !one.isEmpty() {
			found = append(found, one)
		}
		more = more || cut
	}
	if len(found) == 0 {
		return location{}, false
	}
	return found[0], more || len(found) > 1
}

// parsePlace reads one place. cut reports whether something of it is in no part of the result.
func parsePlace(s string, codes *codeUse) (l location, cut bool) {
	if l, ok := hanPlace(s); ok {
		return l, l.state+l.city != s && l.state != s
	}
	s, cut = commaPlace(s)
	var parts []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); !isNull(p) && !remote.MatchString(p) {
			parts = append(parts, p)
		}
	}
	parts, street := withoutStreet(parts)
	l = placeOf(parts, codes)
	return l, cut || street
}

func placeOf(parts []string, codes *codeUse) location {
	if n := len(parts); n > 0 && isContinent(parts[n-1]) { // "Lyon, Rhône, France, Europe"
		parts = parts[:n-1]
	}
	if len(parts) > 2 { // "Santa Clara, Santa Clara County, California, United States"
		parts = append(parts[:1:1], slices.DeleteFunc(slices.Clone(parts[1:]), isCounty)...)
	}
	if len(parts) == 0 {
		return location{}
	}
	last := parts[len(parts)-1]
	if m := stateZip.FindStringSubmatch(last); m != nil {
		if st, ok := stateIn("United States", m[2]); ok {
			city := strings.TrimSpace(m[1])
			if city == "" && len(parts) > 1 {
				city = parts[len(parts)-2]
			}
			return location{city: city, state: st.name, country: st.country}
		}
	}
	if len(parts) == 1 {
		return placeOfOnePart(last)
	}
	return placeOfParts(parts, codes)
}

var continents = wordSet(`africa europe asia oceania antarctica america north_america south_america central_america latin_america
	northern_america europa afrika asien afrique asie australia_and_oceania middle_east emea apac latam european_union`)

// isContinent reports whether s is larger than a country.
func isContinent(s string) bool { return continents[normalName(s)] }

var county = regexp.MustCompile(`(?i) (county|parish|census area)$|^(county|landkreis|kreis|provincia de|département d[eu]) `)

// isCounty reports whether s is a division below a state.
func isCounty(s string) bool { return county.MatchString(s) }

// placeOfOnePart reads a country, else a state, else a city.
func placeOfOnePart(s string) location {
	if c, ok := countryByName(s); ok {
		if cityStates[c] {
			if strings.HasPrefix(text.Fold(s), text.Fold(c)) {
				s = c // Hong Kong SAR
			}
			return location{city: s, country: c}
		}
		return location{country: c}
	}
	if cityNames[text.Fold(s)] {
		return location{city: s}
	}
	if st, ok := states().byName[text.Fold(s)]; ok && text.Fold(s) != "new york" && text.Fold(s) != "washington" && text.Fold(s) != "delhi" {
		return location{state: st[0].name, country: st[0].country}
	}
	return location{city: cityText(s)}
}

// cityStates are countries that are a city.
var cityStates = map[string]bool{"Singapore": true, "Hong Kong": true, "Macao": true, "Macau": true, "Monaco": true, "Gibraltar": true}

// namesakes are states whose name before that of their country most likely means their city.
var namesakes = map[string]bool{"new york": true, "sao paulo": true, "rio de janeiro": true, "delhi": true, "chandigarh": true}

// cityNames are states whose name alone most likely means their city.
var cityNames = map[string]bool{
	"sao paulo": true, "rio de janeiro": true, "new york": true, "quebec": true, "delhi": true, "chandigarh": true, "washington": true,
	"washington d.c.": true, "washington, d.c.": true, "washington dc": true,
}

func placeOfParts(parts []string, codes *codeUse) location {
	n := len(parts)
	last := parts[n-1]
	country, known := countryByName(last)
	if italianTowns()[text.Fold(parts[n-2]+" "+last)] {
		return location{city: parts[n-2], country: "Italy"}
	}
	m, isCode := codes.read(parts[:n-1], last)
	switch {
	case !isCode:
	case m.unsure:
		return location{city: cityText(parts[n-2]), unclear: last}
	case m.isState() && isCityOf(m.state, parts[0]): // "Cambridge, Middlesex, MA"
		return location{city: parts[0], state: m.state.name, country: m.state.country}
	case m.isState():
		return location{city: cityText(parts[n-2]), state: m.state.name, country: m.state.country}
	default:
		country, known = m.country, true
	}
	if st, ok := stateByName(last); ok && (!known || text.Fold(last) == "georgia" && !georgianCities[text.Fold(parts[0])]) {
		return location{city: cityText(parts[n-2]), state: st.name, country: st.country}
	}
	if !known && len(last) == 3 {
		if st, ok := stateOfCode(last); ok { // NSW
			return location{city: cityText(parts[n-2]), state: st.name, country: st.country}
		}
	}
	if !known {
		return location{city: cityText(parts[0]), state: last}
	}
	l := location{country: country}
	if n == 2 {
		if st, ok := stateIn(country, parts[0]); ok && (len(parts[0]) <= 3 || !namesakes[text.Fold(parts[0])]) {
			l.state = st.name
			return l
		}
		if m := spacedCode.FindStringSubmatch(cityText(parts[0])); m != nil { // "Sydney NSW, Australia"
			if country == "Italy" { // the code of the province
				return location{city: m[1], country: country}
			}
			if st, ok := stateIn(country, m[2]); ok {
				return location{city: m[1], state: st.name, country: country}
			}
		}
		if isRegionOf(country, parts[0]) {
			l.state = parts[0]
			return l
		}
		l.city = cityText(parts[0])
		return l
	}
	l.city = cityText(parts[n-3])
	l.state = stateText(country, parts[n-2])
	return l
}

var georgianCities = map[string]bool{"tbilisi": true, "batumi": true, "kutaisi": true, "rustavi": true, "gori": true, "poti": true}

// cityText returns a city without its postal code.
func cityText(s string) string {
	if city, ok := cityOfDistrict(s); ok {
		return city
	}
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	if m := postCode.FindStringSubmatch(s); m != nil {
		return cityText(m[1])
	}
	if m := endingZip.FindStringSubmatch(s); m != nil && !strings.HasSuffix(text.Fold(m[1]), "praha") {
		return m[1]
	}
	return s
}

// stateText returns the name of a state. A code that the country does not have is dropped.
func stateText(country, s string) string {
	if st, ok := stateIn(country, s); ok {
		return st.name
	}
	if isCode(s) {
		return ""
	}
	return s
}

// isCode reports whether s is a code rather than a name: digits, or up to two capitals and digits.
func isCode(s string) bool {
	return strings.Trim(s, "0123456789") == "" || len(s) <= 2 && strings.ToUpper(s) == s && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// countryByName finds a country by a name or a code of three letters. A code of two letters may be a state's.
func countryByName(s string) (string, bool) {
	if len(s) == 2 && !strings.EqualFold(s, "uk") && !strings.EqualFold(s, "us") {
		return "", false
	}
	c, ok := company.LookupCountry(s)
	return c.Name, ok
}
