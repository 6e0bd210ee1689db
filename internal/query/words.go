package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/text"
)

// unit is a part of a search text that must occur: a word in any of its spellings, or a phrase.
type unit struct {
	raw   string // as written
	parts []string
	forms []Phrase
	exact bool // in double quotes

	domains []Node // found as well
	address bool   // it is written as a domain or URL

	// A plain word can also be joined with the one before or after it, if nothing but a space separates them.
	plain, afterSpace bool
}

// readText splits a search text into its units. Text in double quotes is a phrase; outside of them, each word is a unit, and
// so is what is written without spaces but belongs together: e-commerce, U.S., AT&T, characters of scripts without spaces.
// begun is the beginning of a domain that the whole text may be while it is typed; nil if it may not.
func readText(s string, prefix bool) (units []unit, begun Node) {
	quoted := strings.Split(plainQuotes.Replace(s), `"`)
	last := quoted[len(quoted)-1]
	typing := prefix && len(quoted)%2 == 1 && last != "" && last == strings.TrimRightFunc(last, unicode.IsSpace)
	for i, part := range quoted {
		if i%2 == 0 {
			units = append(units, spelled(unquoted(part, typing && i == len(quoted)-1))...)
		} else if words := text.Tokens(part); len(words) > 0 {
			units = append(units, unit{raw: strings.TrimSpace(part), parts: words, forms: []Phrase{{Words: words}}, exact: true})
		}
	}
	units = withoutConnectors(units)
	if typing && len(units) > 0 {
		u := &units[len(units)-1]
		u.begin()
		piece := strings.TrimSpace(s)
		if host, _ := hostStart(piece); u.plain && !strings.ContainsFunc(piece, unicode.IsSpace) && mayBeHost(host) {
			begun = Domain{host, true}
		}
	}
	return units, begun
}

var plainQuotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`)

// unquoted returns the units of text outside of quotes, the last of which may still be being typed.
func unquoted(s string, typing bool) (units []unit) {
	clean := false // nothing but a space follows the last word
	pieces := strings.Fields(s)
	for i, piece := range pieces {
		read := domainUnit
		if typing && i == len(pieces)-1 {
			read = typedUnit
		}
		if u, ok := read(piece); ok {
			units, clean = append(units, u), false
			continue
		}
		links := text.Links(piece)
		if len(links) == 0 {
			clean = false
			continue
		}
		of := unitsOf(links)
		if len(of) == 0 {
			continue
		}
		of[0].afterSpace = clean && links[0].Gap == ""
		if len(of) == 1 {
			of[0].raw = piece
		}
		units = append(units, of...)
		clean = strings.HasSuffix(text.Fold(piece), links[len(links)-1].Word)
	}
	return bindAmpersands(units)
}

// unitsOf returns the units of a piece without spaces.
func unitsOf(links []text.Linked) (units []unit) {
	for len(links) > 0 {
		first, n := links[0].Word, 1
		u := unit{}
		switch joint := text.JointLen(links); {
		case first == text.Break: // outside of quotes it separates words
			links = links[1:]
			continue
		case text.IsAlone(first):
			for n < len(links) && text.IsAlone(links[n].Word) {
				n++
			}
		case len(links) > 1 && links[1].Gap == "" && !text.IsAlone(links[1].Word) && links[1].Word != text.Break: // an ampersand
			for n++; n < len(links) && links[n].Gap == "" && !text.IsAlone(links[n].Word) && links[n].Word != text.Break; {
				n++
			}
		case joint > 0:
			n = joint
		default:
			u.plain = true
		}
		u.parts = wordsOf(links[:n])
		u.raw = strings.Join(u.parts, " ")
		u.forms = []Phrase{{Words: u.parts}}
		if n > 1 && text.JointLen(links) == n {
			u.forms = segmentations(u.parts)
		}
		units = append(units, u)
		links = links[n:]
	}
	return units
}

func wordsOf(links []text.Linked) []string {
	words := make([]string, len(links))
	for i, l := range links {
		words[i] = l.Word
	}
	return words
}

// bindAmpersands makes a phrase of "AT & T": single letters around an ampersand say little on their own.
func bindAmpersands(units []unit) []unit {
	for i := 1; i+1 < len(units); i++ {
		before, after := &units[i-1], &units[i+1]
		if units[i].raw != "&" || !before.plain || !after.plain || !isLetter(before.parts[0]) && !isLetter(after.parts[0]) {
			continue
		}
		words := []string{before.parts[0], text.And, after.parts[0]}
		units[i-1] = unit{raw: strings.Join([]string{before.raw, "&", after.raw}, " "), parts: words, forms: []Phrase{{Words: words}}}
		units = append(units[:i], units[i+2:]...)
	}
	return units
}

func isLetter(word string) bool { return utf8.RuneCountInString(word) == 1 }

// withoutConnectors leaves out "and" and "&" between other words: every word must occur anyway, and a name is written with
// and without them.
func withoutConnectors(units []unit) []unit {
	kept := make([]unit, 0, len(units))
	for _, u := range units {
		if !u.plain || u.parts[0] != text.And {
			kept = append(kept, u)
		}
	}
	if len(kept) == 0 {
		return units
	}
	return kept
}

// spelled adds the other spellings of plain words: split in two, and joined with a neighbour.
func spelled(units []unit) []unit {
	for i := range units {
		u := &units[i]
		if !u.plain {
			continue
		}
		word := u.parts[0]
		u.forms = append(u.forms, splits(word)...)
		if i > 0 && u.afterSpace && units[i-1].plain && joinable(units[i-1].parts[0], word) {
			u.forms = append(u.forms, Phrase{Words: []string{units[i-1].parts[0] + word}})
		}
		if i+1 < len(units) && units[i+1].afterSpace && units[i+1].plain && joinable(word, units[i+1].parts[0]) {
			u.forms = append(u.forms, Phrase{Words: []string{word + units[i+1].parts[0]}})
		}
	}
	return units
}

// begin makes the unit match words that begin with its last word. A word that is split elsewhere stays whole: "salesf" does
// not mean "sales for".
func (u *unit) begin() {
	if u.exact || u.address || text.IsAlone(u.parts[len(u.parts)-1]) { // the last is a character that is a word of its own
		return
	}
	var forms []Phrase
	for _, f := range u.forms {
		forms = append(forms, Phrase{Words: f.Words, Prefix: !u.plain || len(f.Words) == 1})
	}
	u.forms = forms
}

// node returns the condition that the unit occurs.
func (u *unit) node() Node {
	if u.exact {
		return u.forms[0]
	}
	if len(u.domains) > 0 {
		return append(Or{Word{u.forms}}, u.domains...)
	}
	return Word{u.forms}
}

// given returns the words of the unit, for warnings.
func (u *unit) given(param string) []Given {
	if u.exact {
		return givenWords(param, u.parts, func(w string) Node { return Phrase{Words: []string{w}} })
	}
	if u.address {
		return []Given{{Param: param, Field: FieldDomain, Raw: u.raw, Text: u.node()}}
	}
	raw := strings.TrimFunc(u.raw, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if !slices.Equal(text.Tokens(raw), text.Tokens(u.raw)) {
		raw = u.raw // a sign belongs to the word
	}
	return []Given{{Param: param, Field: FieldText, Raw: raw, Value: strings.Join(u.parts, ""), Text: u.node()}}
}

// givenWords returns each word of a phrase with its condition.
func givenWords(param string, words []string, of func(word string) Node) (given []Given) {
	for _, w := range words {
		if w != text.Break {
			given = append(given, Given{Param: param, Field: FieldText, Raw: w, Value: w, Text: of(w)})
		}
	}
	return given
}

// readKeyword returns the condition of a keyword: a phrase, in which a joint is also found as one word, and of up to
// changedWordsMax words two may be joined or one may be split. A keyword in double quotes is exact.
func readKeyword(s string) Node {
	plain := strings.TrimSpace(plainQuotes.Replace(s))
	links := text.Links(plain)
	exact := Phrase{Words: text.Tokens(plain)}
	if len(plain) > 1 && plain[0] == '"' && plain[len(plain)-1] == '"' {
		return exact
	}
	forms := []Phrase{exact}
	bases := [][]string{nil}
	for len(links) > 0 {
		n := max(1, text.JointLen(links))
		parts := []Phrase{{Words: wordsOf(links[:n])}}
		if n > 1 && len(bases) < basesMax {
			parts = segmentations(parts[0].Words)
		}
		var longer [][]string
		for _, b := range bases {
			for _, p := range parts {
				longer = append(longer, append(b[:len(b):len(b)], p.Words...))
			}
		}
		bases, links = longer, links[n:]
	}
	for _, b := range bases {
		forms = append(forms, Phrase{Words: b})
		if len(b) <= changedWordsMax {
			forms = append(forms, changed(b)...)
		}
	}
	return Word{forms}
}
