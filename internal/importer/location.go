package importer

import (
	"regexp"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// location is where a company is; an empty text is unknown.
type location struct{ city, state, country string }

func (l location) isEmpty() bool { return l == location{} }

var (
	footnote  = regexp.MustCompile(`\s*\[\w+\]`)
	remote    = regexp.MustCompile(`(?i)^(fully |partly |100% )?(remote|anywhere|worldwide|global|distributed|virtual|online|work from home|wfh|homeoffice|no office location|no office|various|multiple( locations)?)( only| first)?$`)
	stateZip  = regexp.MustCompile(`^(.*?)[ ,]*\b([A-Z]{2})\.?\s+(\d{5})(-\d{4})?$`)
	postCode  = regexp.MustCompile(`^(?:[A-Z]{1,2}-)?\d{4,6}\s+(\D.*)$`)
	endingZip = regexp.MustCompile(`^(.*\D)\s+\d{4,6}(?:-\d{3,4})?$`)
)

// parseLocation reads "City, State, Country" and what else people write; of several places parted by semicolons or bars
// it is the first one, and more tells that there are others. With codes, two letters at the end are a country.
func parseLocation(s string, codes bool) (l location, more bool) {
	s = footnote.ReplaceAllString(s, "")
	var found []location
	for place := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == '|' || r == '\n' || r == '•' }) {
		place = strings.Trim(place, " ,/")
		place = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(place, "(Remote)"), "(HQ)"))
		if isNull(place) || remote.MatchString(place) {
			continue
		}
		if one := onePlace(place, codes); !one.isEmpty() {
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		return location{}, false
	}
	return found[0], len(found) > 1
}

func onePlace(s string, codes bool) location {
	var parts []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); !isNull(p) && !remote.MatchString(p) {
			parts = append(parts, p)
		}
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
			return location{city, st.name, st.country}
		}
	}
	if len(parts) == 1 {
		return singlePlace(last)
	}
	return partedPlace(parts, codes)
}

// singlePlace is a country, else a state, else a city.
func singlePlace(s string) location {
	if c, ok := countryByName(s); ok {
		return location{country: c}
	}
	if st, ok := states().byName[text.Fold(s)]; ok && text.Fold(s) != "new york" && text.Fold(s) != "washington" && text.Fold(s) != "delhi" {
		return location{state: st[0].name, country: st[0].country}
	}
	return location{city: cityText(s)}
}

func partedPlace(parts []string, codes bool) location {
	n := len(parts)
	last := parts[n-1]
	country, known := countryByName(last)
	if codes && len(last) == 2 {
		if c, ok := company.LookupCountry(last); ok {
			country, known = c.Name, true
		}
	}
	if st, ok := anyState(last); ok && (!known && (len(last) != 2 || !codes) || text.Fold(last) == "georgia" && !georgian[text.Fold(parts[0])]) {
		return location{cityText(parts[max(0, n-2)]), st.name, st.country}
	}
	if !known {
		if c, ok := company.LookupCountry(last); ok && len(last) <= 3 && strings.ToUpper(last) == last {
			country, known = c.Name, true
		}
	}
	if !known {
		return location{city: cityText(parts[0]), state: last}
	}
	l := location{country: country}
	if n == 2 {
		if st, ok := stateIn(country, parts[0]); ok && (len(parts[0]) <= 3 || text.Fold(parts[0]) != "new york") {
			l.state = st.name
			return l
		}
		l.city = cityText(parts[0])
		return l
	}
	l.city = cityText(parts[n-3])
	l.state = stateText(country, parts[n-2])
	return l
}

var georgian = map[string]bool{"tbilisi": true, "batumi": true, "kutaisi": true, "rustavi": true, "gori": true, "poti": true}

// cityText drops a postal code.
func cityText(s string) string {
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	if m := postCode.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	if m := endingZip.FindStringSubmatch(s); m != nil && !strings.HasSuffix(text.Fold(m[1]), "praha") {
		return m[1]
	}
	return s
}

// stateText spells a state out; a code that is not known in the country says nothing.
func stateText(country, s string) string {
	if st, ok := stateIn(country, s); ok {
		return st.name
	}
	if isCode(s) {
		return ""
	}
	return s
}

// isCode holds for what only an official list explains: digits, or up to three capitals and digits.
func isCode(s string) bool {
	return strings.Trim(s, "0123456789") == "" || len(s) <= 2 && strings.ToUpper(s) == s && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// countryByName finds a country by a name or a code of three letters; one of two letters may be a state's.
func countryByName(s string) (string, bool) {
	if len(s) == 2 && !strings.EqualFold(s, "uk") && !strings.EqualFold(s, "us") {
		return "", false
	}
	c, ok := company.LookupCountry(s)
	if !ok {
		if before, inside, found := strings.Cut(s, "("); found { // "Germany (DE)", "Remote (US)"
			if c, ok = company.LookupCountry(before); !ok {
				c, ok = company.LookupCountry(strings.TrimRight(inside, ") "))
			}
		}
	}
	return c.Name, ok
}
