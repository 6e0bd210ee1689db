package importer

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// headcount reads a number of people: 1,234, 1.234 or 36.9 thousand; of a range such as 51-200, 1k-5k or 10,000+ the lower
// bound. ranged reports whether the text is a range. ok is false if the text is not a number of people.
func headcount(s string) (n int64, ranged, ok bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, false, true
	}
	s = plainNumber(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, false, true
	}
	if scientific.MatchString(s) {
		f, err := strconv.ParseFloat(s, 64)
		return rounded(f), false, err == nil && f < 1e15
	}
	if bounds, ok := strings.CutPrefix(s, "size_"); ok {
		s = strings.ReplaceAll(bounds, "_", " ") // SIZE_51_TO_200
	}
	if m := codedRange.FindStringSubmatch(s); m != nil {
		s = strings.TrimLeft(m[1], "0") + "-" + strings.TrimLeft(m[2], "0")
		if m[2] == "max" {
			s = strings.TrimLeft(m[1], "0") + "+"
		}
	}
	if m := labelledRange.FindStringSubmatch(s); m != nil {
		s = m[1] // "small (11-50)"
	}
	s = boundedRange.ReplaceAllString(s, "$1-$2")
	s = suffixedRange.ReplaceAllString(s, "$1+")
	s = atMost.ReplaceAllString(s, "<$1")
	s = strings.TrimSpace(headcountNoise.ReplaceAllString(s, " "))
	if m := dateRange.FindStringSubmatch(s); m != nil {
		return rangeOfDate(m)
	}
	upTo := upToWords.MatchString(s)
	plus := strings.HasSuffix(s, "+") || moreWords.MatchString(s)
	s = aboutWords.ReplaceAllString(s, "")
	parts := rangeParts.FindStringSubmatch(strings.TrimSpace(strings.TrimRight(s, "+ ")))
	if parts == nil {
		return 0, false, false
	}
	low, lowUnit, ok := amount(parts[1], parts[2])
	if !ok {
		return 0, false, false
	}
	if parts[3] == "" {
		if upTo {
			return 1, true, true
		}
		return rounded(low * lowUnit), plus, low*lowUnit < 1e15
	}
	high, highUnit, ok := amount(parts[3], parts[4])
	if !ok {
		return 0, false, false
	}
	if low*lowUnit > high*highUnit {
		return 0, false, false // a date, most likely
	}
	if parts[2] == "" && highUnit > 1 && low*highUnit <= high*highUnit && low < high {
		lowUnit = highUnit // 1-5k
	}
	return rounded(low * lowUnit), true, high*highUnit < 1e15
}

// headcounts caches headcount, because a source has few different ranges.
type headcounts map[string]headcountRead

type headcountRead struct {
	n          int64
	ranged, ok bool
}

func (h headcounts) read(s string) (n int64, ranged, ok bool) {
	r, known := h[s]
	if !known {
		r.n, r.ranged, r.ok = headcount(s)
		if len(h) < namesMax {
			h[strings.Clone(s)] = r
		}
	}
	return r.n, r.ranged, r.ok
}

func rounded(f float64) int64 { return int64(math.Floor(f + 1e-9)) }

// plainNumber normalises dashes, spaces, apostrophes and case.
func plainNumber(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '\u2010' && r <= '\u2014' || r == '\u2212': // dashes
			return '-'
		case r == '\u00a0' || r == '\u202f' || r == '\u2009' || r == '\u3000':
			return ' '
		case r == '～' || r == '〜' || r == '－' || r == '∼':
			return '-'
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '，':
			return ','
		case r == '’':
			return '\''
		}
		return unicode.ToLower(r)
	}, s))
}

// The words of several languages around numbers, and the order in which Chinese, Japanese and Korean write them.
const (
	lessThan  = `less than|fewer than|under|below|up to|max\.?|bis zu|bis|unter|weniger als|höchstens|jusqu'à|moins de|hasta|menos de|até|menos que|fino a|meno di|sotto|tot|minder dan|maximaal|do|poniżej|mniej niż|до|менее|меньше|少于|低于|不足`
	moreThan  = `more than|over|above|at least|min\.?|über|mehr als|mindestens|ab|plus de|au moins|más de|mais de|mais que|oltre|più di|almeno|meer dan|ruim|minstens|powyżej|ponad|więcej niż|co najmniej|более|больше|свыше|от|超过|大于`
	roughly   = `about|approx\.?|approximately|around|circa|ca\.?|c\.|est\.?|etwa|rund|zirka|environ|alrededor de|aproximadamente|cerca de|około|примерно|около|約|约|大约|약`
	beginning = `between|from|zwischen|von|entre|de|du|da|tra|fra|tussen|van|od|między|от|между`
)

const number = `(\d+(?:[ '.,]\d+)*)\s*(k|m|mm|mio|mn|b|bn|thousand|tausend|mil|mille|million|millions|billion|lakh)?`

var (
	scientific     = regexp.MustCompile(`^\d+(?:\.\d+)?e\+?\d+$`) // 1E+05 of a spreadsheet, not the Italian range 1 e 5
	headcountNoise = regexp.MustCompile(`\b(full[- ]time|employees?|people|persons?|staff|members?|workers?|mitarbeiter(?:innen)?|ftes?|headcount|employ[eé]s|empleados|funcion[aá]rios|dipendenti|medewerkers|personnes|salari[eé]s|pracownik(?:ów|i)?|werknemers|trabajadores|colaboradores|addetti|ma|besch[äa]ftigte)\b|сотрудник\p{L}*|человек|人|名|명`)
	upToWords      = regexp.MustCompile(`^\s*(?:<|≤|` + lessThan + `)`)
	moreWords      = regexp.MustCompile(`^\s*(?:>|≥|` + moreThan + `)\s*\d`)
	aboutWords     = regexp.MustCompile(`^\s*(?:(?:<|>|≤|≥|~|≈|=|` + roughly + `|` + lessThan + `|` + moreThan + `|` + beginning + `)\s*)*`)
	rangeParts     = regexp.MustCompile(`^` + number + `(?:\s*(?:-|to|bis|until|and|et|à|a|al|y|e|und|ao|até|t/m|tot|en|do|i|до|и|至|到|から|;|\.\.+|/|~)\s*` + number + `)?$`)
	codedRange     = regexp.MustCompile(`^c_(\d{5})_(\d{5}|max)$`) // of Crunchbase
	labelledRange  = regexp.MustCompile(`^[^\d()]+\(\s*([^()]*\d\s*(?:[-–+]|to\b|k\b)[^()]*)\)$`)
	atMost         = regexp.MustCompile(`^(\d[\d., ]*)\s*(?:人|名|명)?\s*(?:以下|未満|以内|이하|미만|or less|or fewer|and under|ou moins|o menos|ou menos|o meno|of minder|oder weniger)$`)
	boundedRange   = regexp.MustCompile(`^(\d[\d,]*)\s*(?:人|名|명)?\s*(?:以上|이상)[、,]?\s*(\d[\d,]*)\s*(?:人|名|명)?\s*(?:未満|以下|미만|이하)$`)
	suffixedRange  = regexp.MustCompile(`^(\d[\d., ]*)\s*(?:人|名|명)?\s*(?:以上|이상|and above|and more|or more|and over|ou plus|y más|o más|ou mais|o più|of meer|und mehr|i więcej|и более)$`)
	// A spreadsheet turns ranges into dates: 11-50 becomes Nov-50, 1-10 becomes 10-Jan or 1-Oct.
	dateRange = regexp.MustCompile(`^(?:(\d+)-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-(\d+))$`)
	months    = "janfebmaraprmayjunjulaugsepoctnovdec"
)

// rangeOfDate returns the lower bound of a range that became a date.
func rangeOfDate(m []string) (int64, bool, bool) {
	digits, month := m[1]+m[4], m[2]+m[3]
	other, err := strconv.ParseInt(digits, 10, 64)
	return min(other, int64(strings.Index(months, month)/3+1)), true, err == nil
}

// amount reads digits with separators, and the unit after them.
func amount(digits, unit string) (value, times float64, ok bool) {
	value, ok = decimal(digits)
	switch unit {
	case "":
		times = 1
	case "k", "thousand", "tausend", "mil", "mille":
		times = 1e3
	case "lakh":
		times = 1e5
	case "b", "bn", "billion":
		times = 1e9
	default:
		times = 1e6
	}
	return value, times, ok
}

// decimal reads a number with the separators of any country. A separator before exactly three digits separates thousands,
// and so does one that repeats; a last one of another kind is the decimal sign.
func decimal(s string) (float64, bool) {
	var seps []int
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			seps = append(seps, i)
		}
	}
	if len(seps) == 0 {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	last := seps[len(seps)-1]
	isDecimal := s[last] == '.' || s[last] == ','
	if len(seps) == 1 {
		isDecimal = isDecimal && (len(s)-last-1 != 3 || last > 3 || s[:last] == "0")
	} else {
		isDecimal = isDecimal && s[last] != s[seps[len(seps)-2]]
	}
	for i, at := range seps {
		if i == len(seps)-1 && isDecimal {
			break
		}
		next := len(s)
		if i+1 < len(seps) {
			next = seps[i+1]
		}
		if group := next - at - 1; group != 3 && (group != 2 || i+1 == len(seps)) { // 12,34,567 in India
			return 0, false
		}
	}
	var out strings.Builder
	for i := range len(s) {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			out.WriteByte(s[i])
		case i == last && isDecimal:
			out.WriteByte('.')
		}
	}
	f, err := strconv.ParseFloat(out.String(), 64)
	return f, err == nil
}

const (
	yearMin  = 500 // the oldest existing companies are from the 6th century
	yearMax  = 2100
	epochMin = 1e8 // seconds since 1970, in 1973; smaller numbers are not read as times
)

// eras are the eras of Japan, by the year before their first.
var eras = map[string]int64{"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}

var (
	monthYear = regexp.MustCompile(`^(?:0?[1-9]|1[0-2])\.((?:1[5-9]|20)\d\d)$`)
	eraYear   = regexp.MustCompile(`(明治|大正|昭和|平成|令和)\s*(元|\d{1,2})\s*年?`)
	// A year in two digits, alone as '98 or at the end of a date: 14-Mar-98, 14/03/98, 14.03.98.
	shortOnly = regexp.MustCompile(`^'(\d\d)$`)
	shortDate = regexp.MustCompile(`^(?:\d{1,2}[-/. ](?:\d{1,2}|\p{L}{3,4}\.?)[-/. ]|\p{L}{3}\.? \d{1,2},? )'?(\d\d)(?:[ t]\d{1,2}:\d\d.*)?$`)
)

// shortYearMax is the highest year of two digits that is in this century, as spreadsheets read them.
const shortYearMax = 29

// year reads the year of a number, a date or a Unix time, or the first year in a text such as "2013 (1888)".
func year(s string) (int64, bool) {
	s = plainNumber(s)
	if m := eraYear.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[2], 10, 64)
		if m[2] == "元" {
			n, err = 1, nil
		}
		return eras[m[1]] + n, err == nil
	}
	if n, ok := shortYear(s); ok {
		return n, true
	}
	if m := monthYear.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return yearOf(f)
	}
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if j-i == 4 {
			if n, err := strconv.ParseInt(s[i:j], 10, 64); err == nil && n >= 1000 && n <= yearMax {
				return n, true
			}
		}
		if j-i == 8 { // 20120601
			if n, err := strconv.ParseInt(s[i:i+4], 10, 64); err == nil && n >= 1500 && n <= yearMax {
				return n, true
			}
		}
		i = j
	}
	return 0, false
}

// shortYear reads the year of a date that has it in two digits.
func shortYear(s string) (int64, bool) {
	m := shortDate.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if m == nil {
		m = shortOnly.FindStringSubmatch(strings.TrimSpace(s))
	}
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if n <= shortYearMax {
		return 2000 + n, err == nil
	}
	return 1900 + n, err == nil
}

// Days as spreadsheets count them: smaller numbers are years, larger ones are dates after 2050.
const (
	serialMin = yearMax + 1
	serialMax = 55_152
)

// serialEpoch is day 0 of spreadsheets, for days after February 1900.
var serialEpoch = time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)

// serialYear reads the year of a date that a spreadsheet stores as a number: 36526, or 36526.5 at noon, is in 2000.
func serialYear(s string) (int64, bool) {
	f, err := strconv.ParseFloat(strings.Replace(plainNumber(s), ",", ".", 1), 64)
	if err != nil || math.IsNaN(f) || f < serialMin || f > serialMax {
		return 0, false
	}
	return int64(serialEpoch.AddDate(0, 0, int(f)).Year()), true
}

// dateWords are words in the names of columns of dates.
var dateWords = words(wordSet(`date dates datum fecha data dato jour dia dag at on день дата päivämäärä tarih dátum ημερομηνια`))

// serialDates returns a number of the column that may be the date of a spreadsheet; empty if there is none. certain reports whether all
// such numbers are dates: no number is a year, they differ, and they are some, or all values of a column named as one of dates.
func (c *sampledColumn) serialDates() (example string, certain bool) {
	serials, years := map[string]bool{}, false
	count := 0
	for _, v := range c.values {
		_, isYear := year(v)
		_, isSerial := serialYear(v)
		switch {
		case isSerial && !isYear:
			serials[v] = true
			count++
			example = cmp.Or(example, v)
		case isNumber(v) && isYear:
			years = true
		}
	}
	named := dateWords.in(c.name) || strings.ContainsAny(c.name, "日") || strings.Contains(strings.ToLower(c.name), "datum")
	certain = !years && (len(serials) >= 3 && 10*count >= len(c.values) || named && count > 0 && count == len(c.values))
	return example, certain
}

func yearOf(f float64) (int64, bool) {
	n := int64(f)
	switch {
	case f != math.Trunc(f):
		return 0, false
	case n >= yearMin && n <= yearMax:
		return n, true
	case n >= 15000101 && n <= 21001231 && n/100%100 >= 1 && n/100%100 <= 12 && n%100 <= 31:
		return n / 10000, true
	case n >= epochMin && n < 1e11:
		return int64(time.Unix(n, 0).UTC().Year()), true
	case n >= 1e11 && n < 1e14:
		return int64(time.UnixMilli(n).UTC().Year()), true
	}
	return 0, false
}
