package importer

import (
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
	if bounds, ok := strings.CutPrefix(s, "size_"); ok {
		s = strings.ReplaceAll(bounds, "_", " ") // SIZE_51_TO_200
	}
	s = strings.TrimSpace(headcountNoise.ReplaceAllString(s, " "))
	if m := dateRange.FindStringSubmatch(s); m != nil {
		return rangeOfDate(m)
	}
	upTo := upToWords.MatchString(s)
	s = aboutWords.ReplaceAllString(s, "")
	plus := strings.HasSuffix(s, "+")
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
		case r == '\u00a0' || r == '\u202f' || r == '\u2009':
			return ' '
		case r == '’':
			return '\''
		}
		return unicode.ToLower(r)
	}, s))
}

const number = `(\d+(?:[ '.,]\d+)*)\s*(k|m|mm|mio|mn|b|bn|thousand|tausend|mil|mille|million|millions|billion|lakh)?`

var (
	headcountNoise = regexp.MustCompile(`\b(full[- ]time|employees?|people|persons?|staff|members?|workers?|mitarbeiter(?:innen)?|ftes?|headcount|employ[eé]s|empleados|funcion[aá]rios|dipendenti|medewerkers|personnes|salari[eé]s)\b|人|名`)
	upToWords      = regexp.MustCompile(`^\s*(<|≤|up to|less than|under|fewer than|below|max\.?|bis zu)`)
	aboutWords     = regexp.MustCompile(`^\s*(<|>|≤|≥|~|≈|=|about|approx\.?|approximately|around|circa|ca\.?|c\.|over|more than|at least|up to|less than|fewer than|under|below|above|min\.?|max\.?|bis zu|über|mehr als|est\.?)*\s*`)
	rangeParts     = regexp.MustCompile(`^` + number + `(?:\s*(?:-|to|bis|until|and|à|a|\.\.+|/|~)\s*` + number + `)?$`)
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

// year reads the year of a number, a date or a Unix time, or the first year in a text such as "2013 (1888)".
func year(s string) (int64, bool) {
	s = plainNumber(s)
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
