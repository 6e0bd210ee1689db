package query

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// Notice says that a part of a parameter does not mean what it means in other search engines.
type Notice struct{ Param, Value, Message string }

// operators returns a notice for the first use of each operator that means nothing here. Text in double quotes has none, and
// a name that only looks like one is left alone: AT&T, C++, Toys (R) Us, E*TRADE, Portland OR.
func operators(s string) (found []Notice) {
	pieces := piecesOf(s)
	for _, rule := range operatorRules {
		for i := range pieces {
			if message := rule(pieces, i); message != "" && !pieces[i].quoted {
				found = append(found, Notice{"query", pieces[i].text, message})
				break
			}
		}
	}
	open := strings.IndexByte(s, '(')
	grouped := strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") && len(pieces) > 1
	if open >= 0 && (grouped || len(found) > 0) && strings.Contains(s[open:], ")") {
		found = append(found, Notice{"query", s[open:], "parentheses do not group words; use keywords to ask for any of several phrases"})
	}
	return found
}

// piece is a part of a search text without spaces, or one in double quotes.
type piece struct {
	text   string
	quoted bool
}

func piecesOf(s string) (pieces []piece) {
	for i, part := range strings.Split(plainQuotes.Replace(s), `"`) {
		if i%2 == 1 {
			pieces = append(pieces, piece{part, true})
			continue
		}
		for word := range strings.FieldsSeq(part) {
			pieces = append(pieces, piece{text: word})
		}
	}
	return pieces
}

// bare returns the piece without brackets and punctuation around it.
func (p piece) bare() string { return strings.Trim(p.text, "()[],;.") }

// operatorRules return what to do instead of the operator that the i-th piece is, or nothing.
var operatorRules = []func(pieces []piece, i int) string{
	minus, not, or, and, bar, ampersands, plus, wildcard, selector,
}

func minus(pieces []piece, i int) string {
	word, ok := strings.CutPrefix(text.Fold(pieces[i].bare()), "-")
	if !ok || word == "" && (i+1 == len(pieces) || !pieces[i+1].quoted) || word != "" && !startsWithLetter(word) {
		return ""
	}
	return "a minus does not exclude a word; use exclude_keywords"
}

func not(pieces []piece, i int) string {
	if pieces[i].bare() != "NOT" || i+1 == len(pieces) || !hasLower(pieces) {
		return ""
	}
	return "NOT is a word like any other; use exclude_keywords to leave companies out"
}

func or(pieces []piece, i int) string {
	if pieces[i].bare() != "OR" || !isBetween(pieces, i) {
		return ""
	}
	return "OR is a word like any other; use keywords to ask for any of several phrases"
}

// and leaves names in capitals alone, such as BED BATH AND BEYOND.
func and(pieces []piece, i int) string {
	if pieces[i].bare() != "AND" || !isBetween(pieces, i) || !hasLower(pieces) {
		return ""
	}
	return "AND is not needed, because every word must occur; use keywords to ask for any of several phrases"
}

func bar(pieces []piece, i int) string {
	inside := strings.Trim(pieces[i].text, "|") != "" && strings.Contains(pieces[i].text, "|")
	if !inside && (strings.Trim(pieces[i].text, "|") != "" || !isBetween(pieces, i)) {
		return ""
	}
	return "| does not mean or; use keywords to ask for any of several phrases"
}

func ampersands(pieces []piece, i int) string {
	if !strings.Contains(pieces[i].text, "&&") {
		return ""
	}
	return "&& is not needed, because every word must occur; use keywords to ask for any of several phrases"
}

func plus(pieces []piece, i int) string {
	if word, ok := strings.CutPrefix(pieces[i].bare(), "+"); !ok || !startsWithLetter(word) {
		return ""
	}
	return "a plus is not needed, because every word must occur; use keywords to ask for any of several phrases"
}

// wildcard leaves a star inside a word alone, because names have it, and a question mark at the end.
func wildcard(pieces []piece, i int) string {
	word := pieces[i].bare()
	star := strings.Trim(word, "*")
	inner := strings.IndexByte(strings.TrimRight(word, "?!"), '?')
	if (star == word || star == "") && inner <= 0 || text.Tokens(star) == nil || strings.ContainsAny(word, "/=") {
		return ""
	}
	return "* and ? do not stand for other letters; with prefix, the last word is the beginning of a word"
}

func selector(pieces []piece, i int) string {
	name, value, ok := strings.Cut(strings.TrimLeft(pieces[i].text, "(+-"), ":")
	name = text.Fold(name)
	if !ok || value == "" && i+1 == len(pieces) || strings.HasPrefix(value, "//") {
		return ""
	}
	switch filter, known := filterOf[name]; {
	case !known:
		return ""
	case filter == "query":
		return name + ": does not select a field; query searches names and descriptions, so leave it out"
	case filter == "":
		return name + ": does not select a field, and no filter asks for its values; has asks for companies with a known value"
	default:
		return fmt.Sprintf("%s: does not select a field; use %s", name, filter)
	}
}

// filterOf maps what people may write before a colon to the filter that they mean; empty if there is none.
var filterOf = func() map[string]string {
	filters := map[string]string{
		"intitle": "query", "intext": "query", "site": "query", "url": "query", "inurl": "query", "employees": "employee_count_min",
		"founded": "founded_year_min", "naics": "naics_codes", "tech": "technologies",
	}
	for _, f := range company.Fields {
		filters[f.Name] = ""
	}
	for _, name := range []string{"name", "description", "domain", "website"} {
		filters[name] = "query"
	}
	for _, p := range Params {
		filters[p.Name] = p.Name
		for _, name := range []string{p.Field.String(), text.Fold(p.Label), singular(p.Name)} {
			if filters[name] == "" && !p.Exclude {
				filters[name] = p.Name
			}
		}
	}
	return filters
}()

// singular returns the singular of a parameter's name: industry of industries.
func singular(name string) string {
	if stem, ok := strings.CutSuffix(name, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(name, "s")
}

// isBetween reports whether pieces with words stand before and after the i-th.
func isBetween(pieces []piece, i int) bool {
	return i > 0 && i+1 < len(pieces) && text.Tokens(pieces[i-1].text) != nil && text.Tokens(pieces[i+1].text) != nil
}

// hasLower reports whether some piece is not in capitals.
func hasLower(pieces []piece) bool {
	for _, p := range pieces {
		if strings.ContainsFunc(p.text, unicode.IsLower) {
			return true
		}
	}
	return false
}

func startsWithLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r)
	}
	return false
}
