package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/text"
)

// Bounds of the spellings of one word or keyword.
const (
	splitRunesMax   = 40 // characters of a word that is also found split
	initialsMin     = 3  // letters of a word that is also found as single letters: IBM as I B M
	initialsMax     = 5
	segmentsMax     = 4 // parts of a joint of which any two may be joined; those of a longer one are separate or all joined
	changedWordsMax = 8 // words of a keyword in which two may be joined or one split
	basesMax        = 8 // phrases from which on the other joints of a keyword are only found as they are written
)

// Words that are rarely a part of another one, although the letters would fit: "are a" is not area, "in Tel Aviv" has no intel.
// Endings of short forms cannot come first: "we're building" has no rebuilding. Particles can, as in "on site", but "bank on"
// has no bankon.
var (
	functionWords = setOf("a an the and or but nor if so than that this these those there here " +
		"is are was were be been am do does did has have had can could will would shall should may might must " +
		"i me my mine he him his she her it its we us our you your they them their who whom whose which what when where why how " +
		"as not no all any each both such too very in at to of for from with into onto per via")
	particles = setOf("on by")
	endings   = setOf("s re ll ve")
)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// joinable reports whether two adjacent words may be one word that is written with a space. Between digits a space counts:
// "20 24" is not 2024.
func joinable(left, right string) bool {
	first, _ := utf8.DecodeRuneInString(right)
	return isWhole(left) && isWhole(right) && (!text.EndsInDigit(left) || !text.StartsWithDigit(right)) && !unicode.Is(unicode.M, first) &&
		!functionWords[left] && !endings[left] && !functionWords[right] && !particles[right]
}

// isWhole reports whether the word has letters and digits alone, and is not a character of a script without spaces.
func isWhole(word string) bool {
	return !text.IsAlone(word) && !strings.ContainsAny(word, "+#.,")
}

// splits returns the ways to write the word as two words, or as single letters.
func splits(word string) (forms []Phrase) {
	runes := utf8.RuneCountInString(word)
	if runes < 2 || runes > splitRunesMax || !isWhole(word) {
		return nil
	}
	for i := range word {
		if i > 0 && runes > 2 && !functionWords[word] && joinable(word[:i], word[i:]) {
			forms = append(forms, Phrase{Words: []string{word[:i], word[i:]}})
		}
	}
	if runes <= initialsMax && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		forms = append(forms, Phrase{Words: strings.Split(word, "")})
	}
	return forms
}

// segmentations returns the ways to write the parts of a joint: each as a word, or some joined with the next.
func segmentations(parts []string) []Phrase {
	if len(parts) > segmentsMax {
		return []Phrase{{Words: parts}, {Words: []string{strings.Join(parts, "")}}}
	}
	forms := []Phrase{{Words: parts[:1]}}
	for _, next := range parts[1:] {
		var longer []Phrase
		for _, f := range forms {
			joined := slices.Clone(f.Words)
			joined[len(joined)-1] += next
			longer = append(longer, Phrase{Words: append(slices.Clone(f.Words), next)}, Phrase{Words: joined})
		}
		forms = longer
	}
	return forms
}

// changed returns the phrases with two adjacent words joined, and those with one word split.
func changed(words []string) (forms []Phrase) {
	for i, w := range words {
		if i > 0 && joinable(words[i-1], w) {
			forms = append(forms, Phrase{Words: slices.Concat(words[:i-1], []string{words[i-1] + w}, words[i+1:])})
		}
		for _, s := range splits(w) {
			forms = append(forms, Phrase{Words: slices.Concat(words[:i], s.Words, words[i+1:])})
		}
	}
	return forms
}

// distinctForms returns the forms without repetitions, in the given order.
func distinctForms(forms []Phrase) []Phrase {
	seen := map[string]bool{}
	return slices.DeleteFunc(forms, func(f Phrase) bool {
		key := string(appendNode(nil, f))
		again := seen[key]
		seen[key] = true
		return again
	})
}
