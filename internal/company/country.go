package company

import (
	_ "embed"
	"encoding/csv"
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
	names  []string       // everyday names and aliases, for NearestCountry
	owner  []int          // the country of each of names
}

var countries = sync.OnceValue(func() *countryTable {
	rows, err := csv.NewReader(strings.NewReader(countriesCSV)).ReadAll()
	if err != nil {
		panic(err) // the table is embedded
	}
	t := &countryTable{asIs: map[string]int{}, byCode: map[string]int{}, byName: map[string]int{}}
	for i, row := range rows[1:] {
		c := Country{Alpha2: row[0], Alpha3: row[1], Name: row[2]}
		t.all = append(t.all, c)
		t.asIs[c.Name], t.asIs[c.Alpha2], t.asIs[c.Alpha3] = i, i, i
		t.byCode[strings.ToLower(c.Alpha2)] = i
		t.byCode[strings.ToLower(c.Alpha3)] = i
		for name := range strings.SplitSeq(c.Name+"|"+row[3], "|") {
			if name != "" {
				t.byName[countryKey(name)] = i
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
			if key := countryKey(name); key != "" && t.byName[key] == 0 {
				t.byName[key] = t.byCode[strings.ToLower(row[0])]
			}
		}
	}
}

// LookupCountry finds a country by its everyday or official name, alpha-2 or alpha-3 code, a common alias or its name in
// many other languages, without regard to case, accents and punctuation.
func LookupCountry(s string) (Country, bool) {
	t := countries()
	if i, ok := t.asIs[s]; ok {
		return t.all[i], true
	}
	if i, ok := t.byCode[strings.ToLower(strings.TrimSpace(s))]; ok {
		return t.all[i], true
	}
	i, ok := t.byName[countryKey(s)]
	if !ok {
		return Country{}, false
	}
	return t.all[i], true
}

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
