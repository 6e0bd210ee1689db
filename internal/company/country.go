package company

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/text"
)

// Country is a country of ISO 3166-1 (and Kosovo, with its user-assigned codes).
type Country struct {
	Name   string // the everyday English name
	Alpha2 string
	Alpha3 string
}

// Names and codes come from the npm package i18n-iso-countries 7.14.0 (MIT); everyday names and aliases are our choice.
//
//go:embed countries.csv
var countriesCSV string

// Names in 27 other languages, from the Unicode CLDR in golang.org/x/text/language/display. Names that are already an
// English name, or name two countries, are left out.
//
//go:embed country_names.csv
var countryNamesCSV string

type countryTable struct {
	all    []Country
	byCode map[string]int // alpha-2 and alpha-3, lower case
	asIs   map[string]int // everyday names and codes in their usual spelling
	byName map[string]int // names and aliases, as countryKey returns them
	byBag  map[string]int // the same, as countryBag returns them; countryUnclear if two countries share one
	names  []string       // everyday names and aliases, for NearestCountry
	owner  []int          // the country of each of names

	mu   sync.RWMutex
	seen map[string]int // what LookupCountry found for other spellings; countryNone if nothing
}

var countries = sync.OnceValue(func() *countryTable {
	rows, err := csv.NewReader(strings.NewReader(countriesCSV)).ReadAll()
	if err != nil {
		panic(err) // the table is embedded
	}
	t := &countryTable{asIs: map[string]int{}, byCode: map[string]int{}, byName: map[string]int{}, byBag: map[string]int{}, seen: map[string]int{}}
	for i, row := range rows[1:] {
		c := Country{Alpha2: row[0], Alpha3: row[1], Name: row[2]}
		t.all = append(t.all, c)
		t.asIs[c.Name], t.asIs[c.Alpha2], t.asIs[c.Alpha3] = i, i, i
		t.byCode[strings.ToLower(c.Alpha2)] = i
		t.byCode[strings.ToLower(c.Alpha3)] = i
		for name := range strings.SplitSeq(c.Name+"|"+row[3], "|") {
			if name != "" {
				t.byName[countryKey(name)] = i
				t.addWrittenOut(name, i)
				t.addBag(name, i)
				t.names = append(t.names, name)
				t.owner = append(t.owner, i)
			}
		}
	}
	t.addNames()
	return t
})

// addNames adds the names in other languages. Misspellings are compared only with the English names.
func (t *countryTable) addNames() {
	rows, err := csv.NewReader(strings.NewReader(countryNamesCSV)).ReadAll()
	if err != nil {
		panic(err) // the table is embedded
	}
	for _, row := range rows[1:] {
		for name := range strings.SplitSeq(row[1], "|") {
			country := t.byCode[strings.ToLower(row[0])]
			t.addNew(name, country)
			t.addWrittenOut(name, country)
		}
	}
}

// addNew adds a name unless a country has it.
func (t *countryTable) addNew(name string, country int) {
	key := countryKey(name)
	if _, taken := t.byName[key]; key != "" && !taken {
		t.byName[key] = country
	}
}

// addWrittenOut adds the spelling of a name that people use who have no umlauts on their keyboards: Aegypten.
func (t *countryTable) addWrittenOut(name string, country int) {
	if s := umlauts.Replace(name); s != name {
		t.addNew(s, country)
	}
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe")

const (
	countryUnclear = -1
	countryNone    = -2

	countriesSeenMax = 10_000
)

// addBag adds a name of several words in any order of them.
func (t *countryTable) addBag(name string, country int) {
	key := countryBag(name)
	if !strings.Contains(key, " ") {
		return
	}
	if have, ok := t.byBag[key]; ok && have != country {
		country = countryUnclear
	}
	t.byBag[key] = country
}

// LookupCountry finds a country by its everyday or official name, alpha-2 or alpha-3 code, a common alias or its name in
// many other languages, without regard to case, accents and punctuation. The words of an official name may be abbreviated
// and in any order ("Congo, Dem. Rep."). A name may be followed by another name or code in parentheses ("Germany (DE)").
func LookupCountry(s string) (Country, bool) {
	t := countries()
	i, ok := t.asIs[s]
	if !ok {
		i, ok = t.findAgain(s)
	}
	if !ok {
		return Country{}, false
	}
	return t.all[i], true
}

// findAgain remembers what it finds, because a column repeats few texts, and taking a text apart takes long.
func (t *countryTable) findAgain(s string) (i int, ok bool) {
	t.mu.RLock()
	i, seen := t.seen[s]
	full := len(t.seen) >= countriesSeenMax
	t.mu.RUnlock()
	if seen {
		return i, i != countryNone
	}
	if i, ok = t.find(s); !ok {
		i, ok = t.findBoth(s)
	}
	if full || len(s) > countryBytesMax {
		return i, ok
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !ok {
		i = countryNone
	}
	t.seen[strings.Clone(s)] = i // s may be part of a larger text
	return i, ok
}

const countryBytesMax = 100 // of a name

// find finds a country by a code or name.
func (t *countryTable) find(s string) (int, bool) {
	if i, ok := t.asIs[s]; ok {
		return i, true
	}
	if i, ok := t.byCode[strings.ToLower(strings.TrimSpace(s))]; ok {
		return i, true
	}
	if len(s) > countryBytesMax {
		return 0, false
	}
	if i, ok := t.byName[countryKey(s)]; ok {
		return i, true
	}
	i, ok := t.byBag[countryBag(s)]
	return i, ok && i != countryUnclear
}

// findBoth finds the country of a name that another one in parentheses follows. If they are two countries, it is a territory
// of the second ("Hong Kong (China)"), or unknown ("Georgia (USA)").
func (t *countryTable) findBoth(s string) (int, bool) {
	before, rest, found := strings.Cut(s, "(")
	inside, after, _ := strings.Cut(rest, ")")
	if !found || len(s) > countryBytesMax || strings.TrimSpace(after) != "" {
		return 0, false
	}
	first, known := t.find(before)
	second, also := t.find(inside)
	switch {
	case known && also && first != second:
		return first, sovereigns[t.all[first].Alpha2] == t.all[second].Alpha2
	case known:
		return first, also || !t.isPartOfName(first)
	}
	return second, also
}

// isPartOfName reports whether another country's name contains this one's, so that what follows it may tell them apart:
// Congo, Guinea, Korea.
func (t *countryTable) isPartOfName(country int) bool {
	words := strings.Fields(countryKey(t.all[country].Name))
	for i := range t.all {
		others := strings.Fields(countryKey(t.all[i].Name))
		if i != country && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(others, w) }) {
			return true
		}
	}
	return false
}

// sovereigns are the countries that territories with codes of their own belong to.
var sovereigns = func() map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(`CN HK MO TW|DK FO GL|US AS GU MP PR UM VI|GB AI BM FK GG GI IM IO JE KY MS PN SH TC VG|`+
		`FR BL GF GP MF MQ NC PF PM RE TF WF YT|NL AW BQ CW SX|NZ CK NU TK|AU CC CX HM NF|NO BV SJ|FI AX`, "|") {
		for territory := range strings.FieldsSeq(line[2:]) {
			m[territory] = line[:2]
		}
	}
	return m
}()

// NearestCountry returns the everyday name of the country that s most likely means, or "" if none is near.
func NearestCountry(s string) string {
	if c, ok := LookupCountry(s); ok {
		return c.Name
	}
	t := countries()
	near := text.Nearest(s, t.names)
	for i, name := range t.names {
		if near != "" && name == near {
			return t.all[t.owner[i]].Name
		}
	}
	return ""
}

// countryKey keeps only the words that distinguish names: "St. Lucia" is "Saint Lucia", "The Gambia" is "Gambia".
func countryKey(s string) string {
	words := text.Tokens(s)
	kept := words[:0]
	for _, w := range words {
		switch {
		case w == "the" || w == "and":
		case w == "st" && len(words) > 1:
			kept = append(kept, "saint")
		default:
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// countryWords are abbreviations of words in official names, and words that sources exchange for each other.
var countryWords = map[string]string{
	"rep": "republic", "dem": "democratic", "federal": "fed", "federated": "fed", "federation": "fed", "sts": "states", "st": "saint",
	"isl": "islands", "isls": "islands", "is": "islands", "island": "islands", "terr": "territory", "territories": "territory", "utd": "united",
	"kgdm": "kingdom", "prov": "province", "rb": "bolivarian republic", "pdr": "people s democratic republic", "dpr": "democratic people s republic",
	"dr": "democratic republic", "peoples": "people s",
}

// countryBag returns the words of a name in alphabetical order, written out, without articles and prepositions.
func countryBag(s string) string {
	var kept []string
	for _, w := range text.Tokens(s) {
		switch w {
		case "the", "and", "of":
			continue
		}
		if whole, ok := countryWords[w]; ok {
			w = whole
		}
		kept = append(kept, strings.Fields(w)...)
	}
	slices.Sort(kept)
	return strings.Join(slices.Compact(kept), " ")
}
