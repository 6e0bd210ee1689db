package importer

import (
	"regexp"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// The parts of an address in one text besides its city, state and country. They are left out of a place; the whole text is kept.
var (
	streetWord = regexp.MustCompile(`(?i)(?:(?:^|[^\pL])(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|highway|hwy|parkway|pkwy|court|square|suite|floor|building|po box|p\.? ?o\.? box|` +
		`postfach|rue|quai|calle|carrer|rua|avenida|av|via|viale|corso|piazza|plaza|ul|ulica|aleja|gasse|platz|allee|ring|c/o)(?:$|[^\pL])|(?:stra(?:ß|ss)e|str\.|weg|gasse|platz|allee|laan|straat|gatan|vej|gade|gata)(?:\s|$))`)
	// A street without a number is one by its last or first word: "King's Road", but not "St. Louis" or "Kennett Square".
	streetEnd   = regexp.MustCompile(`(?i)\pL.*(?:\s(?:street|avenue|ave|road|boulevard|blvd|highway|hwy|parkway|pkwy)\.?|(?:stra(?:ß|ss)e|str\.|gatan))$|^(?:rue|calle|carrer|rua|avenida|av|via|viale|ul|ulica)\.?\s+(?:d|\pL+ )?\pL+`)
	numberedWay = regexp.MustCompile(`(?i)\s(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|highway|hwy|parkway|pkwy|court|square|way|plaza)\.?$`)
	houseNumber = regexp.MustCompile(`(?i)^(?:\d{1,5}[a-z]?(?:\s?[-/]\s?\d+[a-z]?)?\s+\pL.*|.*\pL\.?\s+\d{1,4}\s?[a-z]?(?:\s?[-/]\s?\d+\s?[a-z]?)?)$`)
	unitNumber  = regexp.MustCompile(`(?i)^(?:suite|ste\.?|unit|floor|level|building|bldg\.?|block|plot|room|apt\.?|office)\s+#?(?:\d[\w-]*|[a-z])$|^(?:#|no\.?|n[º°]\.?)\s*\d[\w-]*$|^\d{1,3}(?:st|nd|rd|th) floor$`)
	postalOnly  = regexp.MustCompile(`(?i)^(?:[a-z]{1,2}-)?(?:\d{3,6}(?:-\d{3,4})?|\d{3} \d{2}|\d{4} ?[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})$`)
	postalEnd   = regexp.MustCompile(`^(.*\pL)\s+(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d)$`)
	partCode    = regexp.MustCompile(`^(.*\pL)\s*\(\w{2,3}\)$`)
	dashedCode  = regexp.MustCompile(`^(.*\pL)\s+[-–]\s+([A-Z]{2})$`)
	postalStart = regexp.MustCompile(`^(?:\d{2}-\d{3}|\d{4} [A-Z]{2}|\d{3} \d{2})\s+(\pL.*)$`) // of Poland, the Netherlands and Sweden
	codeAndZip  = regexp.MustCompile(`^([A-Z]{2,3})\s+\d{4,5}(?:-\d{4})?$`)
)

// withoutStreet leaves out the parts of an address that are no part of a place: the street, the unit and the postal code. left reports
// whether there were any.
func withoutStreet(parts []string) (rest []string, left bool) {
	for len(parts) > 1 && isStreet(parts[0], len(parts) > 2) {
		parts, left = parts[1:], true
	}
	for i, p := range parts {
		switch {
		case postalOnly.MatchString(p) && len(parts) > 1, i > 0 && unitNumber.MatchString(p):
			left = true
			continue
		case postalEnd.MatchString(p):
			p, left = postalEnd.FindStringSubmatch(p)[1], true
		case postalStart.MatchString(p):
			p, left = postalStart.FindStringSubmatch(p)[1], true
		case i < len(parts)-1 && partCode.MatchString(p): // "Brescia (BS), Italia"
			p, left = partCode.FindStringSubmatch(p)[1], true
		}
		if m := dashedCode.FindStringSubmatch(p); m != nil && len(parts) > 1 {
			rest = append(rest, m[1]) // "São Paulo - SP"
			p = m[2]
		}
		if m := codeAndZip.FindStringSubmatch(p); m != nil && i < len(parts)-1 {
			p, left = m[1], true
		}
		if _, isDistrict := cityOfDistrict(p); isDistrict {
			left = true
		}
		rest = append(rest, p)
	}
	return rest, left
}

// isStreet reports whether the first part of an address is a street or a unit. long reports whether more than one part follows.
func isStreet(s string, long bool) bool {
	if _, isCity := cityOfDistrict(s); isCity {
		return false
	}
	switch {
	case !strings.ContainsAny(s, "0123456789"):
		return long && streetEnd.MatchString(s)
	case unitNumber.MatchString(s), numberedWay.MatchString(s):
		return true
	case postCode.MatchString(s), postalStart.MatchString(s), endingZip.MatchString(s):
		return false // "10115 Berlin", "St. Louis 63101"
	case streetWord.MatchString(s):
		return true
	}
	return houseNumber.MatchString(s)
}

var (
	inParentheses = regexp.MustCompile(`^([^()]+?)\s*\(([^()]+)\)$`)
	dashed        = regexp.MustCompile(`\s+[-–—]\s+`)
	slashedCode   = regexp.MustCompile(`^([^/]*\pL)\s?/\s?([A-Z]{2,3})$`)
	spacedCode    = regexp.MustCompile(`^(.*\p{Ll}\.?) ([A-Z]{2,3})$`)
	prefecture    = regexp.MustCompile(`^(東京都|北海道|大阪府|京都府|\p{Han}{2,3}県)(.*?(?:市市|[^市区町村]+?[市区町村]|市[^市区町村]+市))?`)
	province      = regexp.MustCompile(`^(\p{Han}{2,3}省|内蒙古自治区|广西壮族自治区|西藏自治区|宁夏回族自治区|新疆维吾尔自治区)(\p{Han}{1,6}?市|\p{Han}{1,8}(?:州|盟|地区))?`)
	korean        = regexp.MustCompile(`^(\p{Hangul}+(?:특별시|광역시|특별자치시|특별자치도|도))(?:\s+(\p{Hangul}+[시군구]))?`)
	municipality  = regexp.MustCompile(`^(北京|上海|天津|重庆)市`)
)

// commaPlace returns a place that is written without commas as others write it: "Berlin (Germany)", "US - Austin", "Austin/TX" and
// "Austin TX". cut reports whether something in parentheses was left out.
func commaPlace(s string) (place string, cut bool) {
	if m := inParentheses.FindStringSubmatch(s); m != nil {
		if _, ok := company.LookupCountry(m[1]); ok {
			return s, false
		}
		inside := strings.TrimSpace(m[2])
		_, isState := stateByName(inside)
		code := strings.ToUpper(inside) == inside && len(inside) <= 3
		if _, ok := countryByName(inside); ok && (!code || len(inside) == 3 || inside == "UK" || inside == "US") || isState && !code {
			return m[1] + ", " + inside, false
		}
		if key := cityKey(inside, m[1]); len(inside) == 2 && (cities().countries[key] || len(cities().states[key]) == 1 || italianTowns()[text.Fold(m[1]+" "+inside)]) {
			return m[1] + ", " + inside, false
		}
		return m[1], true // the number of a department, the name of a building
	}
	if _, isDistrict := cityOfDistrict(s); isDistrict || strings.Contains(s, ",") {
		return s, false
	}
	if parts := dashed.Split(s, -1); len(parts) > 1 && len(parts) <= 3 {
		if _, ok := company.LookupCountry(parts[0]); ok {
			return strings.Join(append(parts[1:], parts[0]), ", "), false
		}
		return strings.Join(parts, ", "), false
	}
	for _, pattern := range []*regexp.Regexp{slashedCode, spacedCode} {
		m := pattern.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		_, isCountry := company.LookupCountry(m[2])
		_, isState := stateOfCode(m[2])
		if isState && m[2] != "DC" || isCountry && (len(m[2]) == 3 || m[2] == "UK" || m[2] == "US") || pattern == slashedCode && (isCountry || isBrazilian(m[2])) {
			return m[1] + ", " + m[2], false
		}
	}
	return s, false
}

func isBrazilian(code string) bool {
	_, ok := states().byCode["Brazil"][code]
	return ok
}

// hanPlace reads an address in Japanese, Chinese or Korean, which begins with its largest part.
func hanPlace(s string) (location, bool) {
	s = strings.TrimLeft(s, "〒0123456789-－ 　")
	if m := prefecture.FindStringSubmatch(s); m != nil {
		return location{state: m[1], city: m[2], country: "Japan"}, true
	}
	s = strings.TrimPrefix(s, "中国")
	if m := province.FindStringSubmatch(s); m != nil {
		return location{state: m[1], city: m[2], country: "China"}, true
	}
	if m := korean.FindStringSubmatch(s); m != nil {
		if strings.HasSuffix(m[1], "시") {
			return location{state: m[1], city: m[1], country: "South Korea"}, true
		}
		return location{state: m[1], city: m[2], country: "South Korea"}, true
	}
	if m := municipality.FindStringSubmatch(s); m != nil {
		return location{state: m[0], city: m[0], country: "China"}, true
	}
	return location{}, false
}
