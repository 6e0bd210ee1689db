package importer

import (
	"strings"

	"github.com/opencapi/capi/internal/company"
)

// codeUse is what two letters at the end of a column's places are: those of a country as in "Berlin, DE", or of a state as in
// "Dover, DE". The zero value expects states.
type codeUse struct {
	countries bool              // rather countries than states
	mixed     bool              // certainly both, so that a code alone says nothing
	known     map[string][2]int // by code that is both: how many of the column's cities are known in its state, and in its country
}

// codeMeaning is what a code after a city means: at most one of the two, or neither if it is unsure.
type codeMeaning struct {
	state   state
	country string
	unsure  bool // it may be either
}

func (m codeMeaning) isState() bool { return m.state.code != "" }

// knownCitiesMin is how many cities of a column must be known in the state or country of a code to say what it is elsewhere
// in the column.
const knownCitiesMin = 2

// read returns what the code after the parts of a place means. ok is false if it is the code of nothing.
func (u *codeUse) read(parts []string, code string) (m codeMeaning, ok bool) {
	if u == nil {
		u = &codeUse{}
	}
	if u.countries {
		code = strings.ToUpper(code)
	}
	m, ok = certainMeaning(parts, code)
	if !ok || !m.unsure {
		return m, ok
	}
	st, isState := stateOfCode(code)
	in := u.known[code]
	switch {
	case in[0] >= knownCitiesMin && in[1] == 0:
		return codeMeaning{state: cities().states[code+" "][0]}, true
	case in[1] >= knownCitiesMin && in[0] == 0:
	case u.mixed:
		return m, true
	case isState && !u.countries:
		return codeMeaning{state: st}, true
	}
	c, _ := company.LookupCountry(code)
	return codeMeaning{country: c.Name}, true
}

// certainMeaning returns what the code after the parts of a place means, judging by the tables of cities; unsure if it is the
// code of a state and of a country.
func certainMeaning(parts []string, code string) (m codeMeaning, ok bool) {
	if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return codeMeaning{}, false
	}
	c, isCountry := company.LookupCountry(code)
	st, isState := stateOfCode(code)
	var in []state
	abroad := false
	for _, city := range parts {
		key := cityKey(code, city)
		in, abroad = append(in, cities().states[key]...), abroad || cities().countries[key]
	}
	switch {
	case code == "UK" || code == "US":
		return codeMeaning{country: c.Name}, true
	case len(in) == 1 && !abroad:
		return codeMeaning{state: in[0]}, true
	case abroad && len(in) == 0:
		return codeMeaning{country: c.Name}, true
	case isState && !isCountry:
		return codeMeaning{state: st}, true
	case isCountry && !isState && len(cities().states[code+" "]) == 0:
		return codeMeaning{country: c.Name}, true
	}
	return codeMeaning{unsure: true}, isCountry
}

// stateOfCode returns the state with the code in the United States, Canada or Australia, in this order: in those countries people write
// only the code.
func stateOfCode(code string) (state, bool) {
	for _, country := range []string{"United States", "Canada", "Australia"} {
		if st, ok := states().byCode[country][code]; ok {
			return st, true
		}
	}
	return state{}, false
}

// codeUse returns what two letters at the end of the column's places are.
func (c *sampledColumn) codeUse() *codeUse {
	if c.codes != nil {
		return c.codes
	}
	u := &codeUse{known: map[string][2]int{}}
	c.codes = u
	codes, inStates, inCountries := 0, 0, 0
	for _, v := range c.values {
		parts, code, found := cutCode(v)
		m, ok := certainMeaning(parts, code)
		if !found || !ok {
			continue
		}
		codes++
		in := u.known[code]
		switch {
		case m.unsure:
		case m.isState():
			inStates++
			in[0]++
		default:
			inCountries++
			in[1]++
		}
		u.known[code] = in
	}
	u.countries = inCountries > 0 && 10*inCountries >= codes
	u.mixed = inStates > 0 && inCountries > 0
	return u
}

// cutCode cuts two letters off the end of a place, and returns the parts before them.
func cutCode(place string) (parts []string, code string, found bool) {
	parts = strings.Split(place, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	n := len(parts) - 1
	return parts[:n], parts[n], n > 0 && len(parts[n]) == 2
}

// unclearPlace returns the first of the column's places whose code may be a state's or a country's; empty if there is none.
func (c *sampledColumn) unclearPlace(u *codeUse) string {
	for _, v := range c.values {
		parts, code, found := cutCode(v)
		if m, ok := u.read(parts, code); found && ok && m.unsure {
			return v
		}
	}
	return ""
}
